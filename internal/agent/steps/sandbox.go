package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/failpoint"
)

// sandbox makes the namespace that the members join. It is undone by dissolve.
func (s *Steps) sandbox(ctx context.Context, _ agent.Step, job *agent.Job) error {
	want := job.Assignment
	return failpoint.Around(failpoint.SandboxEnsure, func() error {
		o, err := s.deps.Engine.Sandboxes().Ensure(ctx, agent.SandboxSpec{
			Container: want.Container, Hostname: want.Spec.Hostname, Runtime: want.Spec.Runtime,
		})
		if err != nil {
			return err
		}
		job.SetSandbox(o)
		return nil
	})
}
