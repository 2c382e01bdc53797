package plumb

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/domain"
)

// minMTU is the least that IPv6 works with.
const minMTU = 1280

// pair is a veth pair to make: its host end and what it becomes inside.
type pair struct {
	container domain.ContainerID
	nic       domain.Nic
	inside    string
	group     uint32
}

func checkNic(nic domain.Nic) error {
	incomplete := func(what string, value any) error {
		return domain.NewFault(domain.Invalid, "port-binding-failed",
			"Binding failed for port %s: its %s %q is not usable.", nic.PortID, what, fmt.Sprint(value))
	}
	if len(nic.PortID) < mark.PortLength {
		return incomplete("id", nic.PortID)
	}
	if mac, err := net.ParseMAC(nic.MAC); err != nil || len(mac) != 6 {
		return incomplete("MAC", nic.MAC)
	}
	if nic.MTU < minMTU || nic.MTU > 65535 {
		return incomplete("MTU", nic.MTU)
	}
	for _, a := range nic.Addresses {
		if !a.Addr.IsValid() || !a.Prefix.IsValid() || !a.Prefix.Contains(a.Addr) {
			return incomplete("address", a.Addr)
		}
	}
	return nil
}

// ensurePair returns the host end of a pair whose other end is in box. One whose
// other end is elsewhere belongs to a sandbox that died, and gives way.
func (p *Plumb) ensurePair(host *netlink.Handle, box *sandbox, want pair) (netlink.Link, error) {
	name := mark.TapName(want.nic.PortID)
	tap, err := findLink(host, name)
	if err != nil {
		return nil, err
	}
	if tap != nil {
		if !p.owns(tap) {
			return nil, domain.NewFault(domain.Conflict, "port-in-use",
				"Port %s is still in use: the host has a link %s of another owner.", want.nic.PortID, name)
		}
		peer, err := findLink(box.handle, want.inside)
		if err != nil {
			return nil, err
		}
		if isPair(tap, peer) {
			return tap, p.mark(host, tap, want)
		}
		if err := host.LinkDel(tap); err != nil && !isGone(err) {
			return nil, fmt.Errorf("delete stale %s: %w", name, err)
		}
	}
	return p.makePair(host, box, want)
}

// isPair says whether the two links are each other's ends.
func isPair(tap, peer netlink.Link) bool {
	return peer != nil && peer.Type() == "veth" &&
		tap.Attrs().ParentIndex == peer.Attrs().Index && peer.Attrs().ParentIndex == tap.Attrs().Index
}

// makePair makes both ends in one call, the other end at once in its namespace, so
// there is no moment in which a crash leaves a nameless end behind.
func (p *Plumb) makePair(host *netlink.Handle, box *sandbox, want pair) (netlink.Link, error) {
	mac, err := net.ParseMAC(want.nic.MAC)
	if err != nil {
		return nil, fmt.Errorf("read MAC: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = mark.TapName(want.nic.PortID)
	attrs.MTU = want.nic.MTU
	attrs.Group = want.group
	err = host.LinkAdd(&netlink.Veth{
		LinkAttrs:        attrs,
		PeerName:         want.inside,
		PeerHardwareAddr: mac,
		PeerNamespace:    netlink.NsFd(box.ns),
	})
	if errors.Is(err, unix.EEXIST) {
		// The names are ours to give: either end may be the rest of an older plug.
		return nil, domain.WrapFault(err, domain.Conflict, "port-in-use",
			"Port %s is still in use: its link, or %s in the sandbox, exists already.", want.nic.PortID, want.inside)
	}
	if err != nil {
		return nil, fmt.Errorf("make veth pair %s: %w", attrs.Name, err)
	}
	tap, err := host.LinkByName(attrs.Name)
	if err != nil {
		return nil, fmt.Errorf("find new link %s: %w", attrs.Name, err)
	}
	return tap, p.mark(host, tap, want)
}

// mark writes the owner on the host end.
func (p *Plumb) mark(host *netlink.Handle, tap netlink.Link, want pair) error {
	alias := p.owner.Alias(want.container, want.nic.PortID)
	if tap.Attrs().Alias == alias {
		return nil
	}
	if err := host.LinkSetAlias(tap, alias); err != nil {
		return fmt.Errorf("mark %s: %w", tap.Attrs().Name, err)
	}
	return nil
}
