package local_test

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// leases is a store of nothing but networks. It lets reads and writes of one
// transaction interleave with others, as a database with weak isolation would, so that
// only InsertPort decides who gets an address.
type leases struct {
	mu       sync.Mutex
	networks []domain.LocalNetwork
	ports    []domain.LocalPort
}

type leaseTx struct {
	control.Tx // the other nouns are never asked for
	leases     *leases
}

func (l *leases) Read(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	return fn(ctx, leaseTx{leases: l})
}

func (l *leases) Glance(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	return l.Read(ctx, fn)
}

func (l *leases) Write(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	before := l.copyOf()
	if err := fn(ctx, leaseTx{leases: l}); err != nil {
		l.undoNetworks(before)
		return err
	}
	return nil
}

func (l *leases) copyOf() []domain.LocalNetwork {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.networks)
}

func (l *leases) undoNetworks(before []domain.LocalNetwork) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.networks = before
}

func (l *leases) Ping(context.Context) error { return nil }

func (tx leaseTx) Networks() control.Networks { return tx.leases }

func (l *leases) Ensure(_ context.Context, n domain.LocalNetwork) (domain.LocalNetwork, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, known := range l.networks {
		if known.ProjectID == n.ProjectID && known.Name == n.Name {
			return known, nil
		}
	}
	n.Index = int64(len(l.networks))
	l.networks = append(l.networks, n)
	return n, nil
}

func (l *leases) Get(_ context.Context, id string) (domain.LocalNetwork, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.networks {
		if n.ID == id {
			return n, nil
		}
	}
	return domain.LocalNetwork{}, domain.NewFault(domain.NotFound, "network-not-found", "Network %s could not be found.", id)
}

func (l *leases) List(_ context.Context, projectID string) ([]domain.LocalNetwork, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []domain.LocalNetwork
	for _, n := range l.networks {
		if projectID == "" || n.ProjectID == projectID {
			found = append(found, n)
		}
	}
	return found, nil
}

func (l *leases) InsertPort(_ context.Context, p domain.LocalPort) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, known := range l.ports {
		for _, a := range known.Addresses {
			same := func(b domain.NicAddress) bool { return a.Addr == b.Addr }
			if known.ID == p.ID || known.NetworkID == p.NetworkID && slices.ContainsFunc(p.Addresses, same) {
				return domain.NewFault(domain.Conflict, "address-in-use", "Address %s is in use.", a.Addr)
			}
		}
	}
	l.ports = append(l.ports, p)
	return nil
}

func (l *leases) Ports(_ context.Context, networkID string, id domain.ContainerID) ([]domain.LocalPort, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []domain.LocalPort
	for _, p := range l.ports {
		if (networkID == "" || p.NetworkID == networkID) && (id == "" || p.Container == id) {
			found = append(found, p)
		}
	}
	return found, nil
}

func (l *leases) Addresses(_ context.Context, networkID string) (map[netip.Addr]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	leased := map[netip.Addr]string{}
	for _, p := range l.ports {
		for _, a := range p.Addresses {
			if p.NetworkID == networkID {
				leased[a.Addr] = p.ID
			}
		}
	}
	return leased, nil
}

func (l *leases) DeletePort(_ context.Context, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ports = slices.DeleteFunc(l.ports, func(p domain.LocalPort) bool { return p.ID == id })
	return nil
}

func (l *leases) DeleteNetwork(_ context.Context, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.networks = slices.DeleteFunc(l.networks, func(n domain.LocalNetwork) bool { return n.ID == id })
	return nil
}
