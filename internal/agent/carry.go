package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

// stepError tells which step failed.
type stepError struct {
	kind plan.StepKind
	err  error
}

func (e *stepError) Error() string { return fmt.Sprintf("step %s: %v", e.kind, e.err) }
func (e *stepError) Unwrap() error { return e.err }

// errEnding is why a plan is left half done when the agent is asked to end.
var errEnding = errors.New("the agent is ending")

// carryOut does the steps of p in order, those beside each other at once, and
// returns the first failure after everything under way has ended.
func (a *Agent) carryOut(ctx context.Context, p plan.Plan, job *Job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	aside := map[plan.StepKind]*besideStep{}
	var err error
	for _, step := range p.Steps {
		before := besides(aside, step.Waits)
		if step.Beside {
			aside[step.Kind] = a.doBeside(ctx, step, job, before)
			continue
		}
		if err = waitFor(before); err == nil {
			err = a.do(ctx, step, job)
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		cancel() // what runs beside need not be finished for a plan that failed
	}
	for _, b := range aside {
		if failure := b.wait(); err == nil {
			err = failure
		}
	}
	return err
}

type besideStep struct {
	done sync.WaitGroup
	err  error
}

func (b *besideStep) wait() error {
	b.done.Wait()
	return b.err
}

// doBeside starts a step that begins when those before it are done.
func (a *Agent) doBeside(ctx context.Context, step plan.Step, job *Job, before []*besideStep) *besideStep {
	b := &besideStep{}
	b.done.Go(func() {
		if b.err = waitFor(before); b.err == nil {
			b.err = a.do(ctx, step, job)
		}
	})
	return b
}

// besides are those of aside that have one of kinds.
func besides(aside map[plan.StepKind]*besideStep, kinds []plan.StepKind) []*besideStep {
	var found []*besideStep
	for _, kind := range kinds {
		if b := aside[kind]; b != nil {
			found = append(found, b)
		}
	}
	return found
}

// waitFor returns the first failure of steps, without waiting for those after it.
func waitFor(steps []*besideStep) error {
	for _, b := range steps {
		if err := b.wait(); err != nil {
			return err
		}
	}
	return nil
}

// do does one step within its bound, unless the agent is asked to end before it.
// A pull is also cut short then, and when the container is to go: it may take an hour, and
// the engine keeps the layers it has.
func (a *Agent) do(ctx context.Context, step plan.Step, job *Job) error {
	select {
	case <-a.ending:
		return errEnding
	default:
	}
	bound := a.opt.StepTimeout
	switch step.Kind {
	case plan.StepImage:
		bound = a.opt.PullTimeout
		var cancel context.CancelFunc
		ctx, cancel = a.untilMoot(ctx, job.Assignment.Container)
		defer cancel()
	case plan.StepCommit:
		bound = a.opt.PullTimeout // it copies as much as a pull does
	case plan.StepStop:
		bound += graceOf(job.Assignment.Op)
	case plan.StepNet:
		a.wires.RLock()
		defer a.wires.RUnlock()
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	err := a.hands.Do(ctx, step, job)
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = domain.WrapFault(err, domain.Timeout, "step-timeout", "the host needed longer than %s for the step %s", bound, step.Kind)
	}
	return &stepError{kind: step.Kind, err: err}
}

// untilMoot returns a context that also ends when the agent is asked to, and when the
// container id is to go.
func (a *Agent) untilMoot(ctx context.Context, id domain.ContainerID) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	var doomed <-chan struct{}
	if c := a.ledger.find(id); c != nil {
		doomed = c.doomed
	}
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-a.ending:
			cancel()
		case <-doomed:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watcher.Wait()
	}
}

// unmake leaves nothing of what a failed action half made, and returns what stood
// before. It looks anew, because a failed step may have left more than the job knows.
func (a *Agent) unmake(ctx context.Context, c *charge, want domain.Assignment) ([]Object, error) {
	objects, err := a.inspect(ctx, c)
	if err != nil {
		return nil, err
	}
	have := plan.Have{Objects: objects}
	for port := range c.course.plugs {
		have.Plugged = append(have.Plugged, port)
	}
	job := NewJob(want, have, nil)
	undo := plan.Plan{Steps: plan.Unmaking(want, have)}
	err = a.carryOut(ctx, undo, job)
	t := &task{charge: c, want: want, plan: undo, job: job}
	a.remember(t)
	return objects, err
}
