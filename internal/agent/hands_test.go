package agent_test

import (
	"context"
	"sync"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
)

func isMember(o agent.Object) bool { return !o.Sandbox }

// handsFunc is Hands made of a function.
type handsFunc func(ctx context.Context, step plan.Step, job *agent.Job) error

func (f handsFunc) Do(ctx context.Context, step plan.Step, job *agent.Job) error {
	return f(ctx, step, job)
}

// gatedHands hold a step back until gate is closed.
func gatedHands(gate <-chan struct{}, kind plan.StepKind) func(agent.Hands) agent.Hands {
	return func(hands agent.Hands) agent.Hands {
		return handsFunc(func(ctx context.Context, step plan.Step, job *agent.Job) error {
			if step.Kind == kind {
				select {
				case <-gate:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return hands.Do(ctx, step, job)
		})
	}
}

// crashingHands stop for ever at the first step of kind, before or after its
// effect, as a process does that was killed there; crashed is told. Nothing else
// of the plan gets out, because lost is called first.
func crashingHands(kind plan.StepKind, after bool, lost func(), crashed chan<- struct{}) func(agent.Hands) agent.Hands {
	var once sync.Once
	return func(hands agent.Hands) agent.Hands {
		return handsFunc(func(ctx context.Context, step plan.Step, job *agent.Job) error {
			if step.Kind != kind {
				return hands.Do(ctx, step, job)
			}
			if after {
				if err := hands.Do(ctx, step, job); err != nil {
					return err
				}
			}
			once.Do(func() {
				lost()
				close(crashed)
			})
			<-ctx.Done()
			return ctx.Err()
		})
	}
}
