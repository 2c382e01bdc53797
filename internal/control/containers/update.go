package containers

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Update is PATCH. Name and auto_heal are true once committed; cpu and memory once
// the host has applied them, which it waits for: Timeout when that takes too long
// (the action goes on), Unavailable when the host is down (nothing is accepted).
func (c *Containers) Update(ctx context.Context, actor domain.Actor, ref control.Ref, change control.Change) (domain.Container, error) {
	row, action, err := c.change(ctx, actor, ref, domain.VerbUpdate, change)
	if err != nil || action == 0 {
		return row, err
	}
	ended, err := c.control.Await(ctx, action)
	if err != nil {
		return row, err
	}
	if ended.State != domain.ActionDone {
		return row, domain.NewFault(domain.Conflict, "conflict", "%s", reasonOf(ended))
	}
	return c.Get(ctx, actor, control.Ref{Ident: string(row.ID), AllProjects: ref.AllProjects})
}

func reasonOf(a domain.Action) string {
	if a.Reason == "" {
		return fmt.Sprintf("The %s was canceled.", a.Verb)
	}
	return a.Reason
}

// change commits what is named and returns the action that the host must carry out,
// 0 if there is none.
func (c *Containers) change(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, change control.Change) (row domain.Container, action int64, err error) {
	err = c.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		action = 0
		if row, err = control.Find(ctx, t.Tx, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		queue, err := t.MayQueue(ctx, row, verb)
		if err != nil {
			return err
		}
		if change.Name != nil && *change.Name != row.Spec.Name {
			if err := checkName(ctx, t, row.ProjectID, *change.Name); err != nil {
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
		action, err = resize(ctx, t, &row, queue, control.Order{
			Verb: verb, Actor: actor,
			Args: domain.ActionArgs{CPU: change.CPU, MemoryMB: change.MemoryMB},
		})
		return err
	})
	return row, action, err
}

// resize claims the growth and queues the update. One at a time, because the claim
// of a second one could not be told from that of the first.
func resize(ctx context.Context, t *control.Turn, row *domain.Container, queue []domain.Queued, o control.Order) (int64, error) {
	for _, q := range queue {
		if q.Verb == domain.VerbUpdate {
			return 0, domain.NewFault(domain.Conflict, "conflict", "Another update of container %s has not finished yet.", row.ID)
		}
	}
	if row.Spec.CPUPolicy == domain.CPUDedicated {
		return 0, domain.NewFault(domain.Conflict, "conflict", "The size of container %s cannot be changed, because its CPUs are dedicated.", row.ID)
	}
	if o.Verb == domain.VerbUpdate { // somebody waits for the answer
		if _, err := control.HostOf(ctx, t.Tx, t.Options(), *row); err != nil {
			return 0, err
		}
	}
	o.Verb = domain.VerbUpdate // one verb for the host
	if err := t.Save(ctx, row); err != nil {
		return 0, err
	}
	if err := t.Grow(ctx, row, o.Args); err != nil {
		return 0, err
	}
	a, err := t.Accept(ctx, row, o)
	return a.ID, err
}

// Rename gives a container another name, in any status.
func (c *Containers) Rename(ctx context.Context, actor domain.Actor, ref control.Ref, name string) (row domain.Container, err error) {
	err = c.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		if row, err = control.Find(ctx, t.Tx, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		if row.Spec.Name == name {
			return domain.NewFault(domain.Conflict, "conflict", "The new name for the container is the same as the old name.")
		}
		if err := checkName(ctx, t, row.ProjectID, name); err != nil {
			return err
		}
		row.Spec.Name = name
		return t.Save(ctx, &row)
	})
	return row, err
}

// checkName returns a Conflict when a container of that name exists within the
// scope in which names must be unique.
func checkName(ctx context.Context, t *control.Turn, projectID, name string) error {
	if t.Options().NameScope == control.NamesFree {
		return nil
	}
	scope := control.Scope{ProjectID: projectID, AllProjects: t.Options().NameScope == control.NamesGlobal}
	found, err := t.Containers().ByName(ctx, scope, name)
	if err != nil {
		return fmt.Errorf("look up container by name: %w", err)
	}
	if len(found) > 0 {
		return domain.NewFault(domain.Conflict, "container-already-exists", "A container with name %s already exists.", name)
	}
	return nil
}
