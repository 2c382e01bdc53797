package loops

import (
	"context"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Regroup brings changed rules of security groups to the hosts. A container with
// unfinished actions waits for the next round, since those may change its interfaces.
func (l *Loops) Regroup(ctx context.Context) (int, error) {
	if l.groups == nil {
		return 0, nil
	}
	edition, err := l.groups.Edition(ctx)
	if err != nil || edition == l.edition {
		return 0, wrap("look for changed groups", err)
	}
	var rows []domain.Container
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		rows, err = tx.Containers().List(ctx, control.ContainerQuery{Scope: control.Everything()})
		return err
	})
	if err != nil {
		return 0, wrap("list containers", err)
	}
	did, all := 0, true
	for _, row := range rows {
		changed, waits, err := l.regroup(ctx, row)
		if err != nil {
			return did, wrap("give "+string(row.ID)+" its rules", err)
		}
		if changed {
			did++
		}
		all = all && !waits
	}
	if all {
		l.edition = edition
	}
	return did, nil
}

func (l *Loops) regroup(ctx context.Context, row domain.Container) (changed, waits bool, err error) {
	if row.HostID == "" || row.Want.Absent || len(row.Nics) == 0 {
		return false, false, nil
	}
	groups, rules, err := l.groups.Rules(ctx, row)
	if err != nil || !outdated(row.Nics, groups, rules) {
		return false, false, err
	}
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		changed, waits = false, false
		now, err := t.Containers().Get(ctx, control.Everything(), row.ID)
		if domain.IsKind(err, domain.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		queue, err := t.Actions().Queue(ctx, row.ID)
		if err != nil {
			return err
		}
		if waits = len(queue) > 0; waits || !slices.Equal(now.Spec.SecurityGroups, row.Spec.SecurityGroups) {
			waits = true
			return nil
		}
		now.Nics = slices.Clone(now.Nics)
		for i := range now.Nics {
			now.Nics[i].Groups, now.Nics[i].Rules = groups, rules
		}
		changed = true
		return t.Show(ctx, &now)
	})
	return changed && err == nil, waits, err
}

func outdated(nics []domain.Nic, groups []string, rules []domain.GroupRule) bool {
	return slices.ContainsFunc(nics, func(n domain.Nic) bool {
		return !slices.Equal(n.Groups, groups) || !slices.Equal(n.Rules, rules)
	})
}
