package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Get returns one container from the database; hosts push what changes.
func (c *Control) Get(ctx context.Context, actor domain.Actor, ref Ref) (row domain.Container, err error) {
	err = c.store.Glance(ctx, func(ctx context.Context, tx Tx) error {
		row, err = find(ctx, tx, actor, ref)
		return err
	})
	return row, err
}

// List returns a page of the plain containers that the actor asked for.
func (c *Control) List(ctx context.Context, actor domain.Actor, q ListRequest) (rows []domain.Container, err error) {
	query := ContainerQuery{
		Scope:   Scope{ProjectID: actor.ProjectID, AllProjects: q.AllProjects},
		Filters: q.Filters, Page: q.Page,
	}
	err = c.store.Glance(ctx, func(ctx context.Context, tx Tx) error {
		rows, err = tx.Containers().List(ctx, query)
		return err
	})
	return rows, err
}

// Act queues verb on a container. Legality is judged on the status that the
// container will have once its queue is done.
func (c *Control) Act(ctx context.Context, actor domain.Actor, ref Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error) {
	switch verb {
	case domain.VerbStart, domain.VerbStop, domain.VerbReboot, domain.VerbPause, domain.VerbUnpause, domain.VerbKill, domain.VerbRebuild:
		return c.act(ctx, actor, ref, verb, args)
	case domain.VerbResizeContainer:
		change := Change{Name: args.Name, CPU: args.CPU, MemoryMB: args.MemoryMB, AutoHeal: args.AutoHeal}
		row, _, err := c.change(ctx, actor, ref, verb, change)
		return row, err
	default:
		return domain.Container{}, domain.NewFault(domain.Invalid, "invalid", "%s is not a queued action.", verb)
	}
}

func (c *Control) act(ctx context.Context, actor domain.Actor, ref Ref, verb domain.Verb, args domain.ActionArgs) (row domain.Container, err error) {
	err = c.Accept(ctx, func(ctx context.Context, t *Turn) error {
		if row, err = find(ctx, t.Tx, actor, ref); err != nil {
			return err
		}
		queue, err := t.MayQueue(ctx, row, verb)
		if err != nil {
			return err
		}
		if verb == domain.VerbRebuild {
			if err := c.judgeRebuild(ctx, t.Tx, row, args); err != nil {
				return err
			}
			args.Run = domain.Predict(row.Status, queue) == domain.Running
			if err := rebuildOwn(ctx, t, row, &args); err != nil {
				return err
			}
		}
		_, err = t.Accept(ctx, &row, Order{Verb: verb, Args: args, Actor: actor})
		return err
	})
	return row, err
}

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
