package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// update gives the object the limits that the action names. A repeat sets the same
// limits again.
func (s *Steps) update(ctx context.Context, step plan.Step, job *agent.Job) error {
	spec := job.Assignment.Spec
	if op := job.Assignment.Op; op != nil {
		if op.Args.CPU != nil {
			spec.CPU = *op.Args.CPU
		}
		if op.Args.MemoryMB != nil {
			spec.MemoryMB = *op.Args.MemoryMB
		}
	}
	return failpoint.Around(failpoint.MemberUpdate, func() error {
		return s.deps.Engine.Members().Update(ctx, target(step, job), spec)
	})
}
