package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// facts writes down what the engine shows of a container, its status apart.
func facts(row *domain.Container, seen *domain.Observation) {
	if seen == nil {
		return
	}
	if seen.EngineID != "" {
		row.EngineID, row.EverCreated = seen.EngineID, true
	}
	if seen.Hostname != "" {
		row.Hostname = seen.Hostname
	}
	if seen.Ports != nil {
		row.Ports = seen.Ports
	}
	if !seen.StartedAt.IsZero() {
		row.StartedAt = seen.StartedAt
	}
	row.StatusDetail, row.ExitCode, row.Health, row.Restarts = seen.Detail, seen.ExitCode, seen.Health, seen.Restarts
}

func statusOf(seen *domain.Observation) domain.Status {
	if seen == nil {
		return ""
	}
	return seen.Status
}

// hearObserved writes what the engine did by itself.
func (t *Turn) hearObserved(ctx context.Context, row domain.Container, r domain.Report) error {
	if r.Seen == nil || row.Want.Absent {
		return nil
	}
	queue, err := t.Actions().Queue(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("read the queue of %s: %w", row.ID, err)
	}
	facts(&row, r.Seen)
	if mayOverwrite(row, queue, r.Seen.Status) {
		if row.Status != r.Seen.Status {
			row.StatusReason = r.Seen.Reason
		}
		row.Status, row.FormerStatus = r.Seen.Status, ""
	}
	if err := t.save(ctx, &row); err != nil {
		return err
	}
	if Ended(row) {
		t.Ring(t.bells.Autoremove)
	}
	return nil
}

// mayOverwrite says whether seen may replace the status of row. A status that an
// unfinished action made stands until that action ends; an error stands, with its
// reason, until the process is seen alive.
func mayOverwrite(row domain.Container, queue []domain.Action, seen domain.Status) bool {
	alive := seen == domain.Running || seen == domain.Paused || seen == domain.Restarting
	switch row.Status {
	case domain.Creating, domain.Deleting:
		return false
	case domain.Rebuilding, domain.Restarting:
		return len(queue) == 0 && seen != ""
	case domain.Error:
		return alive && len(queue) == 0
	default:
		return seen != ""
	}
}

// Ended says whether row is a container that removes itself and has ended.
func Ended(row domain.Container) bool {
	once := row.Spec.Restart.Name == "" || row.Spec.Restart.Name == "no"
	return row.Spec.AutoRemove && row.TaskState == domain.Idle &&
		(row.Status == domain.Deleted || row.Status == domain.Stopped && once)
}

// Lost says whether row was once made and then lost by its engine.
func Lost(row domain.Container) bool {
	return row.Status == domain.Error && row.EverCreated && row.EngineID == ""
}

// hearMissing writes that the engine lost a container that it had.
func (t *Turn) hearMissing(ctx context.Context, row domain.Container, r domain.Report) error {
	queue, err := t.Actions().Queue(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("read the queue of %s: %w", row.ID, err)
	}
	if len(queue) > 0 || !row.EverCreated || row.Want.Absent {
		return nil // the action under way meets the loss itself
	}
	if Lost(row) || row.Status == domain.Deleted {
		return nil // told before
	}
	lose(&row, missingReason(row, r))
	if err := t.save(ctx, &row); err != nil {
		return err
	}
	t.Ring(t.bells.Autoremove)
	t.Ring(t.bells.Heal)
	return nil
}

// lose turns row into a container that its engine lost. The loops then remove or
// rebuild it, as its flags say.
func lose(row *domain.Container, reason string) {
	row.EngineID, row.FormerStatus, row.StatusDetail = "", "", ""
	if row.Spec.AutoRemove {
		row.Status, row.StatusReason = domain.Deleted, ""
		return
	}
	row.Status, row.StatusReason = domain.Error, reason
}

func missingReason(row domain.Container, r domain.Report) string {
	if r.Message != "" {
		return r.Message
	}
	return fmt.Sprintf("No such container: %s", row.ID)
}
