package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Report writes down what host hostID tells of one container. Whatever is not of
// the present generation and epoch, or comes from another host than the present,
// changes nothing and answers stale: the agent must read its assignment again. A
// report may be repeated.
func (f *Fleet) Report(ctx context.Context, hostID string, r domain.Report) (stale bool, err error) {
	buried := false
	err = failpoint.Around(failpoint.ReportApply, func() error {
		return f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
			row, err := t.Containers().Get(ctx, control.Everything(), r.Container)
			if domain.IsKind(err, domain.NotFound) {
				stale, buried = true, true
				return nil
			}
			if err != nil {
				return fmt.Errorf("read container %s: %w", r.Container, err)
			}
			stale, buried = row.HostID != hostID || row.Generation != r.Generation, false
			if stale {
				return nil
			}
			stale, err = hear(ctx, t, row, r)
			return err
		})
	})
	if err != nil || !buried {
		return stale, err
	}
	return f.exhume(ctx, hostID, r)
}

// Answer writes down what a host told when it was asked about a container that is
// Unknown. Where it told something by itself meanwhile, that stands: the answer may be
// older, and nobody would correct it.
func (f *Fleet) Answer(ctx context.Context, hostID string, r domain.Report) (stale bool, err error) {
	err = f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		row, err := t.Containers().Get(ctx, control.Everything(), r.Container)
		if domain.IsKind(err, domain.NotFound) {
			stale = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("read container %s: %w", r.Container, err)
		}
		if stale = row.Status != domain.Unknown || row.HostID != hostID || row.Generation != r.Generation; stale {
			return nil
		}
		stale, err = hear(ctx, t, row, r)
		return err
	})
	return stale, err
}

// hear applies a report of the present generation from the present host.
func hear(ctx context.Context, t *control.Turn, row domain.Container, r domain.Report) (stale bool, err error) {
	switch {
	case r.Phase == domain.PhaseObserved:
		return false, hearObserved(ctx, t, row, r)
	case r.Phase == domain.PhaseMissing && r.ActionID == 0:
		return false, hearMissing(ctx, t, row, r)
	}
	a, present, err := presentAction(ctx, t, row, r)
	if err != nil || !present {
		return !present, err
	}
	row.Learn(r.Seen)
	if a.Undoing() && (r.Phase == domain.PhaseFailed || r.Phase == domain.PhaseRefused || r.Phase == domain.PhaseMissing) {
		return false, t.RetryUndo(ctx, &row, a)
	}
	switch r.Phase {
	case domain.PhaseProgress, domain.PhaseBegun:
		return false, hearProgress(ctx, t, &row, a, r)
	case domain.PhaseRefused:
		return false, hearRefused(ctx, t, &row, a, r)
	case domain.PhaseMissing:
		t.Ring(t.Bells().Heal)
		return false, t.Close(ctx, &row, a, control.Outcome{Reason: missingReason(row, r), Lost: true})
	}
	switch {
	case r.Phase == domain.PhaseFailed && a.Verb == domain.VerbDelete:
		return false, t.RetryDelete(ctx, &row, a, r.Message)
	case r.Phase == domain.PhaseFailed:
		return false, t.Close(ctx, &row, a, control.Outcome{Reason: r.Message, Observed: statusOf(r.Seen)})
	case a.Verb == domain.VerbDelete && (r.Phase == domain.PhaseReleased || r.Phase == domain.PhaseDone):
		return false, hearReleased(ctx, t, a)
	case (a.Verb == domain.VerbNetworkDetach || a.Undoing()) && r.Phase == domain.PhaseDone:
		return false, hearReleased(ctx, t, a) // the port is unplugged, and now given back
	case r.Phase == domain.PhaseDone:
		row.EverCreated = true
		return false, t.Close(ctx, &row, a, control.Outcome{Done: true, Observed: statusOf(r.Seen), Image: r.Image})
	default:
		return true, nil
	}
}

// presentAction returns the action that r speaks of if it is the one under way.
func presentAction(ctx context.Context, t *control.Turn, row domain.Container, r domain.Report) (domain.Action, bool, error) {
	a, err := t.Actions().Get(ctx, r.ActionID)
	if domain.IsKind(err, domain.NotFound) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("read action %d: %w", r.ActionID, err)
	}
	shown := a.State == domain.ActionPrepared || a.State == domain.ActionBegun
	return a, shown && a.Container == row.ID && a.Epoch == r.Epoch, nil
}

// hearProgress notes that the action moves. A begun effect is committed here,
// before it happens, so that it is never sent twice.
func hearProgress(ctx context.Context, t *control.Turn, row *domain.Container, a domain.Action, r domain.Report) error {
	a.ProgressAt = time.Time{} // now
	if r.Phase == domain.PhaseBegun {
		a.State = domain.ActionBegun
	}
	if err := t.Actions().Update(ctx, a); err != nil {
		return fmt.Errorf("note the progress of action %d: %w", a.ID, err)
	}
	if r.EventName != "" {
		err := t.Actions().Events().Begin(ctx, domain.Event{ActionID: a.ID, Name: r.EventName, StartedAt: r.At})
		if err != nil {
			return fmt.Errorf("record a step of action %d: %w", a.ID, err)
		}
	}
	if r.Seen == nil && (r.TaskState == domain.Idle || r.TaskState == row.TaskState) {
		return nil
	}
	if r.TaskState != domain.Idle {
		row.TaskState = r.TaskState
	}
	return t.Save(ctx, row)
}

// hearReleased hands what the host let go of over to the release loop.
func hearReleased(ctx context.Context, t *control.Turn, a domain.Action) error {
	a.State, a.ProgressAt, a.Attempts = domain.ActionReleased, time.Time{}, 0
	if !a.Undoing() { // why an attach failed is what its user shall read
		a.Reason = ""
	}
	if err := t.Actions().Update(ctx, a); err != nil {
		return fmt.Errorf("release action %d: %w", a.ID, err)
	}
	t.Ring(t.Bells().Release)
	return nil
}

// hearRefused places a create again that ran nowhere; anything else refused has
// failed.
func hearRefused(ctx context.Context, t *control.Turn, row *domain.Container, a domain.Action, r domain.Report) error {
	unmade := a.Verb == domain.VerbCreate && !row.EverCreated
	if !unmade || len(a.Args.Refused)+1 >= t.Options().MaxPlacements || row.Spec.RequestedHost != "" {
		return t.Close(ctx, row, a, control.Outcome{Reason: r.Message})
	}
	a.Args.Refused = append(slices.Clone(a.Args.Refused), row.HostID)
	a.State, a.Reason = domain.ActionQueued, r.Message
	if err := t.Actions().Update(ctx, a); err != nil {
		return fmt.Errorf("place action %d again: %w", a.ID, err)
	}
	if err := t.Vacate(ctx, row); err != nil {
		return err
	}
	row.Want, row.TaskState = domain.Want{}, domain.Idle
	if err := t.Save(ctx, row); err != nil {
		return err
	}
	t.Ring(t.Bells().Prepare)
	return nil
}

// exhume answers a report on a container without a row. If a tombstone of this host
// asked for it and the host is clean now, the ports and the claim that were kept for
// its sake are given back; the network service first, because the tombstone is what
// makes a repetition possible. Any other end tells of an action that was canceled by
// the burial, and may even have started what is to go.
func (f *Fleet) exhume(ctx context.Context, hostID string, r domain.Report) (stale bool, err error) {
	var row domain.Container
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		row, err = tx.Containers().Tombstones().Get(ctx, r.Container)
		return err
	})
	if domain.IsKind(err, domain.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the tombstone of %s: %w", r.Container, err)
	}
	if row.HostID != hostID || r.Phase != domain.PhaseReleased {
		return false, nil // the host knows its task; this was only on the way
	}
	bound, cancel := context.WithTimeout(ctx, f.control.Options().ResponseTimeout)
	defer cancel()
	if err := f.networking.Release(bound, row.ID, nil); err != nil {
		return false, fmt.Errorf("release the ports of %s: %w", row.ID, err)
	}
	return false, f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		_, err := t.Containers().Tombstones().Get(ctx, row.ID)
		if domain.IsKind(err, domain.NotFound) {
			return nil // another replica was quicker; the claim is given back once
		}
		if err != nil {
			return fmt.Errorf("read the tombstone of %s: %w", row.ID, err)
		}
		if err := t.GiveHost(ctx, hostID, domain.ClaimOf(row.Spec)); err != nil {
			return err
		}
		return t.Containers().Tombstones().Drop(ctx, row.ID)
	})
}
