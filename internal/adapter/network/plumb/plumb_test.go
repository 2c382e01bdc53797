//go:build integration

package plumb_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

var anySource netip.Addr

// check asks for reachability, or its absence, on both versions of IP.
func check(t *testing.T, what, from string, to []netip.Addr, want bool) {
	t.Helper()
	patience := never
	if want {
		patience = soon
	}
	for _, target := range to {
		if got := reaches(t, from, anySource, target, patience); got != want {
			t.Errorf("%s: %s reached = %v, want %v", what, target, got, want)
		}
	}
}

func addrs(n domain.Nic) []netip.Addr { return []netip.Addr{v4(n), v6(n)} }

func gateways(n domain.Nic) []netip.Addr {
	return []netip.Addr{n.Addresses[0].Gateway, n.Addresses[1].Gateway}
}

func TestReach(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b, other := nic(1, 10), nic(1, 11), nic(2, 10)
	boxA, boxB, boxOther := w.plugged(p, a), w.plugged(p, b), w.plugged(p, other)

	check(t, "own loopback", boxA, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}, true)
	check(t, "one project", boxA, addrs(b), true)
	check(t, "one project, back", boxB, addrs(a), true)
	check(t, "gateway", boxA, gateways(a), true)
	check(t, "world outside", boxA, []netip.Addr{outside4, outside6}, true)
	check(t, "host to container", "", addrs(a), true)
	check(t, "other project", boxA, addrs(other), false)
	check(t, "other project, back", boxOther, addrs(a), false)
	check(t, "gateway of the other project", boxA, gateways(other), false)
	check(t, "host's own address", boxA, []netip.Addr{host4, host6}, false)
	check(t, "from outside", w.outside, addrs(a), false)
}

func TestTeardownLeavesNothing(t *testing.T) {
	w := newWorld(t)
	before := inventory(t)
	p := w.plumb("deployment-one")
	a, b := nic(1, 10), nic(2, 10)
	w.plugged(p, a)
	w.plugged(p, b)
	if inventory(t) == before {
		t.Fatal("plugging left no trace in the inventory, so it cannot show a leak")
	}
	must(t, p.Teardown(context.Background()))
	if after := inventory(t); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}

func TestFirstPacketArrives(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	for i := range 10 {
		for version := range 2 {
			n := nic(1+i/5, 10+2*i+version)
			path := w.plugged(p, n)
			// A lost first packet is repeated by the kernel after a second.
			if !reaches(t, path, anySource, gateways(n)[version], 800*time.Millisecond) {
				t.Errorf("the first packet of %s was lost", n.Addresses[version].Addr)
			}
		}
	}
}
