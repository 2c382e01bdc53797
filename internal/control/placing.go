package control

import (
	"context"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// Choose picks a host for spec among those not in refused; fits is false when there
// is none. The choice is only a proposal until Turn.Occupy has taken the claim.
func (c *Control) Choose(ctx context.Context, spec domain.Spec, refused []string) (host domain.Host, fits bool, err error) {
	var fleet place.Snapshot
	err = c.Look(ctx, func(ctx context.Context, tx Tx) error {
		fleet, err = c.fleet(ctx, tx)
		return err
	})
	if err != nil {
		return host, false, err
	}
	host, reasons, fits := c.picker.Pick(fleet, place.NeedOf(spec, refused))
	if !fits {
		c.log.WarnContext(ctx, "no valid host", "reasons", reasons.String())
	}
	return host, fits, nil
}

// Look runs fn in one read transaction.
func (c *Control) Look(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return c.store.Read(ctx, fn)
}
