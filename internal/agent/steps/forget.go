package steps

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// forget removes the container's files.
func (s *Steps) forget(_ context.Context, _ plan.Step, job *agent.Job) error {
	return failpoint.Around(failpoint.FilesForget, func() error {
		if err := os.RemoveAll(s.dir(job.Assignment.Container)); err != nil {
			return diskFault(err)
		}
		return nil
	})
}

// diskFault puts a failure of the host's own disk in words for the user; the path
// stays in the log.
func diskFault(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return domain.WrapFault(err, domain.Invalid, "disk-full", "the host's disk is full")
	}
	return domain.WrapFault(err, domain.Internal, "state-files", "the host could not keep the container's files")
}
