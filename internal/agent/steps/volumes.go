package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// volumes mounts what the assignment brings, and makes what was never made. It is
// undone by raze.
func (s *Steps) volumes(ctx context.Context, _ plan.Step, job *agent.Job) error {
	_, err := s.mounted(ctx, job.Assignment)
	return err
}

// mounted are the binds of the volumes, all of them mounted.
func (s *Steps) mounted(ctx context.Context, want domain.Assignment) ([]agent.Bind, error) {
	binds := make([]agent.Bind, 0, len(want.Volumes))
	for _, v := range want.Volumes {
		if s.deps.Mounts == nil {
			return nil, noMounts()
		}
		err := failpoint.Around(failpoint.VolumeMake, func() error {
			path, err := s.deps.Mounts.Mount(ctx, want.Container, v)
			binds = append(binds, agent.Bind{Source: path, Target: v.Destination})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return binds, nil
}

// raze destroys the volumes of the container.
func (s *Steps) raze(ctx context.Context, _ plan.Step, job *agent.Job) error {
	for _, v := range job.Assignment.Volumes {
		if s.deps.Mounts == nil {
			return noMounts()
		}
		err := failpoint.Around(failpoint.VolumeRemove, func() error {
			return s.deps.Mounts.Remove(ctx, job.Assignment.Container, v)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func noMounts() error {
	return domain.NewFault(domain.Unsupported, "no-volumes", "volumes of a size are switched off on the host")
}
