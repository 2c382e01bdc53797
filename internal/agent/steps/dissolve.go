package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// dissolve removes the sandbox, after its members and interfaces.
func (s *Steps) dissolve(ctx context.Context, _ plan.Step, job *agent.Job) error {
	return failpoint.Around(failpoint.SandboxRemove, func() error {
		if err := s.deps.Engine.Sandboxes().Remove(ctx, job.Assignment.Container); err != nil {
			return err
		}
		job.SetSandbox(agent.Object{})
		return nil
	})
}
