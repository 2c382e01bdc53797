package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func statusOf(seen *domain.Observation) domain.Status {
	if seen == nil {
		return ""
	}
	return seen.Status
}

// hearObserved writes what the engine did by itself.
func hearObserved(ctx context.Context, t *control.Turn, row domain.Container, r domain.Report) error {
	if r.Seen == nil || row.Want.Absent {
		return nil
	}
	queue, err := t.Actions().Queue(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("read the queue of %s: %w", row.ID, err)
	}
	before, wanted := row.Status, row.Want
	row.Learn(r.Seen)
	row.Settle(r.Seen, len(queue) == 0)
	write := t.Save
	if row.Want != wanted {
		write = t.Show
	}
	if err := errors.Join(write(ctx, &row), t.TellStatus(ctx, &row, before)); err != nil {
		return err
	}
	if row.Ended() {
		t.Ring(t.Bells().Autoremove)
	}
	return nil
}

// hearMissing writes that the engine lost a container that it had.
func hearMissing(ctx context.Context, t *control.Turn, row domain.Container, r domain.Report) error {
	queue, err := t.Actions().Queue(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("read the queue of %s: %w", row.ID, err)
	}
	if len(queue) > 0 || !row.EverCreated || row.Want.Absent {
		return nil // the action under way meets the loss itself
	}
	if row.Lost() || row.Status == domain.Deleted {
		return nil // told before
	}
	before := row.Status
	row.Lose(missingReason(row, r))
	if err := errors.Join(t.Save(ctx, &row), t.TellStatus(ctx, &row, before)); err != nil {
		return err
	}
	t.Ring(t.Bells().Autoremove)
	t.Ring(t.Bells().Heal)
	return nil
}

func missingReason(row domain.Container, r domain.Report) string {
	if r.Message != "" {
		return r.Message
	}
	return fmt.Sprintf("No such container: %s", row.ID)
}
