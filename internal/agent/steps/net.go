package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// rules makes ahead what the step's interfaces need on the host, while their sandbox comes
// to life. It is undone by unplug.
func (s *Steps) rules(ctx context.Context, step plan.Step, _ *agent.Job) error {
	ahead, can := s.deps.Nets.(agent.Preparer)
	if !can {
		return nil
	}
	for _, nic := range step.Nics {
		err := failpoint.Around(failpoint.NetRules, func() error { return ahead.Prepare(ctx, nic) })
		if err != nil {
			return err
		}
	}
	return nil
}

// net plugs the step's interfaces, in order, into the living sandbox, each as eth
// and its number. It is undone by unplug.
func (s *Steps) net(ctx context.Context, step plan.Step, job *agent.Job) error {
	netns := job.Sandbox().NetNS
	if netns == "" {
		return domain.NewFault(domain.Unavailable, "no-sandbox", "the sandbox ended before its network was plugged")
	}
	plugged := job.Plugged()
	for _, nic := range step.Nics {
		if slices.Contains(plugged, nic.PortID) {
			continue
		}
		if err := s.plug(ctx, job, netns, fmt.Sprintf("eth%d", nic.Index), nic); err != nil {
			return err
		}
	}
	return nil
}

func (s *Steps) plug(ctx context.Context, job *agent.Job, netns, name string, nic domain.Nic) error {
	return failpoint.Around(failpoint.NetPlug, func() error {
		if err := s.deps.Nets.Plug(ctx, job.Assignment.Container, netns, name, nic); err != nil {
			return err
		}
		job.SetPlugged(nic.PortID, true)
		return nil
	})
}
