package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// unpause lets the process go on.
func (s *Steps) unpause(ctx context.Context, step plan.Step, job *agent.Job) error {
	o := target(step, job)
	return failpoint.Around(failpoint.MemberUnpause, func() error {
		if err := s.deps.Engine.Members().Unpause(ctx, o); err != nil {
			return err
		}
		becomes(job, o, func(state *domain.Observation) { state.Status = domain.Running })
		return nil
	})
}
