package steps

import (
	"context"
	"path/filepath"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/failpoint"
)

// create makes the engine object of the assignment's generation, not started. It is
// undone by remove.
func (s *Steps) create(ctx context.Context, _ plan.Step, job *agent.Job) error {
	want, dir := job.Assignment, s.dir(job.Assignment.Container)
	mounted, err := s.mounted(ctx, want)
	if err != nil {
		return err
	}
	return failpoint.Around(failpoint.MemberCreate, func() error {
		o, err := s.deps.Engine.Members().Create(ctx, agent.MemberSpec{
			Container:    want.Container,
			ProjectID:    want.ProjectID,
			Generation:   want.Generation,
			Sandbox:      job.Sandbox(),
			Spec:         want.Spec,
			ImageID:      job.ImageID(),
			CPUSet:       want.CPUSet,
			HostsFile:    filepath.Join(dir, hostsFile),
			ResolvFile:   filepath.Join(dir, resolvFile),
			HostnameFile: filepath.Join(dir, hostnameFile),
			Binds:        append(s.injected(want), mounted...),
		})
		if err != nil {
			return err
		}
		job.SetMember(o)
		return nil
	})
}
