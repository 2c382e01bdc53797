package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// pause freezes the process. It is undone by unpause.
func (s *Steps) pause(ctx context.Context, step plan.Step, job *agent.Job) error {
	o := target(step, job)
	return failpoint.Around(failpoint.MemberPause, func() error {
		if err := s.deps.Engine.Members().Pause(ctx, o); err != nil {
			return err
		}
		becomes(job, o, func(state *domain.Observation) { state.Status = domain.Paused })
		return nil
	})
}
