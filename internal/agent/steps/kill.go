package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// kill sends the signal once. It cannot be undone and is never repeated.
func (s *Steps) kill(ctx context.Context, step plan.Step, job *agent.Job) error {
	signal := "SIGKILL"
	if op := job.Assignment.Op; op != nil && op.Args.Signal != "" {
		signal = op.Args.Signal
	}
	return failpoint.Around(failpoint.MemberKill, func() error {
		defer job.Disturb()
		return s.deps.Engine.Members().Kill(ctx, target(step, job), signal)
	})
}
