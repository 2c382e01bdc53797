package queue

import "time"

// Backoff doubles a wait from First to Longest.
type Backoff struct {
	First, Longest time.Duration
	last           time.Duration
}

// Next returns the wait before the next try.
func (b *Backoff) Next() time.Duration {
	b.last = min(max(2*b.last, b.First), b.Longest)
	return b.last
}

// Reset begins anew, after a success.
func (b *Backoff) Reset() { b.last = 0 }
