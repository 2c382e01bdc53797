package books

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// placedAtOnce is how many notices one transaction gives their places.
const placedAtOnce = 500

// Notices returns up to limit notices after id, in order and without a miss: what is
// committed gets its place in the feed when somebody first looks.
func (b *Books) Notices(ctx context.Context, after int64, limit int) (found []domain.Notice, err error) {
	if err := b.place(ctx); err != nil {
		return nil, err
	}
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		found, err = tx.Actions().Events().Feed().After(ctx, after, limit)
		return err
	})
	return found, err
}

// place gives notices that have none their places. To look first keeps the many who
// follow a quiet feed from writing.
func (b *Books) place(ctx context.Context) (err error) {
	var waiting bool
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		waiting, err = tx.Actions().Events().Feed().Waiting(ctx)
		return err
	})
	if err != nil || !waiting {
		return err
	}
	err = b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		_, err := t.Actions().Events().Feed().Place(ctx, placedAtOnce)
		return err
	})
	if err != nil {
		return fmt.Errorf("give notices their places: %w", err)
	}
	return nil
}

// NoticeBounds returns the ids of the oldest and the newest notice kept; 0 for none.
func (b *Books) NoticeBounds(ctx context.Context) (oldest, newest int64, err error) {
	if err := b.place(ctx); err != nil {
		return 0, 0, err
	}
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		oldest, newest, err = tx.Actions().Events().Feed().Bounds(ctx)
		return err
	})
	return oldest, newest, err
}
