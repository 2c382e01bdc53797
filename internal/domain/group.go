package domain

import (
	"net/netip"
	"slices"
)

// GroupRule is one rule of a security group as a host enforces it: what it matches is
// let through, and whatever no rule of a port matches is dropped. The words are
// Neutron's.
type GroupRule struct {
	Egress bool // false: ingress
	IPv6   bool
	// Protocol is "tcp", "udp", "icmp" (of the rule's IP version) or a number; empty: any.
	Protocol string
	// PortMin and PortMax bound the destination port; for icmp they are type and code.
	// Minus one is any.
	PortMin, PortMax int
	// RemotePrefix and RemoteGroup (an id) narrow the other end; both empty: anybody.
	RemotePrefix netip.Prefix
	RemoteGroup  string
}

// Number gives the interfaces their numbers: each keeps the one that it has in known,
// and a new one takes the lowest that is free. So the others keep their names when
// one is taken out.
func Number(known, nics []Nic) []Nic {
	numbered := slices.Clone(nics)
	taken := map[int]bool{}
	fresh := make([]int, 0, len(numbered))
	for i := range numbered {
		at := slices.IndexFunc(known, func(k Nic) bool { return k.PortID == numbered[i].PortID })
		if at < 0 {
			fresh = append(fresh, i)
			continue
		}
		numbered[i].Index = known[at].Index
		taken[numbered[i].Index] = true
	}
	next := 0
	for _, i := range fresh {
		for taken[next] {
			next++
		}
		numbered[i].Index, taken[next] = next, true
	}
	return numbered
}
