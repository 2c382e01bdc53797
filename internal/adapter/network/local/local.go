package local

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Options shape the built-in networks. The zero value of each field but Deployment has
// a meaning of its own.
type Options struct {
	// Deployment is the deployment's id.
	Deployment string
	// Name is what a project's own network is called; empty: "private".
	Name string
	// Pool4 and Bits4 give the range of all IPv4 subnets and the length of each;
	// zero: 10.96.0.0/12 and 24, or the whole of a smaller
	// range.
	Pool4 netip.Prefix
	Bits4 int
	// Pool6 is the range of all IPv6 subnets, each a /64; zero: a unique local /48 of
	// the deployment's own.
	Pool6 netip.Prefix
	// IPv4Only leaves IPv6 out, whatever Pool6 says.
	IPv4Only bool
	// MTU of new networks in bytes; zero: 1500.
	MTU int
	// DNS are the name servers of containers and DNSSearch their search domains; nil:
	// those in ResolvConf, without loopback servers, which a container cannot reach.
	DNS, DNSSearch []string
	// ResolvConf lists resolver files of the host, of which the first with a usable
	// server counts; nil: the usual places.
	ResolvConf []string
	// Groups are enforced on every port; nil: ports are not filtered.
	Groups *Groups
}

// Local serves control.Networking from the store alone.
type Local struct {
	store control.Store
	opts  Options
	pools []pool
	log   *slog.Logger
}

var _ control.Networking = (*Local)(nil)

// New returns the built-in networks over store, or an error if the pools make no sense.
func New(store control.Store, opts Options, log *slog.Logger) (*Local, error) {
	if opts.Deployment == "" {
		return nil, fmt.Errorf("local networks: the deployment id is empty")
	}
	if opts.Name == "" {
		opts.Name = "private"
	}
	if opts.MTU == 0 {
		opts.MTU = 1500
	}
	if !opts.Pool4.IsValid() {
		opts.Pool4 = netip.MustParsePrefix("10.96.0.0/12")
	}
	if opts.Bits4 == 0 {
		opts.Bits4 = max(24, opts.Pool4.Bits()) // a smaller pool is one network
	}
	if !opts.Pool6.IsValid() {
		opts.Pool6 = uniqueLocal(opts.Deployment)
	}
	if opts.ResolvConf == nil {
		opts.ResolvConf = usualResolvConf()
	}
	v4 := pool{prefix: opts.Pool4.Masked(), bits: opts.Bits4}
	if !v4.prefix.Addr().Is4() || v4.bits < v4.prefix.Bits() || v4.bits > 30 {
		return nil, fmt.Errorf("local networks: no IPv4 subnets of /%d can be cut from %s", v4.bits, v4.prefix)
	}
	v6 := pool{prefix: opts.Pool6.Masked(), bits: 64}
	if !v6.prefix.Addr().Is6() || v6.bits < v6.prefix.Bits() {
		return nil, fmt.Errorf("local networks: no IPv6 subnets of /64 can be cut from %s", v6.prefix)
	}
	v4.first, v6.first = spread(opts.Deployment, v4.size()), spread(opts.Deployment, v6.size())
	pools := []pool{v4, v6}
	if opts.IPv4Only {
		pools = pools[:1]
	}
	return &Local{store: store, opts: opts, pools: pools, log: log}, nil
}

// Resolve turns nets into choices among the project's own networks; there are no ports
// of users, so a named port is NotFound.
func (l *Local) Resolve(ctx context.Context, actor domain.Actor, nets []domain.NetRequest) ([]domain.NetChoice, error) {
	if len(nets) == 0 {
		nets = []domain.NetRequest{{Network: l.opts.Name}}
	}
	choices := make([]domain.NetChoice, 0, len(nets))
	for _, request := range nets {
		if request.Port != "" {
			return nil, domain.NewFault(domain.NotFound, "port-not-found", "Port %s could not be found.", request.Port)
		}
		network, err := l.find(ctx, actor.ProjectID, request.Network)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(choices, func(c domain.NetChoice) bool { return c.NetworkID == network.ID }) {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "Network %s is named twice.", request.Network)
		}
		fixed, err := l.fixed(ctx, network, request)
		if err != nil {
			return nil, err
		}
		choices = append(choices, domain.NetChoice{NetworkID: network.ID, FixedIPs: fixed})
	}
	return choices, nil
}

// find returns the project's network of that id or name. The project's own network is
// made when it is first named.
func (l *Local) find(ctx context.Context, projectID, ident string) (domain.LocalNetwork, error) {
	var found []domain.LocalNetwork
	err := l.store.Glance(ctx, func(ctx context.Context, tx control.Tx) error {
		networks, err := tx.Networks().List(ctx, projectID)
		if err != nil {
			return fmt.Errorf("list networks: %w", err)
		}
		found = nil
		for _, n := range networks {
			if n.ID == ident || n.Name == ident {
				found = append(found, n)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return domain.LocalNetwork{}, fmt.Errorf("find network: %w", err)
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return domain.LocalNetwork{}, domain.NewFault(domain.Conflict, "conflict",
			"Multiple networks exist with same name. Please use the network id instead.")
	case ident == l.opts.Name:
		return l.make(ctx, projectID, l.opts.Name)
	}
	return domain.LocalNetwork{}, domain.NewFault(domain.NotFound, "network-not-found",
		"Network %s could not be found.", ident)
}

func (l *Local) make(ctx context.Context, projectID, name string) (domain.LocalNetwork, error) {
	wanted := domain.LocalNetwork{
		ID: uuid.NewString(), ProjectID: projectID, Name: name, MTU: l.opts.MTU,
	}
	var network domain.LocalNetwork
	err := l.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		if network, err = tx.Networks().Ensure(ctx, wanted); err != nil {
			return err //nolint:wrapcheck // wrapped once below
		}
		_, err = l.subnetsOf(network) // a network without subnets must not be kept
		return err
	})
	if err != nil {
		return domain.LocalNetwork{}, fmt.Errorf("make network: %w", err)
	}
	l.log.Info("local network ready", "network", network.ID, "project", projectID)
	return network, nil
}

// fixed reads and checks the addresses asked for.
func (l *Local) fixed(ctx context.Context, network domain.LocalNetwork, request domain.NetRequest) ([]netip.Addr, error) {
	subnets, err := l.subnetsOf(network)
	if err != nil {
		return nil, err
	}
	asked := []struct {
		text string
		six  bool
	}{{request.FixedV4, false}, {request.FixedV6, true}}
	var fixed []netip.Addr
	for _, a := range asked {
		if a.text == "" {
			continue
		}
		addr, err := netip.ParseAddr(a.text)
		if err != nil || addr.Is6() != a.six || addr.Zone() != "" || !leasableIn(subnets, addr) {
			return nil, domain.NewFault(domain.Invalid, "invalid-value",
				"IP address %s is not a valid IP for network %s.", a.text, request.Network)
		}
		fixed = append(fixed, addr)
	}
	if len(fixed) == 0 {
		return nil, nil
	}
	// Prepare decides; asking now spares the user a container that can only fail.
	taken, err := l.taken(ctx, network.ID)
	if err != nil {
		return nil, err
	}
	for _, addr := range fixed {
		if _, leased := taken[addr]; leased {
			return nil, inUse(addr)
		}
	}
	return fixed, nil
}

func (l *Local) taken(ctx context.Context, networkID string) (taken map[netip.Addr]string, err error) {
	err = l.store.Read(ctx, func(ctx context.Context, tx control.Tx) error {
		taken, err = tx.Networks().Addresses(ctx, networkID)
		return err //nolint:wrapcheck // wrapped once below
	})
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	return taken, nil
}

func leasableIn(subnets []domain.LocalSubnet, addr netip.Addr) bool {
	for _, s := range subnets {
		if leasable(s.Prefix, addr) {
			return true
		}
	}
	return false
}

func inUse(addr netip.Addr) error {
	return domain.NewFault(domain.Conflict, "conflict", "IP address %s is already in use.", addr)
}
