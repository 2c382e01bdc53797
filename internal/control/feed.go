package control

import (
	"context"
	"fmt"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// FeedKept is how many notices the feed keeps; older ones are swept.
const FeedKept = 100_000

// The names of what happens without an action's name in it.
const (
	noticeStatus  = "status"
	noticeDeleted = "deleted"
)

// Tell adds a notice on c to the feed, if the feed is on. It is part of the turn:
// what is told has happened, and nothing is told that has not.
func (t *Turn) Tell(ctx context.Context, c *domain.Container, name, reason, requestID string) error {
	if !t.options.Feed {
		return nil
	}
	err := t.Actions().Events().Feed().Append(ctx, domain.Notice{
		ProjectID: c.ProjectID, Container: c.ID, Kind: c.Kind,
		Name: name, Status: c.Status, Reason: reason, RequestID: requestID,
	})
	if err != nil {
		return fmt.Errorf("tell of %s: %w", c.ID, err)
	}
	return nil
}

// tellEnd tells how a ended.
func (t *Turn) tellEnd(ctx context.Context, c *domain.Container, a domain.Action, o Outcome) error {
	if o.Done {
		return t.Tell(ctx, c, string(a.Verb)+".done", "", a.RequestID)
	}
	return t.Tell(ctx, c, string(a.Verb)+".failed", o.Reason, a.RequestID)
}

// tellStatus tells that c changed by itself; before is the status that it had.
func (t *Turn) tellStatus(ctx context.Context, c *domain.Container, before domain.Status) error {
	if c.Status == before {
		return nil
	}
	return t.Tell(ctx, c, noticeStatus, c.StatusReason, "")
}

// lateCommit is how long a notice may become visible after one with a higher id:
// ids are given when a transaction writes, not when it commits.
const lateCommit = 2 * time.Second

// Notices returns up to limit notices after id, in order. A gap in the ids is waited
// for as long as a transaction may still fill it, so that a follower misses none.
func (c *Control) Notices(ctx context.Context, after int64, limit int) (found []domain.Notice, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
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
func (c *Control) NoticeBounds(ctx context.Context) (oldest, newest int64, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		oldest, newest, err = tx.Actions().Events().Feed().Bounds(ctx)
		return err
	})
	return oldest, newest, err
}
