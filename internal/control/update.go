package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// Update is PATCH. Name and auto_heal are true once committed; cpu and memory once
// the host has applied them, which it waits for: Timeout when that takes too long
// (the action goes on), Unavailable when the host is down (nothing is accepted).
func (c *Control) Update(ctx context.Context, actor domain.Actor, ref Ref, change Change) (domain.Container, error) {
	row, action, err := c.change(ctx, actor, ref, domain.VerbUpdate, change)
	if err != nil || action == 0 {
		return row, err
	}
	ended, err := c.await(ctx, action)
	if err != nil {
		return row, err
	}
	if ended.State != domain.ActionDone {
		return row, domain.NewFault(domain.Conflict, "conflict", "%s", reasonOf(ended))
	}
	return c.Get(ctx, actor, Ref{Ident: string(row.ID), AllProjects: ref.AllProjects})
}

func reasonOf(a domain.Action) string {
	if a.Reason == "" {
		return fmt.Sprintf("The %s was canceled.", a.Verb)
	}
	return a.Reason
}

// change commits what is named and returns the action that the host must carry out,
// 0 if there is none.
func (c *Control) change(ctx context.Context, actor domain.Actor, ref Ref, verb domain.Verb, change Change) (row domain.Container, action int64, err error) {
	err = c.Accept(ctx, func(ctx context.Context, t *Turn) error {
		action = 0
		if row, err = find(ctx, t.Tx, actor, ref); err != nil {
			return err
		}
		queue, err := t.MayQueue(ctx, row, verb)
		if err != nil {
			return err
		}
		if change.Name != nil && *change.Name != row.Spec.Name {
			if err := t.checkName(ctx, row.ProjectID, *change.Name); err != nil {
				return err
			}
			row.Spec.Name = *change.Name
		}
		if change.AutoHeal != nil {
			row.Spec.AutoHeal = *change.AutoHeal
		}
		if change.CPU == nil && change.MemoryMB == nil {
			return t.Save(ctx, &row)
		}
		action, err = t.resize(ctx, &row, queue, Order{
			Verb: verb, Actor: actor,
			Args: domain.ActionArgs{CPU: change.CPU, MemoryMB: change.MemoryMB},
		})
		return err
	})
	return row, action, err
}

// resize claims the growth and queues the update. One at a time, because the claim
// of a second one could not be told from that of the first.
func (t *Turn) resize(ctx context.Context, row *domain.Container, queue []domain.Queued, o Order) (int64, error) {
	for _, q := range queue {
		if q.Verb == domain.VerbUpdate {
			return 0, domain.NewFault(domain.Conflict, "conflict", "Another update of container %s has not finished yet.", row.ID)
		}
	}
	if o.Verb == domain.VerbUpdate { // somebody waits for the answer
		if _, err := HostOf(ctx, t.Tx, t.options, *row); err != nil {
			return 0, err
		}
	}
	o.Verb = domain.VerbUpdate // one verb for the host
	if err := t.Save(ctx, row); err != nil {
		return 0, err
	}
	if err := t.grow(ctx, row, o.Args); err != nil {
		return 0, err
	}
	a, err := t.Accept(ctx, row, o)
	return a.ID, err
}

// Rename gives a container another name, in any status.
func (c *Control) Rename(ctx context.Context, actor domain.Actor, ref Ref, name string) (row domain.Container, err error) {
	err = c.Accept(ctx, func(ctx context.Context, t *Turn) error {
		if row, err = find(ctx, t.Tx, actor, ref); err != nil {
			return err
		}
		if row.Spec.Name == name {
			return domain.NewFault(domain.Conflict, "conflict", "The new name for the container is the same as the old name.")
		}
		if err := t.checkName(ctx, row.ProjectID, name); err != nil {
			return err
		}
		row.Spec.Name = name
		return t.Save(ctx, &row)
	})
	return row, err
}
