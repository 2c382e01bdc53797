package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/domain"
)

type events struct{ *tx }

func eventFields(e *domain.Event) []column.Field {
	return []column.Field{
		column.Number("id", &e.ID).As(column.Fixed),
		column.Number("action_id", &e.ActionID).As(column.Fixed),
		column.Text("name", &e.Name).As(column.Fixed),
		column.Text("result", &e.Result),
		column.Text("details", &e.Details),
		column.Moment("started_at", &e.StartedAt).As(column.Created),
		column.Moment("finished_at", &e.FinishedAt),
	}
}

// open returns the id of the newest open event of that name, 0 if there is none.
func (s events) open(ctx context.Context, e domain.Event) (int64, error) {
	var id int64
	err := s.scalar(ctx, []any{&id}, `SELECT id FROM action_events WHERE action_id = ? AND name = ? AND finished_at = 0
		ORDER BY id DESC LIMIT 1`, e.ActionID, e.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

func (s events) Begin(ctx context.Context, e domain.Event) error {
	id, err := s.open(ctx, e)
	if err != nil || id != 0 {
		return err
	}
	fields := eventFields(&e)[1:] // the database gives the id
	return s.insert(ctx, "action_events", fields)
}

func (s events) Finish(ctx context.Context, e domain.Event) error {
	id, err := s.open(ctx, e)
	if err != nil {
		return err
	}
	fields := eventFields(&e)
	end := len(fields) - 1
	if id != 0 {
		fields[end] = fields[end].As(column.Changed)
		_, err = s.update(ctx, "action_events", fields, "id = ?", id)
		return err
	}
	fields[end] = fields[end].As(column.Created)
	return s.insert(ctx, "action_events", fields[1:])
}

func (s events) List(ctx context.Context, actionID int64) ([]domain.Event, error) {
	return rows(ctx, s.tx, eventFields, "FROM action_events WHERE action_id = ? ORDER BY id", actionID)
}
