// Package placing chooses hosts for containers: it asks the scheduler about the fleet as
// the store, or its memory of a moment ago, tells of it.
package placing

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/errand"
	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// NoValidHost is the reason shown on a container that no host can take.
const NoValidHost = "There are not enough hosts available."

// Deps are what the choosing stands on. Every field is required.
type Deps struct {
	Control *control.Control
	Clock   func() time.Time
	Log     *slog.Logger
}

// Placing chooses hosts. What it remembers of the fleet is only a hint.
type Placing struct {
	control  *control.Control
	picker   place.Picker
	roster   *place.Roster
	readings *errand.Errand[place.Snapshot] // of the fleet
	clock    func() time.Time
	log      *slog.Logger
}

// New returns the choosing over d.
func New(d Deps) *Placing {
	p := &Placing{control: d.Control, roster: &place.Roster{}, readings: errand.New[place.Snapshot](), clock: d.Clock, log: d.Log}
	p.picker, _ = d.Control.Options().Placing.Picker(d.Control.Dice().Below) // with a filter that is unknown it asks all
	return p
}

// Pick asks the scheduler for a host of seen that n may have, or why there is none.
func (p *Placing) Pick(seen Fleet, n place.Need) (host domain.Host, reasons place.Reasons, fits bool) {
	return p.picker.Pick(seen.Snapshot, n)
}

// Fleet is the snapshot that a host is picked from. A remembered one may be wrong by
// its age: what it proposes is looked at again, and what it denies is asked anew.
type Fleet struct {
	place.Snapshot
	Remembered bool
}

// Knows says whether a host of that name is in the fleet; no name asks for none.
func (f Fleet) Knows(name string) bool {
	return name == "" || slices.ContainsFunc(f.Hosts, func(h domain.Host) bool { return h.Name == name })
}

// Fleet returns the remembered fleet, or reads it. It must not be called in a
// transaction, which might keep from the reader what it waits for.
func (p *Placing) Fleet(ctx context.Context) (Fleet, error) {
	if s, ok := p.roster.Recall(p.clock()); ok {
		return Fleet{s, true}, nil
	}
	return p.Now(ctx)
}

// Now reads the fleet, once for all who ask at the time.
func (p *Placing) Now(ctx context.Context) (Fleet, error) {
	s, err := p.readings.Ask(ctx, p.read)
	if err != nil && ctx.Err() != nil {
		err = domain.WrapFault(err, domain.Timeout, "database-timeout", "The database did not answer in time.")
	}
	return Fleet{s, false}, err
}

func (p *Placing) read(ctx context.Context) (s place.Snapshot, err error) {
	begun, options := p.clock(), p.control.Options()
	err = p.control.Glance(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		s = place.Snapshot{DownAfter: options.ServiceDownTime, Ratios: options.Ratios}
		if s.Hosts, err = tx.Hosts().List(ctx, control.Page{}); err != nil {
			return fmt.Errorf("list hosts: %w", err)
		}
		if s.Now, err = tx.Hosts().Now(ctx); err != nil {
			return fmt.Errorf("read the database's clock: %w", err)
		}
		return nil
	})
	if err == nil {
		p.roster.Keep(s, begun, p.clock())
	}
	return s, err
}

// Recheck reads a host again that a remembered fleet proposed for n. A Conflict
// ("host-full") says that it will not do any more.
func (p *Placing) Recheck(ctx context.Context, t *control.Turn, host *domain.Host, n place.Need) error {
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
	alone := place.Snapshot{Hosts: []domain.Host{present}, Now: now, DownAfter: p.control.Options().ServiceDownTime, Ratios: p.control.Options().Ratios}
	if _, _, fits := p.picker.Pick(alone, n); !fits {
		return gone
	}
	*host = present
	return nil
}

// Choose picks a host for row among those not in refused; fits is false when there
// is none. The choice is only a proposal until Turn.Occupy has taken the claim.
func (p *Placing) Choose(ctx context.Context, row domain.Container, refused []string) (host domain.Host, fits bool, err error) {
	seen, err := p.Now(ctx)
	if err != nil {
		return host, false, err
	}
	n, err := p.Need(ctx, row, refused)
	if err != nil {
		return host, false, err
	}
	host, reasons, fits := p.picker.Pick(seen.Snapshot, n)
	if !fits {
		p.log.WarnContext(ctx, "no valid host", "reasons", reasons.String())
	}
	return host, fits, nil
}

// Need is what row asks of a host, read in a transaction of its own.
func (p *Placing) Need(ctx context.Context, row domain.Container, refused []string) (n place.Need, err error) {
	if n = place.NeedOf(row.Spec, refused); len(n.Bonds) == 0 && !n.Dedicated {
		return n, nil
	}
	err = p.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		n, err = control.Need(ctx, tx, row, refused)
		return err
	})
	return n, err
}
