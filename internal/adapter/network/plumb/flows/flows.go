// Package flows are the connections that the kernel lets through because it remembers them.
package flows

import (
	"net/netip"

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
		var either []netlink.CustomConntrackFilter
		for _, side := range sides {
			either = append(either, matching(map[Side]netip.Addr{side: a.Addr})...)
		}
		forget(a.Addr.Is6(), either)
	}
}

// Into makes the kernel judge anew what others opened to any of nics, in one look at what it
// remembers.
func Into(nics []domain.Nic) {
	for _, six := range []bool{false, true} {
		var either []netlink.CustomConntrackFilter
		for _, nic := range nics {
			for _, a := range nic.Addresses {
				if a.Addr.Is6() == six {
					either = append(either, matching(map[Side]netip.Addr{To: a.Addr})...)
				}
			}
		}
		forget(six, either)
	}
}

// Between makes the kernel judge the connections anew that from opened to any of others.
func Between(from domain.Nic, others []domain.Nic) {
	for _, a := range from.Addresses {
		var either []netlink.CustomConntrackFilter
		for _, other := range others {
			for _, b := range other.Addresses {
				if a.Addr.Is6() == b.Addr.Is6() {
					either = append(either, matching(map[Side]netip.Addr{From: a.Addr, To: b.Addr})...)
				}
			}
		}
		forget(a.Addr.Is6(), either)
	}
}

// matching is a filter of the connections that have all of ends.
func matching(ends map[Side]netip.Addr) []netlink.CustomConntrackFilter {
	filter := &netlink.ConntrackFilter{}
	for side, addr := range ends {
		if filter.AddIP(netlink.ConntrackFilterType(side), addr.AsSlice()) != nil {
			return nil
		}
	}
	return []netlink.CustomConntrackFilter{filter}
}

func forget(six bool, either []netlink.CustomConntrackFilter) {
	if len(either) == 0 {
		return
	}
	family := netlink.InetFamily(unix.AF_INET)
	if six {
		family = unix.AF_INET6
	}
	_, _ = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, either...)
}
