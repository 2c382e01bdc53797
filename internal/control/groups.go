package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// groupsAbility is the word by which a host is asked to enforce security groups.
const groupsAbility = "security-groups"

// findGroups resolves the groups that a create names.
func (c *Control) findGroups(ctx context.Context, actor domain.Actor, idents []string) ([]string, error) {
	switch {
	case len(idents) == 0:
		return nil, nil
	case c.groups == nil:
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "Security group %s not found.", idents[0])
	default:
		return c.groups.Find(ctx, actor, idents)
	}
}

// regroup queues that a container joins or leaves a security group. The prepare loop
// gives its ports the new rules, and its host lays them.
func (c *Control) regroup(ctx context.Context, actor domain.Actor, ref Ref, verb domain.Verb, args domain.ActionArgs) (row domain.Container, err error) {
	if c.groups == nil {
		return row, domain.NewFault(domain.Unsupported, "operation-not-supported", "The configured network driver does not support %s.", verb)
	}
	found, err := c.groups.Find(ctx, actor, []string{args.Group})
	if err != nil {
		return row, err
	}
	standard, err := c.groups.Default(ctx, actor.ProjectID)
	if err != nil {
		return row, fmt.Errorf("look up the default group: %w", err)
	}
	args.Group = found[0]
	err = c.commit(ctx, func(ctx context.Context, t *Turn) error {
		if row, err = find(ctx, t.Tx, actor, ref); err != nil {
			return err
		}
		if err := t.mayRewire(ctx, row, verb); err != nil {
			return err
		}
		if len(row.Spec.SecurityGroups) == 0 && len(row.Spec.ExposedPorts) == 0 {
			row.Spec.SecurityGroups = []string{standard} // what it is in already, by its name
		}
		if err := checkGroup(row, verb, args.Group); err != nil {
			return err
		}
		_, err = t.Accept(ctx, &row, Order{Verb: verb, Args: args, Actor: actor})
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
