// Package flows are the connections that the kernel lets through because it remembers them.
package flows

import (
	"github.com/go-zun/zun/internal/domain"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Side is who opened a connection.
type Side netlink.ConntrackFilterType

// The sides of a port's connections.
const (
	To   = Side(netlink.ConntrackOrigDstIP) // others opened it, to the port
	From = Side(netlink.ConntrackOrigSrcIP) // the port did
)

// Forget makes the kernel judge the connections of nic's addresses anew. It is done as far
// as the kernel can: what it still remembers stays let through.
func Forget(nic domain.Nic, sides ...Side) {
	for _, a := range nic.Addresses {
		family := netlink.InetFamily(unix.AF_INET)
		if a.Addr.Is6() {
			family = unix.AF_INET6
		}
		var either []netlink.CustomConntrackFilter
		for _, side := range sides {
			filter := &netlink.ConntrackFilter{}
			if filter.AddIP(netlink.ConntrackFilterType(side), a.Addr.AsSlice()) == nil {
				either = append(either, filter)
			}
		}
		_, _ = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, either...)
	}
}
