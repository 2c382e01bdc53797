package loops

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Autoremove deletes the containers that remove themselves and have ended.
func (l *Loops) Autoremove(ctx context.Context) (int, error) {
	yes := true
	query := control.ContainerQuery{Filters: control.ContainerFilters{AutoRemove: &yes}}
	rows, err := l.list(ctx, query, domain.Stopped, domain.Deleted)
	if err != nil {
		return 0, err
	}
	return l.forEach(ctx, rows, func(row domain.Container) bool { return row.Ended() }, func(ctx context.Context, t *control.Turn, row *domain.Container, actor domain.Actor) error {
		return t.Remove(ctx, row, control.Order{Actor: actor})
	})
}

// Heal rebuilds the containers that were lost by their engine and heal themselves.
// A rebuild begins a generation that was never made, so a failed one is not tried
// again and again.
func (l *Loops) Heal(ctx context.Context) (int, error) {
	yes := true
	rows, err := l.list(ctx, control.ContainerQuery{Filters: control.ContainerFilters{AutoHeal: &yes}}, domain.Error)
	if err != nil {
		return 0, err
	}
	heals := func(row domain.Container) bool { return row.Spec.AutoHeal && row.Lost() } // it may have been turned off meanwhile
	return l.forEach(ctx, rows, heals, func(ctx context.Context, t *control.Turn, row *domain.Container, actor domain.Actor) error {
		_, err := t.Accept(ctx, row, control.Order{
			Verb: domain.VerbRebuild, Args: domain.ActionArgs{Run: row.Want.Running}, Actor: actor,
		})
		return err
	})
}

// chore is what forEach does to one container in the name of actor.
type chore func(ctx context.Context, t *control.Turn, row *domain.Container, actor domain.Actor) error

// forEach does the chore, each in a turn of its own, on every row that is idle and
// still applies.
func (l *Loops) forEach(ctx context.Context, rows []domain.Container, applies func(domain.Container) bool, do chore) (int, error) {
	did := 0
	for _, row := range rows {
		if !applies(row) {
			continue
		}
		done, err := l.once(ctx, row.ID, applies, do)
		if err != nil {
			return did, wrap("act on "+string(row.ID), err)
		}
		if done {
			did++
		}
	}
	return did, nil
}

func (l *Loops) once(ctx context.Context, id domain.ContainerID, applies func(domain.Container) bool, do chore) (done bool, err error) {
	actor, err := l.control.Itself()
	if err != nil {
		return false, err
	}
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		done = false
		row, err := t.Containers().Get(ctx, control.Everything(), id)
		if domain.IsKind(err, domain.NotFound) {
			return nil
		}
		if err != nil || !applies(row) {
			return err
		}
		queue, err := t.Actions().Queue(ctx, id)
		if err != nil || len(queue) > 0 {
			return err
		}
		done = true
		return do(ctx, t, &row, actor)
	})
	return done && err == nil, err
}
