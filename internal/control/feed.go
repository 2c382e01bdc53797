package control

import (
	"context"
	"fmt"

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

// TellStatus tells that c changed by itself; before is the status that it had.
func (t *Turn) TellStatus(ctx context.Context, c *domain.Container, before domain.Status) error {
	if c.Status == before {
		return nil
	}
	return t.Tell(ctx, c, noticeStatus, c.StatusReason, "")
}
