package plumb

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// ensureBridge makes the bridge of nic's network with its gateway addresses, and lets
// packets through it. It may be repeated; what is half made is completed.
func (l *localBinding) ensureBridge(host *netlink.Handle, name string, nic domain.Nic) error {
	bridge, err := findLink(host, name)
	if err != nil {
		return err
	}
	if bridge == nil {
		// Overlaps are looked for before anything stands, so that a refusal leaves nothing.
		if err := checkOverlap(host, nic, 0); err != nil {
			return err
		}
		if bridge, err = l.makeBridge(host, name, nic.MTU); err != nil {
			return err
		}
	} else if err := checkOverlap(host, nic, bridge.Attrs().Index); err != nil {
		return err
	}
	for _, a := range usable(nic.Addresses) {
		if !a.Gateway.IsValid() {
			continue
		}
		if err := host.AddrReplace(bridge, linkAddress(a.Gateway, a.Prefix)); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, a.Gateway, err)
		}
	}
	if err := l.openForwarding(host, name); err != nil {
		return err
	}
	if err := filterBridge(bridge, nic); err != nil {
		return err
	}
	if err := host.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return nil
}

func (l *localBinding) makeBridge(host *netlink.Handle, name string, mtu int) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	attrs.MTU = mtu
	attrs.HardwareAddr = l.owner.BridgeMAC(name)
	// Without a querier on the bridge, snooping can only lose neighbour discovery.
	snoop := false
	err := host.LinkAdd(&netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snoop})
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make bridge %s: %w", name, err)
	}
	bridge, err := host.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find new bridge %s: %w", name, err)
	}
	return bridge, nil
}

// checkOverlap refuses subnets that the host already routes elsewhere than through the
// link own: a container there, or the place behind that route, could not be reached.
func checkOverlap(host *netlink.Handle, nic domain.Nic, own int) error {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := host.RouteList(nil, family)
		if err != nil {
			return fmt.Errorf("list routes: %w", err)
		}
		for _, route := range routes {
			if own != 0 && route.LinkIndex == own {
				continue
			}
			if err := overlapOf(host, nic, route); err != nil {
				return err
			}
		}
	}
	return nil
}

func overlapOf(host *netlink.Handle, nic domain.Nic, route netlink.Route) error {
	if route.Dst == nil {
		return nil
	}
	addr, ok := netip.AddrFromSlice(route.Dst.IP)
	bits, _ := route.Dst.Mask.Size()
	if !ok || bits == 0 {
		return nil // the default route covers everything and is no overlap
	}
	taken := netip.PrefixFrom(addr.Unmap(), bits)
	for _, a := range nic.Addresses {
		if !a.Prefix.Overlaps(taken) {
			continue
		}
		where := "by a route without a link"
		if link, err := host.LinkByIndex(route.LinkIndex); err == nil {
			where = "on " + link.Attrs().Name
		}
		return domain.NewFault(domain.Conflict, "conflict",
			"The local network %s overlaps %s, which this host uses %s; another address pool must be configured.",
			a.Prefix, taken, where)
	}
	return nil
}

// openForwarding lets packets through the bridge and back from the uplinks. IPv4 has a
// switch per link. IPv6 has one since Linux 6.17; before, only all links together, which
// makes the host deaf to router advertisements, so links that listen are told to go on.
func (l *localBinding) openForwarding(host *netlink.Handle, bridge string) error {
	links, err := l.uplinksOf(host)
	if err != nil {
		return err
	}
	links = append(links, bridge)
	for _, link := range links {
		if err := writeSwitch(filepath.Join(sysctlIPv4, link, "forwarding"), "1"); err != nil {
			return err
		}
	}
	if !hostHasIPv6() {
		return nil
	}
	if err := writeSwitch(filepath.Join(sysctlIPv6, bridge, "accept_ra"), "0"); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(sysctlIPv6, bridge, "force_forwarding")); err != nil {
		return forwardAllIPv6()
	}
	for _, link := range links {
		if err := writeSwitch(filepath.Join(sysctlIPv6, link, "force_forwarding"), "1"); err != nil {
			return err
		}
	}
	return nil
}

func forwardAllIPv6() error {
	listening, err := filepath.Glob(filepath.Join(sysctlIPv6, "*", "accept_ra"))
	if err != nil {
		return fmt.Errorf("list links that listen to routers: %w", err)
	}
	for _, path := range listening {
		value, err := os.ReadFile(path)
		if err != nil || string(value) != "1\n" {
			continue // gone meanwhile, or already told
		}
		if err := writeSwitch(path, "2"); err != nil {
			return err
		}
	}
	return writeSwitch(filepath.Join(sysctlIPv6, "all", "forwarding"), "1")
}

// uplinksOf returns the configured uplinks, or the links with a default route.
func (l *localBinding) uplinksOf(host *netlink.Handle) ([]string, error) {
	if len(l.uplinks) > 0 {
		return append([]string(nil), l.uplinks...), nil
	}
	seen := map[int]bool{}
	var names []string
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := host.RouteList(nil, family)
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		for _, route := range routes {
			bits := 0
			if route.Dst != nil {
				bits, _ = route.Dst.Mask.Size()
			}
			if bits != 0 || route.LinkIndex == 0 || seen[route.LinkIndex] {
				continue
			}
			seen[route.LinkIndex] = true
			link, err := host.LinkByIndex(route.LinkIndex)
			if err != nil {
				continue // an uplink that went away is none
			}
			names = append(names, link.Attrs().Name)
		}
	}
	return names, nil
}
