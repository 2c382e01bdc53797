package local

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// maxLeaseTries bounds how often a lease is tried again after another writer took the
// address first. Each try looks at the leases anew and further apart.
const maxLeaseTries = 32

// Prepare leases one port per choice of c and returns the nics in the same order. A
// port's id follows from the container and the network, so that a repeated call finds
// what an earlier one made. Faults: Conflict (no address left, or the one asked for is
// taken), NotFound (a network is gone).
func (l *Local) Prepare(ctx context.Context, c domain.Container, _ string) ([]domain.Nic, error) {
	var nics []domain.Nic
	var err error
	for try := range maxLeaseTries {
		// The whole transaction is run again, because a dialect that met a conflict takes
		// no further statement in it.
		err = l.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
			nics, err = l.lease(ctx, tx.Networks(), c, skipOf(c.ID, try))
			return err
		})
		if err == nil || ctx.Err() != nil || !lostRace(err) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lease ports: %w", err)
	}
	servers, search := l.resolvers()
	for i := range nics {
		nics[i].DNS, nics[i].DNSSearch = servers, search
	}
	return nics, l.group(ctx, c, nics)
}

// group puts the nics of c into its security groups.
func (l *Local) group(ctx context.Context, c domain.Container, nics []domain.Nic) error {
	if l.opts.Groups == nil {
		return nil
	}
	groups, rules, err := l.opts.Groups.Rules(ctx, c)
	if err != nil {
		return err
	}
	for i := range nics {
		nics[i].Groups, nics[i].Rules = groups, rules
	}
	return nil
}

// skipOf spreads those who met over the free addresses; the first try takes the lowest.
func skipOf(id domain.ContainerID, try int) int {
	if try == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(id))
	return int(sum[try%len(sum)]) % (try * 4)
}

// lostRace says that an address was taken between the look and the lease, in the word
// of the store's contract. An address that the user named is not looked for elsewhere:
// its fault has another code.
func lostRace(err error) bool {
	return domain.IsKind(err, domain.Conflict) && domain.AsFault(err).Code == "address-in-use"
}

// lease finds or makes the ports of c within one transaction.
func (l *Local) lease(ctx context.Context, store control.Networks, c domain.Container, skip int) ([]domain.Nic, error) {
	nics := make([]domain.Nic, 0, len(c.Resolved))
	count := map[string]int{}
	for _, choice := range c.Resolved {
		network, err := store.Get(ctx, choice.NetworkID)
		if err != nil {
			return nil, fmt.Errorf("get network: %w", err)
		}
		request := leaseRequest{
			container: c, network: network, fixed: choice.FixedIPs, skip: skip,
			portID: derived(fmt.Sprintf("%s/%s/%d", c.ID, network.ID, count[network.ID])),
		}
		count[network.ID]++
		port, err := l.ensurePort(ctx, store, request)
		if err != nil {
			return nil, err
		}
		nics = append(nics, nicOf(network, port))
	}
	return nics, nil
}

// leaseRequest is one port to find or make.
type leaseRequest struct {
	container domain.Container
	network   domain.LocalNetwork
	fixed     []netip.Addr
	portID    string
	skip      int
}

func (l *Local) ensurePort(ctx context.Context, store control.Networks, r leaseRequest) (domain.LocalPort, error) {
	taken, err := store.Addresses(ctx, r.network.ID)
	if err != nil {
		return domain.LocalPort{}, fmt.Errorf("list leases: %w", err)
	}
	for _, holder := range taken {
		if holder == r.portID {
			return ownPort(ctx, store, r)
		}
	}
	addresses, err := l.choose(r, taken)
	if err != nil {
		return domain.LocalPort{}, err
	}
	port := domain.LocalPort{
		ID: r.portID, NetworkID: r.network.ID, ProjectID: r.container.ProjectID,
		Container: r.container.ID, MAC: macOf(r.portID), Addresses: addresses,
	}
	if err := store.InsertPort(ctx, port); err != nil {
		return domain.LocalPort{}, fmt.Errorf("insert lease: %w", err)
	}
	return port, nil
}

// ownPort returns the port of r, which an earlier call made.
func ownPort(ctx context.Context, store control.Networks, r leaseRequest) (domain.LocalPort, error) {
	own, err := store.Ports(ctx, r.network.ID, r.container.ID)
	if err != nil {
		return domain.LocalPort{}, fmt.Errorf("list the container's ports: %w", err)
	}
	for _, port := range own {
		if port.ID == r.portID {
			return port, nil
		}
	}
	// It was released since its addresses were read: look again.
	return domain.LocalPort{}, domain.NewFault(domain.Conflict, "address-in-use", "Port %s was just released.", r.portID)
}

// choose picks one address per subnet: the one asked for, else the lowest free.
func (l *Local) choose(r leaseRequest, taken map[netip.Addr]string) ([]domain.NicAddress, error) {
	subnets, err := l.subnetsOf(r.network)
	if err != nil {
		return nil, err
	}
	addresses := make([]domain.NicAddress, 0, len(subnets))
	for _, subnet := range subnets {
		addr, err := chooseIn(subnet.Prefix, r, taken)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, domain.NicAddress{
			SubnetID: subnet.ID, Addr: addr, Prefix: subnet.Prefix, Gateway: subnet.Gateway,
		})
	}
	return addresses, nil
}

func chooseIn(subnet netip.Prefix, r leaseRequest, taken map[netip.Addr]string) (netip.Addr, error) {
	if i := slices.IndexFunc(r.fixed, subnet.Contains); i >= 0 {
		if _, leased := taken[r.fixed[i]]; leased {
			return netip.Addr{}, inUse(r.fixed[i])
		}
		return r.fixed[i], nil
	}
	addr, ok := free(subnet, taken, r.skip)
	if !ok {
		return netip.Addr{}, domain.NewFault(domain.Conflict, "conflict",
			"No more IP addresses available on network %s: all of %s are in use.", r.network.Name, subnet)
	}
	return addr, nil
}

// Release drops the leases of nics, or all of the container's if none is named; a lease
// that is gone is no error.
func (l *Local) Release(ctx context.Context, id domain.ContainerID, nics []domain.Nic) error {
	named := map[string]bool{} // by port, or where that is not known by network
	for _, nic := range nics {
		named[cmp.Or(nic.PortID, nic.NetworkID)] = true
	}
	err := l.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		ports, err := tx.Networks().Ports(ctx, "", id)
		if err != nil {
			return fmt.Errorf("list leases: %w", err)
		}
		for _, port := range ports {
			if len(nics) > 0 && !named[port.ID] && !named[port.NetworkID] {
				continue
			}
			if err := tx.Networks().DeletePort(ctx, port.ID); err != nil && !domain.IsKind(err, domain.NotFound) {
				return fmt.Errorf("delete lease: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("release ports: %w", err)
	}
	return nil
}

// Leftovers returns the containers that hold leases although known denies them. known
// is asked after the transaction, since it may need the store itself.
func (l *Local) Leftovers(ctx context.Context, known func(domain.ContainerID) bool) ([]domain.ContainerID, error) {
	var ports []domain.LocalPort
	err := l.store.Read(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		ports, err = tx.Networks().Ports(ctx, "", "")
		return err //nolint:wrapcheck // wrapped once below
	})
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	var left []domain.ContainerID
	seen := map[domain.ContainerID]bool{}
	for _, port := range ports {
		if seen[port.Container] {
			continue
		}
		seen[port.Container] = true
		if !known(port.Container) {
			left = append(left, port.Container)
		}
	}
	return left, nil
}

// nicOf is port as a host must plug it. It is ready at once: nobody else has a say.
func nicOf(network domain.LocalNetwork, port domain.LocalPort) domain.Nic {
	return domain.Nic{
		PortID: port.ID, NetworkID: network.ID, MAC: port.MAC, MTU: network.MTU,
		Addresses: port.Addresses, Ready: true,
		Binding: domain.Binding{
			Type:    domain.BindingLocal,
			Details: map[string]string{domain.DetailIndex: strconv.FormatInt(network.Index, 36)},
		},
	}
}

// macOf is a locally administered unicast address that follows from the port's id.
func macOf(portID string) string {
	sum := sha256.Sum256([]byte("mac/" + portID))
	return net.HardwareAddr{sum[0]&^0x01 | 0x02, sum[1], sum[2], sum[3], sum[4], sum[5]}.String()
}
