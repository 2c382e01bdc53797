package wiring

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// regroup queues that a container joins or leaves a security group. The prepare loop
// gives its ports the new rules, and its host lays them.
func (w *Wiring) regroup(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (row domain.Container, err error) {
	if w.groups == nil {
		return row, domain.NewFault(domain.Unsupported, "operation-not-supported", "The configured network driver does not support %s.", verb)
	}
	found, err := w.groups.Find(ctx, actor, []string{args.Group})
	if err != nil {
		return row, err
	}
	standard, err := w.groups.Default(ctx, actor.ProjectID)
	if err != nil {
		return row, fmt.Errorf("look up the default group: %w", err)
	}
	args.Group = found[0]
	err = w.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		if row, err = control.Find(ctx, t, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		if err := mayRewire(ctx, t, row, verb); err != nil {
			return err
		}
		if len(row.Spec.SecurityGroups) == 0 && len(row.Spec.ExposedPorts) == 0 {
			row.Spec.SecurityGroups = []string{standard} // what it is in already, by its name
		}
		if err := checkGroup(row, verb, args.Group); err != nil {
			return err
		}
		_, err = t.Accept(ctx, &row, control.Order{Verb: verb, Args: args, Actor: actor})
		return err
	})
	return row, err
}

func checkGroup(row domain.Container, verb domain.Verb, group string) error {
	switch in := slices.Contains(row.Spec.SecurityGroups, group); {
	case in && verb == domain.VerbAddGroup:
		return domain.NewFault(domain.Invalid, "invalid", "Security group %s has been added to container.", group)
	case !in && verb == domain.VerbRemoveGroup:
		return domain.NewFault(domain.Invalid, "invalid", "Security group %s was not added to container.", group)
	}
	return nil
}
