package books

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Actions returns the recorded actions of a container, newest first.
func (b *Books) Actions(ctx context.Context, actor domain.Actor, ref control.Ref) (shown []domain.Action, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		shown, err = history(ctx, tx, actor, ref)
		return err
	})
	return shown, err
}

// Action returns the newest action of a request with its events.
func (b *Books) Action(ctx context.Context, actor domain.Actor, ref control.Ref, requestID string) (found domain.Action, events []domain.Event, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		all, err := history(ctx, tx, actor, ref)
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.RequestID == requestID {
				found = a
				events, err = tx.Actions().Events().List(ctx, a.ID)
				return err
			}
		}
		return domain.NewFault(domain.NotFound, "resource-not-found", "The Action resource %s could not be found.", requestID)
	})
	return found, events, err
}

func history(ctx context.Context, tx control.Tx, actor domain.Actor, ref control.Ref) ([]domain.Action, error) {
	row, err := control.Find(ctx, tx, actor, ref, domain.KindContainer)
	if err != nil {
		return nil, err
	}
	all, err := tx.Actions().History(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	shown := make([]domain.Action, 0, len(all))
	for _, a := range all {
		if domain.Recorded(a.Verb) {
			shown = append(shown, a)
		}
	}
	return shown, nil
}
