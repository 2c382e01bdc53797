package plumb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// primary is the interface that carries the default routes.
const primary = "eth0"

// sandbox is an open network namespace.
type sandbox struct {
	ns     netns.NsHandle
	handle *netlink.Handle
}

func openSandbox(path string) (*sandbox, error) {
	ns, err := netns.GetFromPath(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, domain.WrapFault(err, domain.NotFound, "resource-not-found",
			"The sandbox's network namespace is gone.")
	}
	if err != nil {
		return nil, fmt.Errorf("open network namespace %s: %w", path, err)
	}
	handle, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open routing socket in %s: %w", path, err), ns.Close())
	}
	box := &sandbox{ns: ns, handle: handle}
	if err := handle.SetSocketTimeout(kernelPatience); err != nil {
		box.close()
		return nil, fmt.Errorf("bound routing socket in %s: %w", path, err)
	}
	return box, nil
}

func (b *sandbox) close() {
	b.handle.Close()
	_ = b.ns.Close() // nothing was written through it
}

// configure makes the inside of nic: switches, addresses, up, routes. Every part
// replaces what stands there, so that it may be repeated.
func (b *sandbox) configure(name string, nic domain.Nic) error {
	if err := b.loopbackUp(); err != nil {
		return err
	}
	link, err := b.handle.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s in the sandbox: %w", name, err)
	}
	// Before it is up, or the kernel would begin to look for duplicates and routers.
	if err := b.quietIPv6(name, nic); err != nil {
		return err
	}
	if err := b.dress(link, nic); err != nil {
		return err
	}
	if err := b.handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	return b.route(link, name, nic)
}

func (b *sandbox) awaitReady(ctx context.Context, name string, nic domain.Nic) error {
	link, err := b.handle.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s in the sandbox: %w", name, err)
	}
	var addrs []netip.Addr
	for _, a := range usable(nic.Addresses) {
		addrs = append(addrs, a.Addr)
	}
	return awaitReady(ctx, b.handle, link.Attrs().Index, addrs)
}

func (b *sandbox) loopbackUp() error {
	lo, err := b.handle.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the sandbox's loopback: %w", err)
	}
	if lo.Attrs().Flags&net.FlagUp != 0 {
		return nil
	}
	if err := b.handle.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring the sandbox's loopback up: %w", err)
	}
	return nil
}

// dress gives link its MAC, MTU and addresses.
func (b *sandbox) dress(link netlink.Link, nic domain.Nic) error {
	attrs := link.Attrs()
	mac, err := net.ParseMAC(nic.MAC)
	if err != nil {
		return fmt.Errorf("read MAC: %w", err)
	}
	if attrs.HardwareAddr.String() != mac.String() {
		if err := b.handle.LinkSetHardwareAddr(link, mac); err != nil {
			return fmt.Errorf("set MAC of %s: %w", attrs.Name, err)
		}
	}
	if attrs.MTU != nic.MTU {
		if err := b.handle.LinkSetMTU(link, nic.MTU); err != nil {
			return fmt.Errorf("set MTU of %s: %w", attrs.Name, err)
		}
	}
	for _, a := range usable(nic.Addresses) {
		if err := b.handle.AddrReplace(link, linkAddress(a.Addr, a.Prefix)); err != nil {
			return fmt.Errorf("give %s the address %s: %w", attrs.Name, a.Addr, err)
		}
	}
	return nil
}

// route adds the nic's own routes, and the default routes to the primary interface.
func (b *sandbox) route(link netlink.Link, name string, nic domain.Nic) error {
	routes := nic.Routes
	for _, a := range usable(nic.Addresses) {
		if name == primary && a.Gateway.IsValid() {
			all := netip.PrefixFrom(a.Gateway, 0).Masked()
			routes = append(routes[:len(routes):len(routes)], domain.Route{Destination: all, Via: a.Gateway})
		}
	}
	for _, r := range routes {
		if r.Destination.Addr().Is6() && !hostHasIPv6() {
			continue
		}
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(r.Destination)}
		if r.Via.IsValid() {
			route.Gw = r.Via.AsSlice()
		} else {
			route.Scope = netlink.SCOPE_LINK
		}
		if err := b.handle.RouteReplace(route); err != nil {
			return fmt.Errorf("route %s via %s: %w", r.Destination, r.Via, err)
		}
	}
	return nil
}

// quietIPv6 turns IPv6 on, which some engines switch off in new sandboxes, and turns
// off duplicate detection and router advertisements: addresses are leased, so they are
// unique, and must work at once.
func (b *sandbox) quietIPv6(name string, nic domain.Nic) error {
	if !hasIPv6(nic) || !hostHasIPv6() {
		return nil
	}
	return b.within(func() error {
		switches := []struct{ link, key, value string }{
			{"lo", "disable_ipv6", "0"},
			{name, "accept_dad", "0"},
			{name, "accept_ra", "0"},
			{name, "disable_ipv6", "0"},
		}
		for _, s := range switches {
			if err := writeSwitch(filepath.Join(sysctlIPv6, s.link, s.key), s.value); err != nil {
				return err
			}
		}
		return nil
	})
}

// within runs fn on a thread that is inside the namespace, because the kernel shows
// these switches only to who is there. The goroutine ends with the thread if it cannot
// be brought back.
func (b *sandbox) within(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			done <- fmt.Errorf("open own network namespace: %w", err)
			return
		}
		defer home.Close() //nolint:errcheck // opened for reading only
		if err := netns.Set(b.ns); err != nil {
			done <- fmt.Errorf("enter network namespace: %w", err)
			return
		}
		err = fn()
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// usable leaves out the IPv6 addresses on a host without IPv6.
func usable(all []domain.NicAddress) []domain.NicAddress {
	if hostHasIPv6() {
		return all
	}
	var v4 []domain.NicAddress
	for _, a := range all {
		if a.Addr.Is4() {
			v4 = append(v4, a)
		}
	}
	return v4
}

func hasIPv6(nic domain.Nic) bool {
	for _, a := range nic.Addresses {
		if a.Addr.Is6() {
			return true
		}
	}
	return false
}

// linkAddress is addr in its prefix, ready to use: an IPv6 one without duplicate detection.
func linkAddress(addr netip.Addr, prefix netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(prefix.Bits(), addr.BitLen())}}
	if addr.Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// The directories of per-link switches.
const (
	sysctlIPv4 = "/proc/sys/net/ipv4/conf"
	sysctlIPv6 = "/proc/sys/net/ipv6/conf"
)

func hostHasIPv6() bool {
	_, err := os.Stat(sysctlIPv6)
	return err == nil
}

// writeSwitch sets a kernel switch if it has another value, so that a host with
// read-only switches works when they are right already.
func writeSwitch(path, value string) error {
	now, err := os.ReadFile(path)
	if err == nil && string(now) == value+"\n" {
		return nil
	}
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		return fmt.Errorf("switch %s to %s: %w", path, value, err)
	}
	return nil
}
