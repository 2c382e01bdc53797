package containers

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Act queues verb on a container. Legality is judged on the status that the
// container will have once its queue is done.
func (c *Containers) Act(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error) {
	switch verb {
	case domain.VerbStart, domain.VerbStop, domain.VerbReboot, domain.VerbPause, domain.VerbUnpause, domain.VerbKill, domain.VerbRebuild:
		return c.act(ctx, actor, ref, verb, args)
	case domain.VerbResizeContainer:
		change := control.Change{Name: args.Name, CPU: args.CPU, MemoryMB: args.MemoryMB, AutoHeal: args.AutoHeal}
		row, _, err := c.change(ctx, actor, ref, verb, change)
		return row, err
	default:
		return domain.Container{}, domain.NewFault(domain.Invalid, "invalid", "%s is not a queued action.", verb)
	}
}

func (c *Containers) act(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (row domain.Container, err error) {
	err = c.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		if row, err = control.Find(ctx, t.Tx, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		queue, err := t.MayQueue(ctx, row, verb)
		if err != nil {
			return err
		}
		if verb == domain.VerbRebuild {
			if err := c.judgeRebuild(ctx, t.Tx, row, args); err != nil {
				return err
			}
			args.Run = domain.Predict(row.Status, queue) == domain.Running
			if err := rebuildOwn(ctx, t, row, &args); err != nil {
				return err
			}
		}
		_, err = t.Accept(ctx, &row, control.Order{Verb: verb, Args: args, Actor: actor})
		return err
	})
	return row, err
}
