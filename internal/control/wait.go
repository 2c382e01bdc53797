package control

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// pollInterval bounds how late an action that ended in another replica is noticed.
const pollInterval = 500 * time.Millisecond

// Await returns the action once it is finished. It listens for this process and
// looks at the row now and then for the other replicas. A Timeout fault says that
// the time to wait has passed; the action itself goes on.
func (c *Control) Await(ctx context.Context, action int64) (domain.Action, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.ResponseTimeout)
	defer cancel()
	ended, stop := c.waiters.Listen(action)
	defer stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		a, err := c.action(ctx, action)
		if ctx.Err() != nil {
			return a, domain.NewFault(domain.Timeout, "timeout", "The request was accepted, but it has not finished in time; it goes on.")
		}
		if err != nil || a.State.Finished() {
			return a, err
		}
		select {
		case <-ended:
			ended = nil // told once; from here on the row is the truth
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (c *Control) action(ctx context.Context, id int64) (a domain.Action, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		a, err = tx.Actions().Get(ctx, id)
		return err
	})
	return a, err
}
