package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// remove takes one engine object away, running or not.
func (s *Steps) remove(ctx context.Context, step plan.Step, job *agent.Job) error {
	o := target(step, job)
	if o.EngineID == "" {
		return nil
	}
	return failpoint.Around(failpoint.MemberRemove, func() error {
		if err := s.deps.Engine.Members().Remove(ctx, o); err != nil {
			return err
		}
		if job.Member().EngineID == o.EngineID {
			job.SetMember(agent.Object{})
		}
		return nil
	})
}
