package control

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// A fleet of more than smallFleet hosts is remembered, because reading thousands of
// hosts costs more than all the rest of a create. A small one is read each time: it
// costs little, and its hosts fill evenly then. What is remembered lives for
// rosterLife, or for rosterShare times what reading it took, if that is longer.
const (
	smallFleet  = 64
	rosterLife  = time.Second
	rosterShare = 10
)

// fleet is the snapshot that a host is picked from. A remembered one may be wrong by
// its age: what it proposes is looked at again, and what it denies is asked anew.
type fleet struct {
	place.Snapshot
	remembered bool
}

// roster remembers the fleet. The hosts in it are never changed.
type roster struct {
	mu          sync.Mutex
	seen        place.Snapshot
	at, expires time.Time // by this process's clock
	life        time.Duration
}

// keep remembers what was read from the time begun until now.
func (r *roster) keep(s place.Snapshot, begun, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(s.Hosts) <= smallFleet {
		s = place.Snapshot{}
	}
	r.seen, r.at, r.life = s, now, max(rosterLife, rosterShare*now.Sub(begun))
	r.expires = now.Add(r.life)
}

// recall returns the remembered fleet as of now; false if there is none, or if the
// caller must read it anew. Of many who find it expired one reads, and the others go
// on with the old one meanwhile.
func (r *roster) recall(now time.Time) (place.Snapshot, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := now.Sub(r.at)
	if r.seen.Hosts == nil || age < 0 || age > 2*r.life {
		return place.Snapshot{}, false
	}
	if now.After(r.expires) {
		r.expires = now.Add(r.life)
		return place.Snapshot{}, false
	}
	s := r.seen
	s.Now = s.Now.Add(age)
	return s, true
}

// fleet returns the remembered fleet, or reads it.
func (c *Control) fleet(ctx context.Context, tx Tx) (fleet, error) {
	if s, ok := c.roster.recall(c.clock()); ok {
		return fleet{s, true}, nil
	}
	return c.readFleet(ctx, tx)
}

func (c *Control) readFleet(ctx context.Context, tx Tx) (fleet, error) {
	begun := c.clock()
	hosts, err := tx.Hosts().List(ctx, Page{})
	if err != nil {
		return fleet{}, fmt.Errorf("list hosts: %w", err)
	}
	now, err := tx.Hosts().Now(ctx)
	if err != nil {
		return fleet{}, fmt.Errorf("read the database's clock: %w", err)
	}
	s := place.Snapshot{Hosts: hosts, Now: now, DownAfter: c.options.ServiceDownTime, Ratios: c.options.Ratios}
	c.roster.keep(s, begun, c.clock())
	return fleet{s, false}, nil
}

// fleetNow reads the fleet in a transaction of its own.
func (c *Control) fleetNow(ctx context.Context) (seen fleet, err error) {
	err = c.Look(ctx, func(ctx context.Context, tx Tx) error {
		seen, err = c.readFleet(ctx, tx)
		return err
	})
	return seen, err
}

// recheck reads a host again that a remembered fleet proposed for spec. A Conflict
// ("host-full") says that it will not do any more.
func (c *Control) recheck(ctx context.Context, t *Turn, host *domain.Host, spec domain.Spec) error {
	gone := domain.NewFault(domain.Conflict, "host-full", "Compute node %s does not take the container any more.", host.Name)
	now, err := t.Now(ctx)
	if err != nil {
		return err
	}
	present, err := t.Hosts().Get(ctx, host.ID)
	if domain.IsKind(err, domain.NotFound) {
		return gone
	}
	if err != nil {
		return fmt.Errorf("read host %s: %w", host.ID, err)
	}
	alone := place.Snapshot{Hosts: []domain.Host{present}, Now: now, DownAfter: c.options.ServiceDownTime, Ratios: c.options.Ratios}
	if _, _, fits := c.picker.Pick(alone, place.NeedOf(spec, nil)); !fits {
		return gone
	}
	*host = present
	return nil
}

// Choose picks a host for spec among those not in refused; fits is false when there
// is none. The choice is only a proposal until Turn.Occupy has taken the claim.
func (c *Control) Choose(ctx context.Context, spec domain.Spec, refused []string) (host domain.Host, fits bool, err error) {
	seen, err := c.fleetNow(ctx)
	if err != nil {
		return host, false, err
	}
	host, reasons, fits := c.picker.Pick(seen.Snapshot, place.NeedOf(spec, refused))
	if !fits {
		c.log.WarnContext(ctx, "no valid host", "reasons", reasons.String())
	}
	return host, fits, nil
}

// Look runs fn in one read transaction.
func (c *Control) Look(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return c.store.Read(ctx, fn)
}
