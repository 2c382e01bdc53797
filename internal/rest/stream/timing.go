package stream

import "time"

// Timing bounds a stream. The zero value takes the documented defaults.
type Timing struct {
	Longest  time.Duration // of a stream
	Recheck  time.Duration // how often the right to follow is looked at again
	Alive    time.Duration // how long the stream may be silent
	Patience time.Duration // how long the client may take nothing
}

// WithDefaults fills in what is not set.
func (t Timing) WithDefaults() Timing {
	return Timing{
		Longest: orElse(t.Longest, 4*time.Hour), Recheck: orElse(t.Recheck, time.Minute),
		Alive: orElse(t.Alive, 15*time.Second), Patience: orElse(t.Patience, 30*time.Second),
	}
}

func orElse(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}
