package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// unplug removes the host ends of the step's interfaces; the sandbox may be gone.
func (s *Steps) unplug(ctx context.Context, step plan.Step, job *agent.Job) error {
	for _, nic := range step.Nics {
		err := failpoint.Around(failpoint.NetUnplug, func() error {
			if err := s.deps.Nets.Unplug(ctx, job.Assignment.Container, nic); err != nil {
				return err
			}
			job.SetPlugged(nic.PortID, false)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
