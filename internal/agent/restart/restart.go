// Package restart is the one restart policy for all engines: it decides, and does nothing.
package restart

import (
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// The back-off between restarts: it doubles from the first to the longest, and
// begins anew after a process that ran long enough to count as healthy.
const (
	firstDelay   = 100 * time.Millisecond
	longestDelay = time.Minute
	healthyRun   = 10 * time.Second
)

// Tally is what the agent remembers of one container's restarts since it was last
// started on request.
type Tally struct {
	Count int           // restarts made by policy
	Delay time.Duration // the wait before the last of them
}

// Ending is how a process ended.
type Ending struct {
	ExitCode int
	Ran      time.Duration
	Explicit bool // somebody asked for the end: a stop or a kill
}

// Judge says by policy whether a process that ended is started again, and
// returns the tally to remember once it was; its Delay is the wait, counted from
// the end. An explicit stop is never undone by a policy.
func Judge(policy domain.RestartPolicy, tally Tally, end Ending) (Tally, bool) {
	if end.Explicit || !wanted(policy, tally, end) {
		return tally, false
	}
	return Tally{Count: tally.Count + 1, Delay: nextDelay(tally.Delay, end.Ran)}, true
}

// Heal returns the tally to remember once a process that ran for ran and was found
// unhealthy is begun anew; its Delay is the least time from one start to the next, so
// that a check that can never succeed does not keep the host busy.
func Heal(tally Tally, ran time.Duration) Tally {
	return Tally{Count: tally.Count + 1, Delay: nextDelay(tally.Delay, ran)}
}

func wanted(policy domain.RestartPolicy, tally Tally, end Ending) bool {
	switch policy.Name {
	case "always", "unless-stopped":
		return true
	case "on-failure":
		return end.ExitCode != 0 && (policy.MaxRetries == 0 || tally.Count < policy.MaxRetries)
	default:
		return false
	}
}

func nextDelay(last, ran time.Duration) time.Duration {
	if last == 0 || ran >= healthyRun {
		return firstDelay
	}
	return min(2*last, longestDelay)
}
