package steps

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// engineGrace asks for the engine's own time between the stop signal and the kill.
const engineGrace = -time.Second

// stop asks the process to end and waits for it.
func (s *Steps) stop(ctx context.Context, step plan.Step, job *agent.Job) error {
	grace := engineGrace
	if op := job.Assignment.Op; op != nil && op.Args.TimeoutSeconds != nil {
		grace = time.Duration(*op.Args.TimeoutSeconds) * time.Second
	}
	return failpoint.Around(failpoint.MemberStop, func() error {
		defer job.Disturb()
		return s.deps.Engine.Members().Stop(ctx, target(step, job), grace)
	})
}
