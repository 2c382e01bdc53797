package agent_test

import (
	"sync"
	"time"
)

// noon is when the clocks of these tests begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stepClock is a clock that moves only when the test steps it.
type stepClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[chan time.Time]time.Time
}

func newStepClock() *stepClock {
	return &stepClock{now: noon, timers: map[chan time.Time]time.Time{}}
}

func (c *stepClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stepClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fired := make(chan time.Time, 1)
	if d <= 0 {
		fired <- c.now
		return fired, func() {}
	}
	c.timers[fired] = c.now.Add(d)
	return fired, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, fired)
	}
}

func (c *stepClock) Spread(d time.Duration) time.Duration { return d }

// step moves the clock by d and fires what is due.
func (c *stepClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for fired, at := range c.timers {
		if !at.After(c.now) {
			delete(c.timers, fired)
			fired <- c.now
		}
	}
}
