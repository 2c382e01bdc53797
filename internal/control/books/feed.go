package books

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// lateCommit is how long a notice may become visible after one with a higher id:
// ids are given when a transaction writes, not when it commits.
const lateCommit = 2 * time.Second

// Notices returns up to limit notices after id, in order. A gap in the ids is waited
// for as long as a transaction may still fill it, so that a follower misses none.
func (b *Books) Notices(ctx context.Context, after int64, limit int) (found []domain.Notice, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		if found, err = tx.Actions().Events().Feed().After(ctx, after, limit); err != nil || len(found) == 0 {
			return err
		}
		now, err := tx.Hosts().Now(ctx)
		found = settled(found, after, now)
		return err
	})
	return found, err
}

// settled cuts found before the first gap that may still be filled.
func settled(found []domain.Notice, after int64, now time.Time) []domain.Notice {
	for i, n := range found {
		if n.ID != after+1 && now.Sub(n.At) < lateCommit {
			return found[:i]
		}
		after = n.ID
	}
	return found
}

// NoticeBounds returns the ids of the oldest and the newest notice kept; 0 for none.
func (b *Books) NoticeBounds(ctx context.Context) (oldest, newest int64, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		oldest, newest, err = tx.Actions().Events().Feed().Bounds(ctx)
		return err
	})
	return oldest, newest, err
}
