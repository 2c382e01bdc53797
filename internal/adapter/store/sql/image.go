package sqlstore

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type images struct{ *tx }

func imageFields(i *domain.Image) []column.Field {
	own := ""
	if i.Source != "" {
		own = i.ID // keeps the names of committed images from being each other's
	}
	return []column.Field{
		column.Text("uuid", &i.ID).As(column.Fixed),
		column.Text("project_id", &i.ProjectID).As(column.Fixed),
		column.Text("user_id", &i.UserID).As(column.Fixed),
		column.Text("image_id", &i.ImageID),
		column.Text("repo", &i.Repo),
		column.Text("tag", &i.Tag),
		column.Text("size", &i.Size),
		column.Text("host", &i.HostName),
		column.Moment("created_at", &i.CreatedAt).As(column.Created),
		column.Text("task", &i.Task),
		column.Number("done_bytes", &i.DoneBytes),
		column.Number("total_bytes", &i.TotalBytes),
		column.Number("attempts", &i.Attempts).As(column.Fixed), // Lease alone raises it
		column.Moment("lease_until", &i.LeaseUntil),
		column.Text("source_uuid", &i.Source).As(column.Fixed),
		column.Text("own", &own).As(column.Fixed),
	}
}

func imageListing() clause.Listing {
	return clause.Listing{
		Table: "images", DefaultKey: "id", Missing: imageNotFound,
		Keys: []string{"id", "uuid", "image_id", "repo", "tag", "size", "host", "project_id", "user_id", "created_at"},
	}
}

// imageNotFound is Invalid, not NotFound: the contract answers 400 for images.
func imageNotFound(ident string) error {
	return domain.NewFault(domain.Invalid, "image-not-found", "Image %s could not be found.", ident)
}

func (s images) Insert(ctx context.Context, i domain.Image) error {
	err := s.insert(ctx, "images", imageFields(&i))
	if s.meant(err, dialect.Duplicate) {
		return domain.WrapFault(err, domain.Conflict, "image-already-exists",
			"An image with tag %s and repo %s already exists.", i.Tag, i.Repo)
	}
	return err
}

func (s images) Get(ctx context.Context, id string) (domain.Image, error) {
	return one(ctx, s.tx, imageNotFound(id), imageFields, "FROM images WHERE uuid = ?", id)
}

func (s images) List(ctx context.Context, q control.ImageQuery) ([]domain.Image, error) {
	where := clause.Where{}
	switch {
	case q.Pulled && q.OwnOf != "":
		where.Add("(own = '' OR project_id = ?)", q.OwnOf)
	case q.Pulled:
		where.Add("own = ''")
	default:
		where.Add("own <> '' AND project_id = ?", q.OwnOf)
	}
	where.Add("task <> ?", string(domain.ImageDelete))
	if q.Repo != "" {
		where.Add("repo = ? AND tag = ?", q.Repo, q.Tag)
	}
	tail, args, err := s.page(ctx, imageListing(), where, q.Page)
	if err != nil {
		return nil, err
	}
	return rows(ctx, s.tx, imageFields, tail, args...)
}

func (s images) Update(ctx context.Context, i domain.Image) error {
	matched, err := s.update(ctx, "images", imageFields(&i), "uuid = ? AND attempts = ?", i.ID, i.Attempts)
	if err == nil && matched == 0 {
		err = imageNotFound(i.ID)
	}
	return err
}

func (s images) Delete(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM images WHERE uuid = ?", id)
	return err
}

// Lease takes what waits to be pulled or deleted, oldest first.
func (s images) Lease(ctx context.Context, ttl time.Duration, limit int) ([]domain.Image, error) {
	waiting, err := rows(ctx, s.tx, imageFields, "FROM images WHERE task IN (?, ?) AND lease_until <= @now ORDER BY id LIMIT ?",
		string(domain.ImagePull), string(domain.ImageDelete), limit)
	if err != nil {
		return nil, err
	}
	won := waiting[:0]
	for _, i := range waiting {
		matched, err := s.exec(ctx, "UPDATE images SET attempts = attempts + 1, lease_until = @now + ? WHERE uuid = ? AND attempts = ? AND lease_until <= @now",
			ttl.Microseconds(), i.ID, i.Attempts)
		if err != nil {
			return nil, err
		}
		if matched == 0 {
			continue
		}
		taken, err := s.Get(ctx, i.ID)
		if err != nil {
			return nil, err
		}
		won = append(won, taken)
	}
	return won, nil
}
