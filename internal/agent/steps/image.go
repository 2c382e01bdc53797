package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// image makes the image usable as the pull policy says. It is not undone: other
// containers may use the same image by then.
func (s *Steps) image(ctx context.Context, _ agent.Step, job *agent.Job) error {
	spec, images := job.Assignment.Spec, s.deps.Engine.Images()
	if spec.PullPolicy == domain.PullIfNotPresent || spec.PullPolicy == domain.PullNever {
		present, err := images.Present(ctx, spec.Image)
		if err != nil || present {
			return err
		}
		if spec.PullPolicy == domain.PullNever {
			return domain.NewFault(domain.NotFound, "image-not-found",
				"Image %s is not on the host and the pull policy is never", spec.Image)
		}
	}
	return failpoint.Around(failpoint.ImagePull, func() error {
		return images.Pull(ctx, spec.Image, job.Assignment.Secret, job.Progress)
	})
}
