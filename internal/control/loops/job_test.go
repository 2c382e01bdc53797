package loops

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control/hints"
)

type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) Count(job, name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[job+" "+name] += n
}

func (c *counts) Observe(job string, _ float64) { c.Count(job, "steps", 1) }

// runUntil runs job until its step has run as often as enough says, and returns
// what was measured.
func runUntil(t *testing.T, job Job, enough int32) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var steps atomic.Int32
	step := job.Step
	job.Step = func(ctx context.Context) (int, error) {
		if steps.Add(1) == enough {
			defer cancel()
		}
		return step(ctx)
	}
	measured := &counts{of: map[string]int{}}
	runner{meter: measured, log: slog.New(slog.DiscardHandler)}.run(ctx, []Job{job})
	if got := steps.Load(); got != enough {
		t.Errorf("%d steps in time, want %d", got, enough)
	}
	return measured.of
}

func TestAFullStepIsFollowedAtOnce(t *testing.T) {
	left := 5
	got := runUntil(t, Job{Name: "j", Every: time.Hour, Batch: 2, Step: func(context.Context) (int, error) {
		did := min(2, left)
		left -= did
		return did, nil
	}}, 3)
	if got["j done"] != 5 || got["j steps"] != 3 {
		t.Errorf("measured %v", got)
	}
}

func TestAFailedStepIsCountedAndRepeatedAfterAPause(t *testing.T) {
	got := runUntil(t, Job{Name: "j", Every: time.Millisecond, Batch: 1, Step: func(context.Context) (int, error) {
		return 1, errors.New("no")
	}}, 3)
	if got["j failed"] < 2 {
		t.Errorf("measured %v", got)
	}
}

func TestABellEndsThePause(t *testing.T) {
	bell := make(hints.Bell, 1)
	bell.Ring()
	bell.Ring() // once more is once
	runUntil(t, Job{Name: "j", Every: time.Hour, Bell: bell, Step: func(context.Context) (int, error) { return 0, nil }}, 2)
}

func TestWorkersRunSideBySide(t *testing.T) {
	var meet sync.WaitGroup
	meet.Add(2)
	runUntil(t, Job{Name: "j", Every: time.Hour, Workers: 2, Step: func(context.Context) (int, error) {
		meet.Done()
		meet.Wait() // returns only if the other worker is here too
		return 0, nil
	}}, 2)
}
