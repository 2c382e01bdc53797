package steps

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// commit makes the image that the action names, once. One that a former run of the
// agent had begun is not made again: what the engine has of it is the answer.
func (s *Steps) commit(ctx context.Context, step plan.Step, job *agent.Job) error {
	committer, able := s.deps.Engine.(agent.Committer)
	if !able {
		return domain.NewFault(domain.Unsupported, "unsupported", "this host's engine cannot make images of containers")
	}
	op := job.Assignment.Op
	if op.Begun {
		return s.judge(ctx, committer, step, job)
	}
	// A delete cancels the commit while the engine goes on with it: who is then told to
	// remove what it left must not do so before it is there.
	defer s.deps.Images.Making(domain.OwnReference(op.Args.ImageID))()
	return failpoint.Around(failpoint.MemberCommit, func() error {
		image, err := committer.Commit(ctx, target(step, job), agent.Snapshot{Image: op.Args.ImageID, ProjectID: job.Assignment.ProjectID})
		if err == nil {
			job.SetImage(image)
		}
		return err
	})
}

// judge looks for the image by its label. A process that is still frozen although
// nobody asked for it is one of which the engine still makes the image: that is waited
// for, as an engine that does not answer is.
func (s *Steps) judge(ctx context.Context, committer agent.Committer, step plan.Step, job *agent.Job) error {
	image, err := committer.Committed(ctx, job.Assignment.Op.Args.ImageID)
	switch {
	case err == nil:
		job.SetImage(image)
		return nil
	case !domain.IsKind(err, domain.NotFound):
		return err
	case target(step, job).State.Status == domain.Paused && !job.Assignment.Want.Paused:
		return domain.NewFault(domain.Unavailable, "commit-under-way", "outcome unknown: the engine still makes the image")
	default:
		return domain.NewFault(domain.Conflict, "outcome-unknown", "outcome unknown: the host's agent ended while the image was made, and it is not there")
	}
}
