package steps

import (
	"context"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// start runs the process. It is the last gate of the rule that no process starts
// in a sandbox that is not plugged. It is undone by stop.
func (s *Steps) start(ctx context.Context, step plan.Step, job *agent.Job) error {
	plugged := job.Plugged()
	for _, nic := range job.Assignment.Nics {
		if !nic.Ready || !slices.Contains(plugged, nic.PortID) {
			return domain.NewFault(domain.Conflict, "not-plugged", "the network port %s is not ready", nic.PortID)
		}
	}
	o := target(step, job)
	return failpoint.Around(failpoint.MemberStart, func() error {
		if err := s.deps.Engine.Members().Start(ctx, o); err != nil {
			return err
		}
		becomes(job, o, func(state *domain.Observation) {
			state.Status, state.ExitCode, state.Reason = domain.Running, nil, ""
			state.StartedAt, state.FinishedAt = time.Time{}, time.Time{} // only the engine knows
			if check := job.Assignment.Spec.Healthcheck; check != nil && check.Test != "" {
				state.Health = "starting"
			}
		})
		return nil
	})
}
