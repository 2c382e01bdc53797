package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// stage makes the object that holds the namespace, so that a member can be created
// for it before it lives. It is undone by dissolve.
func (s *Steps) stage(ctx context.Context, _ plan.Step, job *agent.Job) error {
	return sandboxBy(ctx, job, failpoint.SandboxStage, func(ctx context.Context) (agent.Object, error) {
		return s.deps.Engine.Sandboxes().Stage(ctx, sandboxSpec(job.Assignment))
	})
}

// sandbox makes the namespace that the members join. It is undone by dissolve.
func (s *Steps) sandbox(ctx context.Context, _ plan.Step, job *agent.Job) error {
	return sandboxBy(ctx, job, failpoint.SandboxEnsure, func(ctx context.Context) (agent.Object, error) {
		spec := sandboxSpec(job.Assignment)
		spec.Staged = job.Sandbox()
		return s.deps.Engine.Sandboxes().Ensure(ctx, spec)
	})
}

func sandboxBy(ctx context.Context, job *agent.Job, window failpoint.Name, act func(context.Context) (agent.Object, error)) error {
	return failpoint.Around(window, func() error {
		o, err := act(ctx)
		if err != nil {
			return err
		}
		job.SetSandbox(o)
		return nil
	})
}

func sandboxSpec(want domain.Assignment) agent.SandboxSpec {
	return agent.SandboxSpec{Container: want.Container, Hostname: want.Spec.Hostname, Runtime: want.Spec.Runtime}
}
