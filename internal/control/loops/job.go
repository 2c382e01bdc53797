// Package loops makes intent true in the background. Each loop is a job with one
// step that can be tested by itself; the runner gives every job its interval, its
// bell and its metrics. Work is taken by lease or by compare-and-set, so any number
// of replicas may run the same loops.
package loops

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/hints"
)

// Job is one loop.
type Job struct {
	Name string
	// Step does what is to be done now and returns how many things it did.
	Step func(ctx context.Context) (did int, err error)
	// Every is the longest pause between two steps; Bell, if any, ends it early.
	Every time.Duration
	Bell  hints.Bell
	// Batch is the most that one step takes; a step that was full is followed by
	// another at once. 0: a step does all there is.
	Batch int
	// Workers run the job side by side; 0 is one.
	Workers int
	// Bound ends a step that hangs; 0 is five minutes.
	Bound time.Duration
}

// Meter receives what the runner measures of every job.
type Meter interface {
	// Count adds n to the counter name ("done", "failed") of job.
	Count(job, name string, n int)
	// Observe adds the duration of one step of job, in seconds, to its histogram.
	Observe(job string, seconds float64)
}

// stepBound ends a step that hangs; every call within has a shorter bound of its own.
const stepBound = 5 * time.Minute

// runner runs jobs until its context ends.
type runner struct {
	meter Meter
	log   *slog.Logger
}

// run returns once ctx has ended and every worker of every job has returned.
func (r runner) run(ctx context.Context, jobs []Job) {
	var workers sync.WaitGroup
	for _, job := range jobs {
		for range max(1, job.Workers) {
			workers.Go(func() { r.work(ctx, job) })
		}
	}
	workers.Wait()
}

func (r runner) work(ctx context.Context, job Job) {
	pause := time.NewTimer(job.Every)
	defer pause.Stop()
	for ctx.Err() == nil {
		if r.step(ctx, job) {
			continue
		}
		pause.Reset(job.Every)
		select {
		case <-ctx.Done():
		case <-pause.C:
		case <-job.Bell:
		}
	}
}

// step runs one step and says whether another must follow at once.
func (r runner) step(ctx context.Context, job Job) bool {
	longest := job.Bound
	if longest == 0 {
		longest = stepBound
	}
	bound, cancel := context.WithTimeout(control.Patiently(ctx), longest)
	defer cancel()
	begun := time.Now()
	did, err := job.Step(bound)
	r.meter.Observe(job.Name, time.Since(begun).Seconds())
	r.meter.Count(job.Name, "done", did)
	if err != nil && ctx.Err() == nil {
		r.meter.Count(job.Name, "failed", 1)
		r.log.ErrorContext(ctx, "loop failed, it will try again", "loop", job.Name, "error", err.Error())
	}
	return err == nil && job.Batch > 0 && did >= job.Batch
}

// each runs fn for all items side by side and returns how many returned true and
// the first error. Callers bound the number of items.
func each[T any](items []T, fn func(T) (bool, error)) (did int, err error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, item := range items {
		wait.Go(func() {
			ok, failure := fn(item)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				did++
			}
			if failure != nil && err == nil {
				err = failure
			}
		})
	}
	wait.Wait()
	return did, err
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", verb, err)
}
