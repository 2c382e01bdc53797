package control

import (
	"context"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Hosts returns a page of the compute nodes.
func (c *Control) Hosts(ctx context.Context, p Page) (hosts []domain.Host, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		hosts, err = tx.Hosts().List(ctx, p)
		return err
	})
	for i := range hosts {
		hosts[i].Zone = c.zoneOf(hosts[i])
	}
	return hosts, err
}

// Host returns one compute node by uuid or name.
func (c *Control) Host(ctx context.Context, ident string) (host domain.Host, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		host, err = tx.Hosts().Get(ctx, ident)
		if domain.IsKind(err, domain.NotFound) {
			return domain.NewFault(domain.NotFound, "compute-node-not-found", "Compute node %s could not be found.", ident)
		}
		return err
	})
	host.Zone = c.zoneOf(host)
	return host, err
}

func (c *Control) zoneOf(h domain.Host) string {
	if h.Zone == "" {
		return c.options.DefaultZone
	}
	return h.Zone
}

// Zones lists the availability zones of all hosts, sorted, each once.
func (c *Control) Zones(ctx context.Context) ([]string, error) {
	hosts, err := c.Hosts(ctx, Page{})
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
func (c *Control) SetService(ctx context.Context, host, binary string, change ServiceChange) (h domain.Host, err error) {
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		if h, err = service(ctx, t.Tx, host, binary); err != nil {
			return err
		}
		if change.Disabled != nil {
			h.Disabled, h.DisabledReason = *change.Disabled, ""
		}
		if change.DisabledReason != nil && h.Disabled {
			h.DisabledReason = *change.DisabledReason
		}
		if change.ForcedDown != nil {
			h.ForcedDown = *change.ForcedDown
		}
		return t.Hosts().SetService(ctx, h)
	})
	return h, err
}

// DeleteService takes a host out of the fleet. A host with containers stays, as
// their rows would lead nowhere. It is the operator's word that the host is no more:
// what it still held of containers deleted by force is given up with it.
func (c *Control) DeleteService(ctx context.Context, host, binary string) error {
	return c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		h, err := service(ctx, t.Tx, host, binary)
		if err != nil {
			return err
		}
		holds, err := t.expel(ctx, h.ID)
		if holds {
			return domain.NewFault(domain.Conflict, "conflict", "Host %s still has containers.", host)
		}
		return err
	})
}

// expel takes a host out of the fleet; it must not be committed if holds says that the
// host has containers. The host first, because its row is what a create that chose it
// waits for. Its tombstones go, so that the sweep finds the ports kept for them.
func (t *Turn) expel(ctx context.Context, hostID string) (holds bool, err error) {
	if err := t.Hosts().Delete(ctx, hostID); err != nil {
		return false, err
	}
	rows, err := t.Containers().List(ctx, ContainerQuery{Scope: Everything(), HostID: hostID, Page: Page{Limit: 1}})
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

func service(ctx context.Context, tx Tx, host, binary string) (domain.Host, error) {
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

// Liveness returns the database's now and how long silence may last.
func (c *Control) Liveness(ctx context.Context) (now time.Time, downAfter time.Duration, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		now, err = tx.Hosts().Now(ctx)
		return err
	})
	return now, c.options.ServiceDownTime, err
}
