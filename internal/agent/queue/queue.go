// Package queue hands out container keys to a bounded number of workers, each key to
// one worker at a time, at once or after a back-off.
package queue

import (
	"context"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Clock is the time by which delays are counted.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives once d has passed, and a function that
	// frees the timer when nobody waits any more.
	After(d time.Duration) (fired <-chan time.Time, stop func())
}

// Queue hands container keys to workers: a key waits at most once, is worked on by
// at most one worker, and a key added meanwhile is handed out once more after.
type Queue struct {
	clock Clock
	slots int

	mu      sync.Mutex
	ready   []domain.ContainerID
	entries map[domain.ContainerID]*entry
	running int
	timers  sync.WaitGroup
	changed chan struct{} // holds one token when something may be handed out
	ended   chan struct{} // closed when nothing is handed out any more
}

type entry struct {
	waiting bool
	running bool
	again   bool
	delay   *delay
}

type delay struct {
	at     time.Time
	cancel chan struct{}
}

// New returns a queue that has at most slots keys worked on at once.
func New(clock Clock, slots int) *Queue {
	return &Queue{
		clock: clock, slots: slots,
		entries: map[domain.ContainerID]*entry{}, changed: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// Add makes key ready.
func (q *Queue) Add(key domain.ContainerID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.entry(key)
	switch {
	case e.running:
		e.again = true
	case !e.waiting:
		e.waiting = true
		q.ready = append(q.ready, key)
		q.poke()
	}
}

// Later makes key ready after d, unless it will be sooner. It must be called by a
// worker; the end of ctx or of Run's ends the waiting.
func (q *Queue) Later(ctx context.Context, key domain.ContainerID, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e, at := q.entry(key), q.clock.Now().Add(d)
	if e.delay != nil {
		if !e.delay.at.After(at) {
			return
		}
		close(e.delay.cancel)
	}
	wait := &delay{at: at, cancel: make(chan struct{})}
	e.delay = wait
	fired, stop := q.clock.After(d)
	q.timers.Go(func() {
		defer stop()
		select {
		case <-fired:
			q.due(key, wait)
		case <-wait.cancel:
		case <-q.ended:
		case <-ctx.Done():
		}
	})
}

func (q *Queue) due(key domain.ContainerID, wait *delay) {
	q.mu.Lock()
	current := q.entry(key).delay == wait
	if current {
		q.entry(key).delay = nil
	}
	q.mu.Unlock()
	if current {
		q.Add(key)
	}
}

// Run hands out keys until ctx ends, then drops what is to come later and waits for
// the workers. work gets its own context, which outlives ctx so that a step can be
// finished. It is called once.
func (q *Queue) Run(ctx, workCtx context.Context, work func(ctx context.Context, key domain.ContainerID)) {
	var workers sync.WaitGroup
	defer q.timers.Wait()
	defer workers.Wait()
	defer close(q.ended)
	for {
		key, ok := q.next(ctx)
		if ok {
			workers.Go(func() {
				work(workCtx, key)
				q.done(key)
			})
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-q.changed:
		}
	}
}

func (q *Queue) next(ctx context.Context) (domain.ContainerID, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if ctx.Err() != nil || q.running >= q.slots || len(q.ready) == 0 {
		return "", false
	}
	key := q.ready[0]
	q.ready = q.ready[1:]
	e := q.entry(key)
	e.waiting, e.running = false, true
	q.running++
	return key, true
}

func (q *Queue) done(key domain.ContainerID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.entry(key)
	e.running = false
	q.running--
	if e.again {
		e.again, e.waiting = false, true
		q.ready = append(q.ready, key)
	}
	if !e.waiting && e.delay == nil {
		delete(q.entries, key)
	}
	q.poke()
}

func (q *Queue) entry(key domain.ContainerID) *entry {
	e := q.entries[key]
	if e == nil {
		e = &entry{}
		q.entries[key] = e
	}
	return e
}

func (q *Queue) poke() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}
