package sqlstore

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/domain"
)

type networks struct{ *tx }

func networkFields(n *domain.LocalNetwork) []column.Field {
	return []column.Field{
		column.Text("uuid", &n.ID),
		column.Text("project_id", &n.ProjectID),
		column.Text("name", &n.Name),
		column.Number("position", &n.Index),
		column.Number("mtu", &n.MTU),
		column.Document("subnets", &n.Subnets),
	}
}

func portFields(p *domain.LocalPort) []column.Field {
	return []column.Field{
		column.Text("uuid", &p.ID),
		column.Text("network_uuid", &p.NetworkID),
		column.Text("project_id", &p.ProjectID),
		column.Text("container_uuid", &p.Container),
		column.Text("mac", &p.MAC),
		column.Document("addresses", &p.Addresses),
	}
}

func networkNotFound(ident string) error { return notFound("network-not-found", "Network", ident) }

func (s networks) Ensure(ctx context.Context, n domain.LocalNetwork) (domain.LocalNetwork, error) {
	all, err := s.List(ctx, "")
	if err != nil {
		return domain.LocalNetwork{}, err
	}
	taken := make(map[int64]bool, len(all))
	for _, other := range all {
		if other.ProjectID == n.ProjectID && other.Name == n.Name {
			return other, nil
		}
		taken[other.Index] = true
	}
	for n.Index = 0; taken[n.Index]; {
		n.Index++
	}
	return n, s.again(s.insert(ctx, "local_networks", networkFields(&n)))
}

func (s networks) Get(ctx context.Context, id string) (domain.LocalNetwork, error) {
	return one(ctx, s.tx, networkNotFound(id), networkFields, "FROM local_networks WHERE uuid = ?", id)
}

// List returns the networks of a project ("" for any), oldest first.
func (s networks) List(ctx context.Context, projectID string) ([]domain.LocalNetwork, error) {
	var where clause.Where
	if projectID != "" {
		where.Add("project_id = ?", projectID)
	}
	return rows(ctx, s.tx, networkFields, "FROM local_networks"+where.String()+" ORDER BY id", where.Args...)
}

// InsertPort inserts a port only while nobody has its addresses, so that after its
// Conflict the transaction is still good and another address may be tried.
func (s networks) InsertPort(ctx context.Context, p domain.LocalPort) error {
	leases, args := make([]string, len(p.Addresses)), []any{}
	var others clause.Where
	others.Add("network_uuid = ?", p.NetworkID)
	addresses := make([]string, len(p.Addresses))
	for i, a := range p.Addresses {
		addresses[i] = a.Addr.String()
		leases[i], args = "(?, ?, ?)", append(args, p.NetworkID, addresses[i], p.ID)
	}
	clause.Among(&others, "address", addresses)
	free := "NOT EXISTS (SELECT 1 FROM local_addresses" + others.String() + ")"
	matched, err := s.insertIf(ctx, "local_ports", portFields(&p), free, others.Args...)
	switch {
	case s.meant(err, dialect.Referred):
		return networkNotFound(p.NetworkID)
	case err != nil:
		return err
	case matched == 0:
		return domain.NewFault(domain.Conflict, "address-in-use", "The address %s is already in use.", strings.Join(addresses, " or "))
	}
	_, err = s.exec(ctx, "INSERT INTO local_addresses (network_uuid, address, port_uuid) VALUES "+strings.Join(leases, ", "), args...)
	return s.again(err)
}

func (s networks) Ports(ctx context.Context, networkID string, id domain.ContainerID) ([]domain.LocalPort, error) {
	var where clause.Where
	if networkID != "" {
		where.Add("network_uuid = ?", networkID)
	}
	if id != "" {
		where.Add("container_uuid = ?", string(id))
	}
	return rows(ctx, s.tx, portFields, "FROM local_ports"+where.String()+" ORDER BY id", where.Args...)
}

// lease is one address with the port that has it.
type lease struct{ address, portID string }

func leaseFields(l *lease) []column.Field {
	return []column.Field{column.Text("address", &l.address), column.Text("port_uuid", &l.portID)}
}

// Addresses reads the leases alone: a port is a document, and a network has hundreds.
func (s networks) Addresses(ctx context.Context, networkID string) (map[netip.Addr]string, error) {
	found, err := rows(ctx, s.tx, leaseFields, "FROM local_addresses WHERE network_uuid = ?", networkID)
	if err != nil {
		return nil, err
	}
	leased := make(map[netip.Addr]string, len(found))
	for _, l := range found {
		addr, err := netip.ParseAddr(l.address)
		if err != nil {
			return nil, fmt.Errorf("read lease: %w", err)
		}
		leased[addr] = l.portID
	}
	return leased, nil
}

// DeletePort ends the leases with the port; a missing one is no error.
func (s networks) DeletePort(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM local_ports WHERE uuid = ?", id)
	return err
}

// DeleteNetwork is a Conflict while the network has ports; a missing one is no error.
func (s networks) DeleteNetwork(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM local_networks WHERE uuid = ?", id)
	if s.meant(err, dialect.Referred) {
		return domain.WrapFault(err, domain.Conflict, "network-in-use", "Network %s still has ports.", id)
	}
	return err
}
