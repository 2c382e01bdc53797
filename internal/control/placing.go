package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// fleet is the snapshot that a host is picked from. A remembered one may be wrong by
// its age: what it proposes is looked at again, and what it denies is asked anew.
type fleet struct {
	place.Snapshot
	remembered bool
}

// fleet returns the remembered fleet, or reads it.
func (c *Control) fleet(ctx context.Context, tx Tx) (fleet, error) {
	if s, ok := c.roster.Recall(c.clock()); ok {
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
	c.roster.Keep(s, begun, c.clock())
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

// recheck reads a host again that a remembered fleet proposed for n. A Conflict
// ("host-full") says that it will not do any more.
func (c *Control) recheck(ctx context.Context, t *Turn, host *domain.Host, n place.Need) error {
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
	if _, _, fits := c.picker.Pick(alone, n); !fits {
		return gone
	}
	*host = present
	return nil
}

// Choose picks a host for row among those not in refused; fits is false when there
// is none. The choice is only a proposal until Turn.Occupy has taken the claim.
func (c *Control) Choose(ctx context.Context, row domain.Container, refused []string) (host domain.Host, fits bool, err error) {
	seen, err := c.fleetNow(ctx)
	if err != nil {
		return host, false, err
	}
	n, err := c.needNow(ctx, row, refused)
	if err != nil {
		return host, false, err
	}
	host, reasons, fits := c.picker.Pick(seen.Snapshot, n)
	if !fits {
		c.log.WarnContext(ctx, "no valid host", "reasons", reasons.String())
	}
	return host, fits, nil
}

// Look runs fn in one read transaction.
func (c *Control) Look(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return c.store.Read(ctx, fn)
}
