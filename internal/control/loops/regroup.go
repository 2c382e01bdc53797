package loops

import (
	"context"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Regroup brings changed rules of security groups to the hosts. A container with
// unfinished actions waits for the next round, since those may change its interfaces, or
// are just making them under the rules of before.
func (l *Loops) Regroup(ctx context.Context) (int, error) {
	if l.groups == nil {
		return 0, nil
	}
	edition, err := l.groups.Edition(ctx)
	if err != nil || edition == l.edition && len(l.ungrouped) == 0 {
		return 0, wrap("look for changed groups", err)
	}
	look := l.everySubject
	if edition == l.edition {
		look = l.stillUngrouped
	}
	var subjects []subject
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		subjects, err = look(ctx, tx)
		return err
	})
	if err != nil {
		return 0, wrap("list containers", err)
	}
	did := 0
	var ungrouped []domain.ContainerID
	for _, s := range subjects {
		changed, waits, err := l.regroup(ctx, s)
		if err != nil {
			return did, wrap("give "+string(s.ID)+" its rules", err)
		}
		if changed {
			did++
		}
		if waits {
			ungrouped = append(ungrouped, s.ID)
		}
	}
	l.edition, l.ungrouped = edition, ungrouped
	return did, nil
}

// subject is a container and whether it has unfinished actions. Both are read at one moment,
// after the edition was: an action that is accepted later prepares under its rules anyway.
type subject struct {
	domain.Container
	busy bool
}

func subjectOf(ctx context.Context, tx control.Tx, row domain.Container) (subject, error) {
	queue, err := tx.Actions().Queue(ctx, row.ID)
	return subject{row, len(queue) > 0}, err
}

func (l *Loops) everySubject(ctx context.Context, tx control.Tx) ([]subject, error) {
	rows, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: control.Everything()})
	if err != nil {
		return nil, err
	}
	subjects := make([]subject, len(rows))
	for i, row := range rows {
		if subjects[i], err = subjectOf(ctx, tx, row); err != nil {
			return nil, err
		}
	}
	return subjects, nil
}

func (l *Loops) stillUngrouped(ctx context.Context, tx control.Tx) (subjects []subject, err error) {
	for _, id := range l.ungrouped {
		row, err := tx.Containers().Get(ctx, control.Everything(), id)
		if domain.IsKind(err, domain.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s, err := subjectOf(ctx, tx, row)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

func (l *Loops) regroup(ctx context.Context, s subject) (changed, waits bool, err error) {
	if s.Want.Absent {
		return false, false, nil
	}
	groups, rules, err := l.groups.Rules(ctx, s.Container)
	if err != nil || s.busy || s.HostID == "" || !outdated(s.Nics, groups, rules) {
		return false, s.busy, err
	}
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		changed, waits = false, false
		now, err := t.Containers().Get(ctx, control.Everything(), s.ID)
		if domain.IsKind(err, domain.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		queue, err := t.Actions().Queue(ctx, s.ID)
		if err != nil {
			return err
		}
		if waits = len(queue) > 0; waits || !slices.Equal(now.Spec.SecurityGroups, s.Spec.SecurityGroups) {
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
