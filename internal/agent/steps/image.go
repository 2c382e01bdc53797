package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

// Images makes images usable.
type Images interface {
	// Ready makes the image of a usable as its pull policy says, for its project, and
	// returns its id; empty: its name is all that it goes by. Faults: NotFound, Forbidden,
	// Unavailable, each with a message for the user.
	Ready(ctx context.Context, a domain.Assignment, progress func(done, total int64)) (id string, err error)
	// Making notes that an image of that name is made here, until made is called.
	Making(reference string) (made func())
}

// image makes the image usable as the pull policy says. It is not undone: other
// containers may use the same image by then.
func (s *Steps) image(ctx context.Context, _ plan.Step, job *agent.Job) error {
	id, err := s.deps.Images.Ready(ctx, job.Assignment, job.Progress)
	job.SetImageID(id)
	return err
}
