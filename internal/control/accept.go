package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Accept runs fn, which accepts an action on an existing container.
func (c *Control) Accept(ctx context.Context, fn func(ctx context.Context, t *Turn) error) error {
	return failpoint.Around(failpoint.ActCommit, func() error { return c.Turn(ctx, fn) })
}

// MayQueue returns the container's queue as Predict reads it, or the contract's
// fault if verb cannot stand behind it.
func (t *Turn) MayQueue(ctx context.Context, row domain.Container, verb domain.Verb) ([]domain.Queued, error) {
	actions, err := t.Actions().Queue(ctx, row.ID)
	if err != nil {
		return nil, fmt.Errorf("read the queue of %s: %w", row.ID, err)
	}
	queue := make([]domain.Queued, len(actions))
	for i, a := range actions {
		queue[i] = domain.Queued{Verb: a.Verb, Run: a.Args.Run}
	}
	predicted := domain.Predict(row.Status, queue)
	if !domain.Allowed(verb, predicted) {
		shown := predicted
		if !domain.Allowed(verb, row.Status) {
			shown = row.Status // the word that the user sees
		}
		return nil, domain.CheckAllowed(verb, row.ID, shown)
	}
	if verb != domain.VerbRebuild && !row.EverCreated && !creates(queue) {
		return nil, Uncreated()
	}
	return queue, nil
}

// creates says whether a queue makes the engine object.
func creates(queue []domain.Queued) bool {
	for _, q := range queue {
		if q.Verb == domain.VerbCreate || q.Verb == domain.VerbRebuild {
			return true
		}
	}
	return false
}
