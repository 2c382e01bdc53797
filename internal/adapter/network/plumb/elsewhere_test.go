//go:build integration

package plumb_test

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
)

// TestAddressesOfAContainersOwnAreNoWayAroundGroups sends to what a container has beside the
// addresses of its port, as who runs containers of its own in it has: its kernel takes what is
// for any of them from every link.
func TestAddressesOfAContainersOwnAreNoWayAroundGroups(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(54, 10), "g1"), grouped(nic(54, 11), "g2")
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	for _, own := range []string{"172.30.0.1", "fd00:172:30::1", "10.96.54.77", "fd00:96:0:36::77", "fe80::77"} {
		target := netip.MustParseAddr(own)
		must(t, in(boxB, func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			return netlink.AddrReplace(link, address(t, netip.PrefixFrom(target, target.BitLen()).String()))
		}))
		if arrives(t, boxA, boxB, datagram(t, a, b, target)) {
			t.Errorf("a datagram to %s arrived", own)
		}
	}
}
