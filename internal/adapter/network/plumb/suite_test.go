//go:build integration

package plumb_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/go-zun/zun/internal/adapter/network/nettest"
	"github.com/go-zun/zun/internal/domain"
)

func TestNets(t *testing.T) {
	nettest.RunNets(t, func(t *testing.T) nettest.Host {
		w := newWorld(t)
		return nettest.Host{
			Nets:    w.plumb("deployment-one"),
			Nic:     func(index, n int) domain.Nic { return nic(index, n+9) },
			Sandbox: func(*testing.T) string { return w.sandbox(fmt.Sprintf("suite-%d", w.seq.Add(1))) },
			Kill:    func(t *testing.T, path string) { must(t, netns.DeleteNamed(filepath.Base(path))) },
			Inside:  inside,
		}
	})
}

// inside looks at an interface through the kernel's eyes.
func inside(t *testing.T, path, name string) (nettest.Interface, bool) {
	t.Helper()
	ns, err := netns.GetFromPath(path)
	if errors.Is(err, os.ErrNotExist) {
		return nettest.Interface{}, false
	}
	must(t, err)
	defer ns.Close()
	h, err := netlink.NewHandleAt(ns)
	must(t, err)
	defer h.Close()
	link, err := h.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nettest.Interface{}, false
	}
	must(t, err)
	attrs := link.Attrs()
	i := nettest.Interface{Up: attrs.Flags&net.FlagUp != 0, MAC: attrs.HardwareAddr.String(), MTU: attrs.MTU}
	addrs, err := h.AddrList(link, netlink.FAMILY_ALL)
	must(t, err)
	for _, a := range addrs {
		if p := prefixOf(a.IPNet); !p.Addr().IsLinkLocalUnicast() {
			i.Addresses = append(i.Addresses, p)
		}
	}
	routes, err := h.RouteList(link, netlink.FAMILY_ALL)
	must(t, err)
	for _, r := range routes {
		if via, ok := netip.AddrFromSlice(r.Gw); ok {
			i.Routes = append(i.Routes, domain.Route{Destination: prefixOf(r.Dst), Via: via.Unmap()})
		}
	}
	return i, true
}

func prefixOf(n *net.IPNet) netip.Prefix {
	addr, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), bits)
}
