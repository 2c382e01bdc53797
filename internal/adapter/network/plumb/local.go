package plumb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/flows"
	"github.com/go-zun/zun/internal/adapter/network/plumb/groups"
	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/domain"
)

// maxLinkName is the longest name the kernel takes for a link.
const maxLinkName = 15

// localBinding wires ports of the built-in networks: one bridge per network, the
// gateway's addresses on it.
type localBinding struct {
	owner   mark.Owner
	uplinks []string
	rules   *firewall
	groups  *groups.Filter
	log     *slog.Logger

	// mu keeps bridges and host-wide rules in one hand; laid are the bridges that
	// the rules stand for since this process laid them.
	mu     sync.Mutex
	laid   map[string]bool
	warned bool // of a firewall that cannot be opened from here
}

func newLocalBinding(own mark.Owner, opts Options, log *slog.Logger) *localBinding {
	return &localBinding{
		owner:   own,
		uplinks: opts.Uplinks,
		rules:   &firewall{owner: own, access: opts.HostAccess, guarded: map[string]domain.Nic{}},
		groups:  groups.New(own),
		log:     log,
		laid:    map[string]bool{},
	}
}

func (l *localBinding) group() uint32 { return l.owner.Group }

// prepare makes the network's bridge and lays the port's rules, which go by the link's
// name and so can stand before it.
func (l *localBinding) prepare(_ context.Context, host *netlink.Handle, nic domain.Nic) error {
	if err := l.ensureNetwork(host, nic); err != nil {
		return err
	}
	if err := l.rules.guard(nic); err != nil {
		return err
	}
	return l.groups.Lay(nic)
}

// attach joins the host end to its network's bridge, which has no carrier of its own
// before its first port has one.
func (l *localBinding) attach(ctx context.Context, host *netlink.Handle, tap netlink.Link, nic domain.Nic) error {
	name, err := l.bridgeName(nic)
	if err != nil {
		return err
	}
	bridge, err := host.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find bridge %s: %w", name, err)
	}
	if err := join(host, tap, bridge, nic); err != nil {
		return err
	}
	var gateways []netip.Addr
	for _, a := range usable(nic.Addresses) {
		if a.Gateway.IsValid() {
			gateways = append(gateways, a.Gateway)
		}
	}
	return awaitReady(ctx, host, bridge.Attrs().Index, gateways)
}

// join makes tap a port of bridge and brings it up.
func join(host *netlink.Handle, tap, bridge netlink.Link, nic domain.Nic) error {
	attrs := tap.Attrs()
	if attrs.MasterIndex != bridge.Attrs().Index {
		if err := host.LinkSetMaster(tap, bridge); err != nil {
			return fmt.Errorf("join %s to %s: %w", attrs.Name, bridge.Attrs().Name, err)
		}
	}
	if err := seat(host, tap, bridge, nic); err != nil {
		return err
	}
	// The host's own address resolution listens at the bridge, not at its ports, where no filter is asked.
	if attrs.RawFlags&unix.IFF_NOARP == 0 {
		if err := host.LinkSetARPOff(tap); err != nil {
			return fmt.Errorf("keep the host deaf on %s: %w", attrs.Name, err)
		}
	}
	if err := host.LinkSetUp(tap); err != nil {
		return fmt.Errorf("bring %s up: %w", attrs.Name, err)
	}
	return nil
}

// rejoin takes ports in use back into their bridges that are up and in none: somebody took
// them out, or the bridge away. What is down is on its way, in or out.
func (l *localBinding) rejoin(host *netlink.Handle, links []netlink.Link, inUse []domain.Nic) error {
	var errs []error
	for _, nic := range inUse {
		at := slices.IndexFunc(links, func(link netlink.Link) bool {
			attrs := link.Attrs()
			return attrs.Name == mark.TapName(nic.PortID) && attrs.Group == l.owner.Group && attrs.MasterIndex == 0 && attrs.Flags&net.FlagUp != 0
		})
		if at < 0 {
			continue
		}
		name, err := l.bridgeName(nic)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		bridge, err := host.LinkByName(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("find bridge %s: %w", name, err))
			continue
		}
		l.log.Warn("a port was outside its bridge and is taken back", "port", nic.PortID, "bridge", name)
		errs = append(errs, join(host, links[at], bridge, nic))
	}
	return errors.Join(errs...)
}

// detach drops the port's rules, and the connections that would let others reach the next
// port of its addresses. Where those are not told they are read from the rules, which
// therefore go last. The bridge stays until Sync, because the next container of the
// project would only make it again.
func (l *localBinding) detach(_ context.Context, nic domain.Nic) error {
	port := mark.ShortPort(nic.PortID)
	if len(nic.Addresses) == 0 {
		own, err := l.rules.senders(port)
		if err != nil {
			return fmt.Errorf("read the port's addresses: %w", err)
		}
		nic.Addresses = own
	}
	flows.Forget(nic, flows.To, flows.From)
	if err := l.groups.Drop(port); err != nil {
		return err
	}
	if err := l.rules.unguard(port); err != nil {
		return fmt.Errorf("drop the port's rules: %w", err)
	}
	return nil
}

// ensureNetwork makes the bridge of nic's network and lays its rules, if that has not
// been done since they were last seen right.
func (l *localBinding) ensureNetwork(host *netlink.Handle, nic domain.Nic) error {
	name, err := l.bridgeName(nic)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bridge, err := findLink(host, name)
	if err != nil {
		return err
	}
	if bridge != nil && l.laid[name] {
		return filterBridge(bridge, nic) // ports that are in no group may have been first
	}
	if err := l.ensureBridge(host, name, nic); err != nil {
		return err
	}
	names, err := l.bridges(host)
	if err != nil {
		return err
	}
	return l.lay(host, names)
}

// bridgeName names the bridge of nic's network by the network's number.
func (l *localBinding) bridgeName(nic domain.Nic) (string, error) {
	index := nic.Binding.Details[domain.DetailIndex]
	name := l.owner.BridgePrefix() + index
	if index == "" || len(name) > maxLinkName || strings.ContainsAny(index, "/ :\x00") {
		return "", domain.NewFault(domain.Invalid, "port-binding-failed",
			"Binding failed for port %s: its network has no usable number (%q).", nic.PortID, index)
	}
	return name, nil
}

// bridges lists the names of our bridges.
func (l *localBinding) bridges(host *netlink.Handle) ([]string, error) {
	links, err := listLinks(host)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var names []string
	for _, link := range links {
		if l.isBridge(link) {
			names = append(names, link.Attrs().Name)
		}
	}
	return names, nil
}

func (l *localBinding) isBridge(link netlink.Link) bool {
	return link.Type() == "bridge" && strings.HasPrefix(link.Attrs().Name, l.owner.BridgePrefix())
}

// lay makes the host-wide rules fit the bridges; without any, none stand.
func (l *localBinding) lay(host *netlink.Handle, bridges []string) error {
	clear(l.laid)
	if len(bridges) > 0 && !l.warned && hasLegacyFilter() {
		l.warned = true
		l.log.Warn("the host filters with legacy iptables: if its FORWARD chain drops, containers reach nothing "+
			"until it accepts our bridges", "accept", "-i and -o "+l.owner.BridgePrefix()+"+")
	}
	uplinks, err := l.uplinksOf(host)
	if err != nil {
		return err
	}
	if err := l.rules.lay(bridges, uplinks); err != nil {
		return err
	}
	for _, name := range bridges {
		l.laid[name] = true
	}
	return nil
}

// sync makes everything host-wide fit the nics in use. The caller keeps plugs away.
func (l *localBinding) sync(host *netlink.Handle, inUse []domain.Nic) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	needed := map[string]bool{}
	// A bridge is filtered for a port that is in groups, so those ask first.
	slices.SortStableFunc(inUse, func(a, b domain.Nic) int { return min(len(b.Groups), 1) - min(len(a.Groups), 1) })
	for _, nic := range inUse {
		name, err := l.bridgeName(nic)
		if err == nil && !needed[name] {
			needed[name] = true
			err = l.ensureBridge(host, name, nic)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	links, err := listLinks(host)
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("list links: %w", err))...)
	}
	bridges, err := l.sweep(host, links, needed)
	if err != nil {
		errs = append(errs, err)
	}
	if err := l.lay(host, bridges); err != nil {
		errs = append(errs, err)
	}
	if err := l.syncGuards(links, inUse, len(bridges) > 0); err != nil {
		errs = append(errs, err) // what has no rules stays where it is
	} else if err := l.rejoin(host, links, inUse); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sweep removes bridges that nobody needs and no port uses; it returns those that stay.
func (l *localBinding) sweep(host *netlink.Handle, links []netlink.Link, needed map[string]bool) ([]string, error) {
	used := map[int]bool{}
	for _, link := range links {
		used[link.Attrs().MasterIndex] = true
	}
	var stay []string
	var errs []error
	for _, link := range links {
		if !l.isBridge(link) {
			continue
		}
		name := link.Attrs().Name
		if needed[name] || used[link.Attrs().Index] {
			stay = append(stay, name)
			continue
		}
		if err := host.LinkDel(link); err != nil && !isGone(err) {
			stay = append(stay, name)
			errs = append(errs, fmt.Errorf("delete bridge %s: %w", name, err))
			continue
		}
		l.log.Info("unused bridge removed", "bridge", name)
	}
	return stay, errors.Join(errs...)
}

// syncGuards lays the rules of the plugged ports in use again and drops those of ports
// that are gone. A plugged port that is not in inUse keeps what it has.
func (l *localBinding) syncGuards(links []netlink.Link, inUse []domain.Nic, standing bool) error {
	plugged := map[string]bool{}
	for _, link := range links {
		if link.Attrs().Group == l.owner.Group && strings.HasPrefix(link.Attrs().Name, "tap") {
			plugged[strings.TrimPrefix(link.Attrs().Name, "tap")] = true
		}
	}
	var nics []domain.Nic
	for _, nic := range inUse {
		if plugged[mark.ShortPort(nic.PortID)] {
			nics = append(nics, nic)
		}
	}
	if err := l.rules.syncGuards(slices.Clone(nics), plugged, standing); err != nil {
		return fmt.Errorf("guard the ports: %w", err)
	}
	for _, nic := range nics {
		delete(plugged, mark.ShortPort(nic.PortID))
	}
	var leaving []domain.Nic
	for port := range plugged {
		own, err := l.rules.senders(port)
		if err != nil {
			return fmt.Errorf("read the addresses of a port that leaves: %w", err)
		}
		leaving = append(leaving, domain.Nic{PortID: port, Addresses: own})
	}
	return l.groups.Sync(nics, leaving)
}
