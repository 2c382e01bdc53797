package loops

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// overrun ends the action a, which has passed its silence bound or its deadline,
// and says whether it did. Nothing happens to one that moved since it was read, and
// only its deadline ends one that waits for its turn. A delete is sent again, and what
// a host let go of is given back however long it takes.
func overrun(ctx context.Context, t *control.Turn, a domain.Action) (bool, error) {
	now, err := t.Now(ctx)
	if err != nil {
		return false, err
	}
	row, err := t.Containers().Get(ctx, control.Everything(), a.Container)
	if domain.IsKind(err, domain.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read container %s: %w", a.Container, err)
	}
	queue, err := t.Actions().Queue(ctx, a.Container)
	if err != nil {
		return false, fmt.Errorf("read the queue of %s: %w", a.Container, err)
	}
	place := placeOf(queue, a)
	if place < 0 || place > 0 && now.Before(a.Deadline) {
		return false, nil
	}
	reason := overrunReason(a, now.Before(a.Deadline))
	if place > 0 {
		return true, t.Skip(ctx, &row, a, reason)
	}
	if a.Verb == domain.VerbDelete {
		return true, t.RetryDelete(ctx, &row, a, reason)
	}
	if a.State == domain.ActionReleased || a.Undoing() {
		return true, t.RetryUndo(ctx, &row, a)
	}
	makes := a.Verb == domain.VerbCreate || a.Verb == domain.VerbRebuild
	if makes && a.State != domain.ActionQueued { // one that no host has seen has made nothing
		row.Generation++ // what a late host still makes of the old one is swept, never adopted
		row.EverCreated, row.EngineID = false, ""
	}
	return true, t.Close(ctx, &row, a, control.Outcome{Reason: reason})
}

// placeOf returns where a stands in queue unchanged, -1 if it does not.
func placeOf(queue []domain.Action, a domain.Action) int {
	for i, other := range queue {
		if other.ID == a.ID && other.Epoch == a.Epoch && other.State == a.State && other.ProgressAt.Equal(a.ProgressAt) {
			return i
		}
	}
	return -1
}

func overrunReason(a domain.Action, silent bool) string {
	reason := fmt.Sprintf("The %s did not finish within its time.", a.Verb)
	if silent {
		reason = fmt.Sprintf("The %s made no progress for too long.", a.Verb)
	}
	if a.State == domain.ActionBegun && !domain.Repeatable(a.Verb) {
		reason += " Its outcome is unknown."
	}
	if a.Reason != "" {
		reason += " Last: " + a.Reason
	}
	return reason
}
