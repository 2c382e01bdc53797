// Package errand lets many who want the same thing looked up at once go only once.
package errand

import (
	"cmp"
	"context"
	"sync"
)

// Errand is one thing that many ask for. Nobody is answered with what was looked up
// before the question: who comes while somebody is under way waits for the next, who
// goes for all that have come meanwhile. It is safe for concurrent use.
type Errand[T any] struct {
	turn chan struct{} // held by who is under way

	mu   sync.Mutex
	next *trip[T] // that has not begun; nil until somebody asks for it
}

// trip is one run for all who wait for it.
type trip[T any] struct {
	done chan struct{} // closed when it is over; the fields below may be read then
	made bool          // false: who went gave up on the way, which is no answer for the others
	got  T
	err  error
}

// New returns an errand on which nobody is yet.
func New[T any]() *Errand[T] { return &Errand[T]{turn: make(chan struct{}, 1)} }

// Ask returns what do of one of those who ask at the time returns; it is called by one
// at a time. What it returns is shared, so nobody may change it. The error of ctx is
// returned when it ends first.
func (e *Errand[T]) Ask(ctx context.Context, do func(ctx context.Context) (T, error)) (T, error) {
	for {
		t := e.join()
		select {
		case e.turn <- struct{}{}:
			e.goFor(ctx, t, do)
		case <-t.done:
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		}
		if t.made || ctx.Err() != nil {
			return t.got, cmp.Or(t.err, ctx.Err())
		}
	}
}

// join returns the next trip.
func (e *Errand[T]) join() *trip[T] {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.next == nil {
		e.next = &trip[T]{done: make(chan struct{})}
	}
	return e.next
}

// goFor makes t with the turn held, unless somebody has made it before, and hands the
// turn on, also when do panics.
func (e *Errand[T]) goFor(ctx context.Context, t *trip[T], do func(ctx context.Context) (T, error)) {
	defer func() { <-e.turn }()
	select {
	case <-t.done:
		return
	default:
	}
	e.mu.Lock()
	e.next = nil // who comes from here on asks later than this trip begins
	e.mu.Unlock()
	defer close(t.done)
	got, err := do(ctx)
	t.made = err == nil || ctx.Err() == nil
	t.got, t.err = got, err
}
