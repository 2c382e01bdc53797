package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// confine moves the member to the CPUs of the assignment, or to all of the host. A repeat
// moves it there again.
func (s *Steps) confine(ctx context.Context, step plan.Step, job *agent.Job) error {
	confiner, able := s.deps.Engine.(agent.Confiner)
	if !able {
		return domain.NewFault(domain.Unsupported, "unsupported", "this host's engine cannot move containers to other CPUs")
	}
	o, cpus := target(step, job), job.Assignment.CPUSet
	if cpus.CPUs == "" {
		cpus.CPUs = s.deps.CPUs
	}
	return failpoint.Around(failpoint.MemberConfine, func() error {
		if err := confiner.Confine(ctx, o, cpus); err != nil {
			return err
		}
		o.CPUSet = job.Assignment.CPUSet
		job.SetMember(o)
		return nil
	})
}
