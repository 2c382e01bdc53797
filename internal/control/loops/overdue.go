package loops

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Overdue ends the actions that made no progress for too long or that took too
// long in all.
func (l *Loops) Overdue(ctx context.Context) (int, error) {
	var late []domain.Action
	err := l.control.Look(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		late, err = tx.Actions().Overdue(ctx, l.control.Options().ActionSilence, batch)
		return err
	})
	if err != nil {
		return 0, wrap("look for overdue actions", err)
	}
	did := 0
	for _, a := range late {
		ended := false
		err := l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) (err error) {
			ended, err = overrun(ctx, t, a)
			return err
		})
		if err != nil {
			return did, wrap("end an overdue action", err)
		}
		if ended {
			did++
		}
	}
	return did, nil
}
