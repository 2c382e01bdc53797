package control

import (
	"context"
	"fmt"
	"time"

	"github.com/go-zun/zun/internal/control/hints"
	"github.com/go-zun/zun/internal/domain"
)

// Turn is one write transaction on intent together with what must follow once it
// is committed: hosts woken, loops of this process rung, waiting requests told.
// What follows is only hints, so losing it in a crash costs time and nothing else.
type Turn struct {
	Tx
	options Options
	now     time.Time
	wakes   map[string]wake
	bells   hints.Bells
	rings   []hints.Bell
	ended   []int64
}

type wake struct {
	host domain.Host
	rev  int64
}

// Turn runs fn in one write transaction, again from the start after a
// serialisation failure, and then does what follows.
func (c *Control) Turn(ctx context.Context, fn func(ctx context.Context, t *Turn) error) error {
	var turn *Turn
	err := c.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		turn = &Turn{Tx: tx, options: c.options, bells: c.bells, wakes: map[string]wake{}}
		return fn(ctx, turn)
	})
	if err != nil {
		return err
	}
	for _, w := range turn.wakes {
		c.nodes.Wake(w.host, w.rev)
	}
	for _, b := range turn.rings {
		b.Ring()
	}
	for _, a := range turn.ended {
		c.waiters.Tell(a)
	}
	return nil
}

// Now is the database's clock; it stands still within the turn.
func (t *Turn) Now(ctx context.Context) (time.Time, error) {
	if !t.now.IsZero() {
		return t.now, nil
	}
	now, err := t.Hosts().Now(ctx)
	if err != nil {
		return now, fmt.Errorf("read the database's clock: %w", err)
	}
	t.now = now
	return now, nil
}

// Ring rings b after the commit.
func (t *Turn) Ring(b hints.Bell) { t.rings = append(t.rings, b) }

// Bells are the loops that the turn may ring.
func (t *Turn) Bells() hints.Bells { return t.bells }

// Options returns the settings that the turn works with.
func (t *Turn) Options() Options { return t.options }

// Show writes c, makes its assignment visible to its host as changed, and wakes the host
// after the commit. c gets the new revision.
func (t *Turn) Show(ctx context.Context, c *domain.Container) error {
	host, err := t.Containers().Assign(ctx, *c)
	if err != nil {
		return fmt.Errorf("assign container %s: %w", c.ID, err)
	}
	if host.ID == "" {
		return nil // there is nobody to show anything to
	}
	c.Revision = host.Revision
	t.wakes[host.ID] = wake{host, host.Revision}
	return nil
}

// Save writes c.
func (t *Turn) Save(ctx context.Context, c *domain.Container) error {
	if err := t.Containers().Update(ctx, *c); err != nil {
		return fmt.Errorf("update container %s: %w", c.ID, err)
	}
	return nil
}
