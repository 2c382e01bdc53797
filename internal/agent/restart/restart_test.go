package restart_test

import (
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent/restart"
	"github.com/go-zun/zun/internal/domain"
)

func TestRestart(t *testing.T) {
	t.Parallel()
	const brief, long = time.Second, 10 * time.Second
	policy := func(name string, retries int) domain.RestartPolicy {
		return domain.RestartPolicy{Name: name, MaxRetries: retries}
	}
	tests := []struct {
		name   string
		policy domain.RestartPolicy
		tally  restart.Tally
		end    restart.Ending
		again  bool
		delay  time.Duration
		count  int
	}{
		{"no policy", policy("", 0), restart.Tally{}, restart.Ending{ExitCode: 1}, false, 0, 0},
		{"no", policy("no", 0), restart.Tally{}, restart.Ending{ExitCode: 1}, false, 0, 0},
		{"an unknown word is no", policy("sometimes", 0), restart.Tally{}, restart.Ending{ExitCode: 1}, false, 0, 0},
		{"always after success", policy("always", 0), restart.Tally{}, restart.Ending{Ran: brief}, true, 100 * time.Millisecond, 1},
		{"always but stopped on request", policy("always", 0), restart.Tally{}, restart.Ending{Explicit: true}, false, 0, 0},
		{"unless-stopped", policy("unless-stopped", 0), restart.Tally{}, restart.Ending{}, true, 100 * time.Millisecond, 1},
		{"unless-stopped and stopped", policy("unless-stopped", 0), restart.Tally{}, restart.Ending{Explicit: true}, false, 0, 0},
		{"on-failure after success", policy("on-failure", 3), restart.Tally{}, restart.Ending{}, false, 0, 0},
		{"on-failure after failure", policy("on-failure", 3), restart.Tally{}, restart.Ending{ExitCode: 2}, true, 100 * time.Millisecond, 1},
		{"on-failure for the last time", policy("on-failure", 3), restart.Tally{Count: 2, Delay: brief}, restart.Ending{ExitCode: 2}, true, 2 * time.Second, 3},
		{"on-failure too often", policy("on-failure", 3), restart.Tally{Count: 3, Delay: brief}, restart.Ending{ExitCode: 2}, false, time.Second, 3},
		{"on-failure without a bound", policy("on-failure", 0), restart.Tally{Count: 99, Delay: brief}, restart.Ending{ExitCode: 2}, true, 2 * time.Second, 100},
		{"the wait doubles", policy("always", 0), restart.Tally{Count: 1, Delay: 100 * time.Millisecond}, restart.Ending{Ran: brief}, true, 200 * time.Millisecond, 2},
		{"the wait is bounded", policy("always", 0), restart.Tally{Count: 20, Delay: 50 * time.Second}, restart.Ending{Ran: brief}, true, time.Minute, 21},
		{"a long run resets the wait, not the count", policy("always", 0), restart.Tally{Count: 20, Delay: time.Minute}, restart.Ending{Ran: long}, true, 100 * time.Millisecond, 21},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tally, again := restart.Judge(test.policy, test.tally, test.end)
			if again != test.again || tally.Delay != test.delay || tally.Count != test.count {
				t.Errorf("got %v %+v, want %v count %d delay %v", again, tally, test.again, test.count, test.delay)
			}
		})
	}
}
