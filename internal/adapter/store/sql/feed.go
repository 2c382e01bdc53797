package sqlstore

import (
	"context"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type feed struct{ *tx }

// noticeFields are those of a notice as it is read: its id is its place.
func noticeFields(n *domain.Notice) []column.Field {
	return []column.Field{
		column.Number("place", &n.ID).As(column.Fixed),
		column.Moment("at", &n.At).As(column.Created),
		column.Text("project_id", &n.ProjectID).As(column.Fixed),
		column.Text("container_uuid", &n.Container).As(column.Fixed),
		column.Number("container_type", &n.Kind).As(column.Fixed),
		column.Text("name", &n.Name).As(column.Fixed),
		column.Text("status", &n.Status).As(column.Fixed),
		column.Text("reason", &n.Reason).As(column.Fixed),
		column.Text("request_id", &n.RequestID).As(column.Fixed),
	}
}

// Feed returns what happened to containers.
func (s events) Feed() control.Feed { return feed(s) }

func (s feed) Append(ctx context.Context, n domain.Notice) error {
	return s.insert(ctx, "feed", noticeFields(&n)[1:]) // it has no place before it is committed
}

func (s feed) After(ctx context.Context, id int64, limit int) ([]domain.Notice, error) {
	return rows(ctx, s.tx, noticeFields, "FROM feed WHERE place > ? ORDER BY place LIMIT ?", id, limit)
}

func (s feed) Waiting(ctx context.Context) (bool, error) {
	var first int64
	err := s.scalar(ctx, []any{&first}, "SELECT COALESCE(MIN(id), 0) FROM feed WHERE place = 0")
	return first != 0, err
}

// Place keeps the count of places until the transaction ends, before it looks who has
// none: of two at once the second sees what the first has done.
func (s feed) Place(ctx context.Context, limit int) (int, error) {
	last, err := s.advance(ctx, 0)
	if err != nil {
		return 0, err
	}
	waiting, err := rows(ctx, s.tx, placedFields, "FROM feed WHERE place = 0 ORDER BY id LIMIT ?", limit)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	for i, n := range waiting {
		if _, err := s.exec(ctx, "UPDATE feed SET place = ? WHERE id = ?", last+int64(i)+1, n.id); err != nil {
			return 0, err
		}
	}
	_, err = s.advance(ctx, len(waiting))
	return len(waiting), err
}

// placed is the place of one row.
type placed struct{ id, place int64 }

func placedFields(p *placed) []column.Field {
	return []column.Field{column.Number("id", &p.id), column.Number("place", &p.place)}
}

// advance raises the count of places by n and returns it.
func (s feed) advance(ctx context.Context, n int) (last int64, err error) {
	if _, err := s.exec(ctx, "UPDATE feed_places SET last = last + ? WHERE id = 1", n); err != nil {
		return 0, err
	}
	err = s.scalar(ctx, []any{&last}, "SELECT last FROM feed_places WHERE id = 1")
	return last, err
}

func (s feed) Bounds(ctx context.Context) (oldest, newest int64, err error) {
	err = s.scalar(ctx, []any{&oldest, &newest}, "SELECT COALESCE(MIN(place), 0), COALESCE(MAX(place), 0) FROM feed WHERE place > 0")
	return oldest, newest, err
}

// Trim lets a place go by for each notice that goes without ever having had one, so that
// who follows sees that something is missing.
func (s feed) Trim(ctx context.Context, keep int64) (int, error) {
	var newest int64
	if err := s.scalar(ctx, []any{&newest}, "SELECT COALESCE(MAX(id), 0) FROM feed"); err != nil {
		return 0, err
	}
	unread, err := s.exec(ctx, "DELETE FROM feed WHERE id <= ? AND place = 0", newest-keep)
	if err != nil {
		return 0, err
	}
	if unread > 0 {
		if _, err := s.advance(ctx, int(unread)); err != nil {
			return 0, err
		}
	}
	gone, err := s.exec(ctx, "DELETE FROM feed WHERE id <= ?", newest-keep)
	return int(gone + unread), err
}
