package domain

import (
	"net/netip"
	"slices"
	"strings"
)

// Caller is the address that a request comes from: that of peer, or what trusted proxies
// say of theirs in forwarded, read from the right, because everything to the left of the
// first stranger was written by a stranger.
func Caller(peer string, forwarded []string, trusted []netip.Prefix) string {
	from := plainAddress(peer)
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !Trusted(from, trusted) {
			return from
		}
		address, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(hop), "[]"))
		if err != nil {
			return from
		}
		from = address.Unmap().String()
	}
	return from
}

// plainAddress is a peer's address without its port.
func plainAddress(peer string) string {
	at, err := netip.ParseAddrPort(peer)
	if err != nil {
		return peer
	}
	return at.Addr().Unmap().String()
}

// Trusted says whether peer, with or without a port, is one of the trusted.
func Trusted(peer string, trusted []netip.Prefix) bool {
	address, err := netip.ParseAddr(plainAddress(peer))
	return err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
}

// Origin is what stands for whoever calls from address where callers are counted. In
// IPv6 one machine has a whole network of 64 bits to call from.
func Origin(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		network, err := address.Prefix(64)
		if err == nil {
			return network.Addr()
		}
	}
	return address
}
