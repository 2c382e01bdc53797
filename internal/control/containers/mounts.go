package containers

import (
	"context"

	"github.com/go-zun/zun/internal/domain"
)

// checkMounts refuses what no back end here can give. A volume of a size that no host
// can hold to it is refused with the reason of a host, rather than made without bound.
func (c *Containers) checkMounts(ctx context.Context, actor domain.Actor, mounts []domain.MountRequest, g grounds) error {
	judge := func() error { return domain.WithoutVolumes(mounts) }
	if c.volumes != nil {
		judge = func() error { return c.volumes.Resolve(ctx, actor, mounts) }
	}
	if err := judge(); err != nil {
		return err
	}
	if err := domain.CheckMounts(mounts); err != nil {
		return err
	}
	if domain.VolumeGB(mounts) == 0 {
		return nil
	}
	reason := "no host has told what it offers"
	for i := range g.fleet.Hosts {
		offer := g.fleet.Hosts[i].Inventory
		if offer.VolumeLimit != "" {
			return nil
		}
		if offer.VolumeReason != "" {
			reason = offer.VolumeReason
		}
	}
	return domain.NewFault(domain.Invalid, "volume-create-failed", "No host can make a volume of a size: %s.", reason)
}
