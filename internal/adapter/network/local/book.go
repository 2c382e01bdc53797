package local

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

var _ control.NetworkBook = (*Local)(nil)

// CreateNetwork makes a network of the actor's project called name; a name that the
// project has already is a Conflict.
func (l *Local) CreateNetwork(ctx context.Context, actor domain.Actor, name string) (domain.LocalNetwork, error) {
	known, err := l.Networks(ctx, actor, false)
	if err != nil {
		return domain.LocalNetwork{}, err
	}
	for _, n := range known {
		if n.Name == name {
			return domain.LocalNetwork{}, domain.NewFault(domain.Conflict, "network-already-exists", "A network with name %s already exists.", name)
		}
	}
	return l.make(ctx, actor.ProjectID, name)
}

// Networks returns those of the actor's project, or of all, oldest first.
func (l *Local) Networks(ctx context.Context, actor domain.Actor, allProjects bool) (found []domain.LocalNetwork, err error) {
	project := actor.ProjectID
	if allProjects {
		project = ""
	}
	err = l.store.Read(ctx, func(ctx context.Context, tx control.Tx) error {
		found, err = tx.Networks().List(ctx, project)
		return err //nolint:wrapcheck // wrapped once below
	})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	return found, nil
}

// Network returns one by its id; those of other projects are seen by administrators.
func (l *Local) Network(ctx context.Context, actor domain.Actor, id string) (domain.LocalNetwork, error) {
	found, err := l.Networks(ctx, actor, actor.IsAdmin)
	if err != nil {
		return domain.LocalNetwork{}, err
	}
	for _, n := range found {
		if n.ID == id {
			return n, nil
		}
	}
	return domain.LocalNetwork{}, unknownNetwork(id)
}

func unknownNetwork(id string) error {
	return domain.NewFault(domain.NotFound, "network-not-found", "Neutron network %s could not be found.", id) // the original's words, whoever has the networks
}

// DeleteNetwork removes a network without ports; one in use is a Conflict. Hosts take
// their bridges down by themselves once nothing is plugged.
func (l *Local) DeleteNetwork(ctx context.Context, actor domain.Actor, id string) error {
	network, err := l.Network(ctx, actor, id)
	if err != nil {
		return err
	}
	err = l.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		ports, err := tx.Networks().Ports(ctx, network.ID, "")
		if err != nil {
			return err //nolint:wrapcheck // wrapped once below
		}
		if len(ports) > 0 {
			return domain.NewFault(domain.Conflict, "conflict", "Network %s is in use by a container.", id)
		}
		return tx.Networks().DeleteNetwork(ctx, network.ID) //nolint:wrapcheck // wrapped once below
	})
	if err != nil {
		return fmt.Errorf("delete network: %w", err)
	}
	return nil
}
