package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Hosts returns a page of the compute nodes.
func (f *Fleet) Hosts(ctx context.Context, p control.Page) (hosts []domain.Host, err error) {
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		hosts, err = tx.Hosts().List(ctx, p)
		return err
	})
	for i := range hosts {
		hosts[i].Zone = f.zoneOf(hosts[i])
	}
	return hosts, err
}

// Host returns one compute node by uuid or name.
func (f *Fleet) Host(ctx context.Context, ident string) (host domain.Host, err error) {
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		host, err = tx.Hosts().Get(ctx, ident)
		if domain.IsKind(err, domain.NotFound) {
			return domain.NewFault(domain.NotFound, "compute-node-not-found", "Compute node %s could not be found.", ident)
		}
		return err
	})
	host.Zone = f.zoneOf(host)
	return host, err
}

func (f *Fleet) zoneOf(h domain.Host) string {
	if h.Zone == "" {
		return f.control.Options().DefaultZone
	}
	return h.Zone
}

// Zones lists the availability zones of all hosts, sorted, each once.
func (f *Fleet) Zones(ctx context.Context) ([]string, error) {
	hosts, err := f.Hosts(ctx, control.Page{})
	if err != nil {
		return nil, err
	}
	zones := make([]string, 0, len(hosts))
	for _, h := range hosts {
		zones = append(zones, h.Zone)
	}
	slices.Sort(zones)
	return slices.Compact(zones), nil
}

// SetService changes what is not nil of a service. Enabling takes the reason away.
func (f *Fleet) SetService(ctx context.Context, host, binary string, change control.ServiceChange) (h domain.Host, err error) {
	err = f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if h, err = service(ctx, t, host, binary); err != nil {
			return err
		}
		write := change
		if change.Disabled != nil {
			h.Disabled, h.DisabledReason = *change.Disabled, ""
			write.DisabledReason = &h.DisabledReason
		}
		if change.DisabledReason != nil && h.Disabled {
			h.DisabledReason = *change.DisabledReason
			write.DisabledReason = &h.DisabledReason
		}
		if !h.Disabled && change.Disabled == nil {
			write.DisabledReason = nil // of what is enabled there is none
		}
		if change.ForcedDown != nil {
			h.ForcedDown = *change.ForcedDown
		}
		return t.Hosts().SetService(ctx, h.ID, write)
	})
	return h, err
}

// DeleteService takes a host out of the fleet. A host with containers stays, as
// their rows would lead nowhere. It is the operator's word that the host is no more:
// what it still held of containers deleted by force is given up with it.
func (f *Fleet) DeleteService(ctx context.Context, host, binary string) error {
	return f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		h, err := service(ctx, t, host, binary)
		if err != nil {
			return err
		}
		holds, err := expel(ctx, t, h.ID)
		if holds {
			return domain.NewFault(domain.Conflict, "conflict", "Host %s still has containers.", host)
		}
		return err
	})
}

// expel takes a host out of the fleet; it must not be committed if holds says that the
// host has containers. The host first, because its row is what a create that chose it
// waits for. Its certificates are good no more. Its tombstones go, so that the sweep
// finds the ports kept for them.
func expel(ctx context.Context, t *control.Turn, hostID string) (holds bool, err error) {
	if err := t.Hosts().Delete(ctx, hostID); err != nil {
		return false, err
	}
	if err := t.Trust().Admissions().Revoke(ctx, hostID); err != nil && !domain.IsKind(err, domain.NotFound) {
		return false, err
	}
	rows, err := t.Containers().List(ctx, control.ContainerQuery{Scope: control.Everything(), HostID: hostID, Page: control.Page{Limit: 1}})
	if err != nil || len(rows) > 0 {
		return len(rows) > 0, err
	}
	graves, err := t.Containers().Tombstones().Since(ctx, hostID, 0)
	for _, grave := range graves {
		if err := t.Containers().Tombstones().Drop(ctx, grave.ID); err != nil {
			return false, err
		}
	}
	return false, err
}

func service(ctx context.Context, tx control.Tx, host, binary string) (domain.Host, error) {
	h, err := tx.Hosts().Get(ctx, host)
	unknown := domain.IsKind(err, domain.NotFound)
	if err != nil && !unknown {
		return h, err
	}
	if unknown || h.Name != host || h.Binary != binary {
		return h, domain.NewFault(domain.NotFound, "zun-service-not-found", "Zun service %s on host %s could not be found.", binary, host)
	}
	return h, nil
}

// UpHosts returns the hosts that are up.
func (f *Fleet) UpHosts(ctx context.Context) (up []domain.Host, err error) {
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		all, err := tx.Hosts().List(ctx, control.Page{})
		if err != nil {
			return err
		}
		now, err := tx.Hosts().Now(ctx)
		up = nil
		for _, h := range all {
			if h.Up(now, f.control.Options().ServiceDownTime) {
				up = append(up, h)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for hosts that are up: %w", err)
	}
	return up, nil
}

// Liveness returns the database's now and how long silence may last.
func (f *Fleet) Liveness(ctx context.Context) (now time.Time, downAfter time.Duration, err error) {
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		now, err = tx.Hosts().Now(ctx)
		return err
	})
	return now, f.control.Options().ServiceDownTime, err
}
