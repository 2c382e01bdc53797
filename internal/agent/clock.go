package agent

import (
	"math/rand/v2"
	"time"
)

// Clock is time and chance as the agent meets them, so that a test can step both.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives once d has passed, and a function that
	// frees the timer when nobody waits any more.
	After(d time.Duration) (fired <-chan time.Time, stop func())
	// Spread returns d less a random part of at most a tenth, so that hosts that
	// started together do not call together for ever.
	Spread(d time.Duration) time.Duration
}

// SystemClock returns the machine's clock.
func SystemClock() Clock { return systemClock{} }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().UTC() }

func (systemClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

func (systemClock) Spread(d time.Duration) time.Duration {
	tenth := int64(d / 10)
	if tenth <= 0 {
		return d
	}
	return d - time.Duration(rand.Int64N(tenth)) //nolint:gosec // spreading load needs no secret
}
