package hints

import "sync"

// Waiters tells the requests of this process that an action has ended.
type Waiters struct {
	mu      sync.Mutex
	waiting map[int64][]chan struct{}
}

// NewWaiters returns waiters of whom nobody waits yet.
func NewWaiters() *Waiters { return &Waiters{waiting: map[int64][]chan struct{}{}} }

// Listen returns a channel that closes when action ends in this process, and the
// function that stops listening.
func (w *Waiters) Listen(action int64) (ended <-chan struct{}, stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := make(chan struct{})
	w.waiting[action] = append(w.waiting[action], ch)
	return ch, func() { w.forget(action, ch) }
}

func (w *Waiters) forget(action int64, ch chan struct{}) {
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

// Tell tells those who wait for action that it has ended.
func (w *Waiters) Tell(action int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.waiting[action] {
		close(ch)
	}
	delete(w.waiting, action)
}
