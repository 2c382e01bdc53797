package sqlstore

import (
	"context"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type feed struct{ *tx }

func noticeFields(n *domain.Notice) []column.Field {
	return []column.Field{
		column.Number("id", &n.ID).As(column.Fixed),
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
	return s.insert(ctx, "feed", noticeFields(&n)[1:]) // the database gives the id
}

func (s feed) After(ctx context.Context, id int64, limit int) ([]domain.Notice, error) {
	return rows(ctx, s.tx, noticeFields, "FROM feed WHERE id > ? ORDER BY id LIMIT ?", id, limit)
}

func (s feed) Bounds(ctx context.Context) (oldest, newest int64, err error) {
	err = s.scalar(ctx, []any{&oldest, &newest}, "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM feed")
	return oldest, newest, err
}

func (s feed) Trim(ctx context.Context, keep int64) (int, error) {
	_, newest, err := s.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	gone, err := s.exec(ctx, "DELETE FROM feed WHERE id <= ?", newest-keep)
	return int(gone), err
}
