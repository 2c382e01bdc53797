package capsule

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what the use cases stand on. Every field is required.
type Deps struct {
	Control    *control.Control
	Networking control.Networking
}

// Capsules are the use cases.
type Capsules struct {
	control    *control.Control
	networking control.Networking
}

// New returns the use cases over d.
func New(d Deps) *Capsules {
	return &Capsules{control: d.Control, networking: d.Networking}
}

// CreateCapsule accepts a capsule: its group and all members in one transaction,
// with the quota of the members.
func (c *Capsules) CreateCapsule(ctx context.Context, actor domain.Actor, draft domain.Capsule) (stored domain.Capsule, err error) {
	if err := checkTexts(draft); err != nil {
		return draft, err
	}
	if err := c.fill(actor, &draft); err != nil {
		return draft, err
	}
	for _, row := range slices.Concat(draft.Inits, draft.Members) {
		if err := errors.Join(domain.WithoutVolumes(row.Spec.Mounts), domain.CheckMounts(row.Spec.Mounts)); err != nil {
			return draft, err
		}
		if _, err := c.control.JudgeImage(row.Spec.QualifiedImage(c.control.Options().DefaultRegistry.Domain)); err != nil {
			return draft, err
		}
	}
	if draft.Group.Resolved, err = c.networking.Resolve(ctx, actor, nil); err != nil {
		return draft, err
	}
	err = c.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		// Quota first, because its row serialises the creates of one project.
		if err := t.Use(ctx, actor.ProjectID, draft.Claim()); err != nil {
			return err
		}
		launched := launch(draft)
		if err := insert(ctx, t, launched); err != nil {
			return err
		}
		if err := t.Tell(ctx, &launched.Group, "create.failed", launched.Group.StatusReason, actor.RequestID); err != nil {
			return err
		}
		stored, err = read(ctx, t, launched.Group)
		return err
	})
	return stored, err
}

// checkTexts refuses a capsule that is too large as a whole, since it is stored and shown
// as a whole. Its init containers, which no quota counts, are bounded by that.
func checkTexts(draft domain.Capsule) error {
	specs := []domain.Spec{draft.Group.Spec}
	draft.Each(func(row *domain.Container) { specs = append(specs, row.Spec) })
	return domain.CheckTexts(specs...)
}

// fill gives a draft its ids, owners, names and defaults.
func (c *Capsules) fill(actor domain.Actor, draft *domain.Capsule) error {
	dice, options := c.control.Dice(), c.control.Options()
	own := func(row *domain.Container) error {
		id, err := dice.UUID()
		row.ID, row.ProjectID, row.UserID = domain.ContainerID(id), actor.ProjectID, actor.UserID
		row.Status, row.Generation = domain.Creating, 1
		return err
	}
	group := &draft.Group
	if err := own(group); err != nil {
		return err
	}
	known := group.Spec.Name
	if known == "" {
		known, group.Spec.Name = string(group.ID), dice.Greek()+"-capsule"
	}
	if group.Spec.Zone == "" {
		group.Spec.Zone = options.ScheduleZone
	}
	var failed error
	draft.Each(func(row *domain.Container) {
		if err := own(row); err != nil {
			failed = err
		}
		row.CapsuleID = group.ID
		row.Spec.Name = fmt.Sprintf("capsule-%s-%s", known, dice.Greek())
		row.Spec.CPUPolicy, row.Spec.ImageDriver = "shared", options.DefaultImageDriver
	})
	return failed
}

func insert(ctx context.Context, t *control.Turn, capsule domain.Capsule) (err error) {
	if err = t.Containers().Insert(ctx, capsule.Group); err != nil {
		return fmt.Errorf("insert capsule: %w", err)
	}
	capsule.Each(func(row *domain.Container) {
		if err == nil {
			err = t.Containers().Insert(ctx, *row)
		}
	})
	if err != nil {
		return fmt.Errorf("insert the members of capsule %s: %w", capsule.Group.ID, err)
	}
	return nil
}

// read returns the capsule of a group's row as the store has it.
func read(ctx context.Context, tx control.Tx, group domain.Container) (domain.Capsule, error) {
	group, err := tx.Containers().Get(ctx, control.Everything(), group.ID)
	if err != nil {
		return domain.Capsule{}, err
	}
	rows, err := control.Members(ctx, tx, group.ID)
	return domain.NewCapsule(group, rows), err
}

// Capsule returns one capsule by uuid or name; NotFound is worded as a container's.
func (c *Capsules) Capsule(ctx context.Context, actor domain.Actor, ref control.Ref) (found domain.Capsule, err error) {
	err = c.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		group, err := control.Find(ctx, tx, actor, ref, domain.KindCapsule)
		if err != nil {
			return err
		}
		rows, err := control.Members(ctx, tx, group.ID)
		found = domain.NewCapsule(group, rows)
		return err
	})
	return found, err
}

// Capsules returns a page of the actor's capsules, or of everybody's. The members
// of the whole page are read at once.
func (c *Capsules) Capsules(ctx context.Context, actor domain.Actor, allProjects bool, p control.Page) (found []domain.Capsule, err error) {
	scope := control.Scope{ProjectID: actor.ProjectID, AllProjects: allProjects, Kinds: []domain.ContainerKind{domain.KindCapsule}}
	err = c.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		groups, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: scope, Page: p})
		if err != nil || len(groups) == 0 {
			return err
		}
		ids := make([]domain.ContainerID, len(groups))
		for i, g := range groups {
			ids[i] = g.ID
		}
		rows, err := control.Members(ctx, tx, ids...)
		if err != nil {
			return err
		}
		found = gather(groups, rows)
		return nil
	})
	return found, err
}

// gather puts the capsules of groups together from the rows of all of them.
func gather(groups, rows []domain.Container) []domain.Capsule {
	byGroup := map[domain.ContainerID][]domain.Container{}
	for _, row := range rows {
		byGroup[row.CapsuleID] = append(byGroup[row.CapsuleID], row)
	}
	all := make([]domain.Capsule, 0, len(groups))
	for _, g := range groups {
		all = append(all, domain.NewCapsule(g, byGroup[g.ID]))
	}
	return all
}

// DeleteCapsule accepts the end of a capsule in any status; one that is on its way
// out already is left to go. The members go with the group.
func (c *Capsules) DeleteCapsule(ctx context.Context, actor domain.Actor, ref control.Ref) error {
	return c.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		group, err := control.Find(ctx, t, actor, ref, domain.KindCapsule)
		if err != nil || group.Want.Absent {
			return err
		}
		return t.Remove(ctx, &group, control.Order{Actor: actor})
	})
}
