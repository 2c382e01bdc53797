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
	return l.forEach(ctx, rows, func(row domain.Container) bool { return row.Ended() }, func(ctx context.Context, t *control.Turn, row *domain.Container) error {
		return t.Remove(ctx, row, control.Order{Actor: domain.SystemActor("")})
	})
}

// Heal rebuilds the containers that were lost by their engine and heal themselves.
// A rebuild begins a generation that was never made, so a failed one is not tried
// again and again.
func (l *Loops) Heal(ctx context.Context) (int, error) {
	rows, err := l.list(ctx, control.ContainerQuery{}, domain.Error)
	if err != nil {
		return 0, err
	}
	heals := func(row domain.Container) bool { return row.Spec.AutoHeal && row.Lost() }
	return l.forEach(ctx, rows, heals, func(ctx context.Context, t *control.Turn, row *domain.Container) error {
		_, err := t.Accept(ctx, row, control.Order{
			Verb: domain.VerbRebuild, Args: domain.ActionArgs{Run: row.Want.Running}, Actor: domain.SystemActor(""),
		})
		return err
	})
}

// forEach runs act in a turn of its own on every row that is idle and still applies.
func (l *Loops) forEach(ctx context.Context, rows []domain.Container, applies func(domain.Container) bool, act func(context.Context, *control.Turn, *domain.Container) error) (int, error) {
	did := 0
	for _, row := range rows {
		if !applies(row) {
			continue
		}
		err := l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
			row, err := t.Containers().Get(ctx, control.Everything(), row.ID)
			if domain.IsKind(err, domain.NotFound) {
				return nil
			}
			if err != nil || !applies(row) {
				return err
			}
			queue, err := t.Actions().Queue(ctx, row.ID)
			if err != nil || len(queue) > 0 {
				return err
			}
			return act(ctx, t, &row)
		})
		if err != nil {
			return did, wrap("act on "+string(row.ID), err)
		}
		did++
	}
	return did, nil
}
