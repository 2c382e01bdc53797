package domain

import "net/netip"

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
