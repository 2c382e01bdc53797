package insides

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Follow tells sink what a container prints until its end, which is the last record.
// ctx is the follower's life. Unavailable says that the host broke off.
func (i *Insides) Follow(ctx context.Context, actor domain.Actor, ref control.Ref, q domain.FollowQuery, sink control.FollowSink) error {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbLogs)
	if err != nil {
		return err
	}
	err = calls.Output().Follow(ctx, row.ID, q, sink)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return answered(ctx, row, err)
}
