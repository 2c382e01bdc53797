package loops

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Release ends what the hosts let go of: the deletes whose host holds nothing more,
// and the interfaces that are unplugged. First goes what lies outside the database,
// last the row, so that a crash in between is found by the row.
func (l *Loops) Release(ctx context.Context) (int, error) {
	mandates, err := l.lease(ctx, domain.ActionReleased)
	if err != nil {
		return 0, err
	}
	return each(mandates, func(m mandate) (bool, error) {
		return true, wrap("release "+string(m.Container), l.release(ctx, m.Action, m.row))
	})
}

func (l *Loops) release(ctx context.Context, a domain.Action, row domain.Container) error {
	var nics []domain.Nic // of a delete: whatever there is, also of an attach that it outran
	if a.Verb != domain.VerbDelete {
		nics = []domain.Nic{*a.Args.Gone}
	}
	err := failpoint.Around(failpoint.ReleasePorts, func() error {
		bound, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		if err := l.networking.Release(bound, row.ID, nics); err != nil || a.Verb != domain.VerbDelete {
			return err
		}
		return l.releaseVolumes(bound, row)
	})
	if err != nil {
		return l.releaseLater(ctx, a, err)
	}
	if a.Verb != domain.VerbDelete {
		return l.detached(ctx, a)
	}
	return failpoint.Around(failpoint.ReleaseRow, func() error {
		return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
			row, ours, err := held(ctx, t, a)
			if err != nil || !ours {
				return err
			}
			if err := t.GiveBack(ctx, &row); err != nil {
				return err
			}
			if err := t.Containers().Tombstones().Drop(ctx, row.ID); err != nil {
				return err
			}
			return t.Erase(ctx, row)
		})
	})
}

func (l *Loops) releaseVolumes(ctx context.Context, row domain.Container) error {
	if l.volumes == nil || len(row.Volumes) == 0 {
		return nil
	}
	return l.volumes.Release(ctx, row.ID, row.Volumes)
}

// detached ends a detach, and an attach that failed and whose port is given back.
func (l *Loops) detached(ctx context.Context, a domain.Action) error {
	return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		row, ours, err := held(ctx, t, a)
		if err != nil || !ours {
			return err
		}
		return t.Close(ctx, &row, a, control.Outcome{Done: a.Verb == domain.VerbNetworkDetach, Reason: a.Reason})
	})
}

func (l *Loops) releaseLater(ctx context.Context, a domain.Action, cause error) error {
	l.log.WarnContext(ctx, "resources not released, trying again later", "container", a.Container, "error", cause.Error())
	return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		row, ours, err := held(ctx, t, a)
		if err != nil || !ours {
			return err
		}
		if a.Verb == domain.VerbDelete {
			return t.RetryDelete(ctx, &row, a, domain.AsFault(cause).Message)
		}
		return t.Retry(ctx, a, a.State, a.Reason) // why an attach failed is what its user shall read
	})
}
