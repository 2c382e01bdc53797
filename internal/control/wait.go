package control

import (
	"context"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// waiters tells the requests of this process that an action has ended.
type waiters struct {
	mu      sync.Mutex
	waiting map[int64][]chan struct{}
}

func newWaiters() *waiters { return &waiters{waiting: map[int64][]chan struct{}{}} }

// listen returns a channel that closes when action ends in this process, and the
// function that stops listening.
func (w *waiters) listen(action int64) (ended <-chan struct{}, stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := make(chan struct{})
	w.waiting[action] = append(w.waiting[action], ch)
	return ch, func() { w.forget(action, ch) }
}

func (w *waiters) forget(action int64, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.waiting[action][:0]
	for _, other := range w.waiting[action] {
		if other != ch {
			left = append(left, other)
		}
	}
	if len(left) == 0 {
		delete(w.waiting, action)
		return
	}
	w.waiting[action] = left
}

func (w *waiters) tell(action int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.waiting[action] {
		close(ch)
	}
	delete(w.waiting, action)
}

// pollInterval bounds how late an action that ended in another replica is noticed.
const pollInterval = 500 * time.Millisecond

// await returns the action once it is finished. It listens for this process and
// looks at the row now and then for the other replicas. A Timeout fault says that
// the time to wait has passed; the action itself goes on.
func (c *Control) await(ctx context.Context, action int64) (domain.Action, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.ResponseTimeout)
	defer cancel()
	ended, stop := c.waiters.listen(action)
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
