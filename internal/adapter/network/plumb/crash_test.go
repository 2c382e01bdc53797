//go:build integration

package plumb_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/go-zun/zun/internal/domain"
)

// remains are what a crash may leave of a plug: each takes back one of its effects, and
// in the kernel's eyes a plug that ended early is one whose later effects are missing.
var remains = []struct {
	name string
	undo func(t *testing.T, tap, bridge netlink.Link, box *netlink.Handle)
}{
	{"the bridge has no address", func(t *testing.T, _, bridge netlink.Link, _ *netlink.Handle) {
		for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
			addrs, err := netlink.AddrList(bridge, family)
			must(t, err)
			for _, a := range addrs {
				must(t, netlink.AddrDel(bridge, &a))
			}
		}
	}},
	{"the bridge is down", func(t *testing.T, _, bridge netlink.Link, _ *netlink.Handle) {
		must(t, netlink.LinkSetDown(bridge))
	}},
	{"no rule stands", func(t *testing.T, _, _ netlink.Link, _ *netlink.Handle) {
		conn, err := nftables.New()
		must(t, err)
		conn.FlushRuleset()
		must(t, conn.Flush())
	}},
	{"the pair is missing", func(t *testing.T, tap, _ netlink.Link, _ *netlink.Handle) {
		must(t, netlink.LinkDel(tap))
	}},
	{"the host end is not marked", func(t *testing.T, tap, _ netlink.Link, _ *netlink.Handle) {
		must(t, netlink.LinkSetAlias(tap, "x"))
	}},
	{"the host end is not on the bridge", func(t *testing.T, tap, _ netlink.Link, _ *netlink.Handle) {
		must(t, netlink.LinkSetNoMaster(tap))
	}},
	{"the host end is down", func(t *testing.T, tap, _ netlink.Link, _ *netlink.Handle) {
		must(t, netlink.LinkSetDown(tap))
	}},
	{"the inside has nothing but its name", func(t *testing.T, _, _ netlink.Link, box *netlink.Handle) {
		link, err := box.LinkByName("eth0")
		must(t, err)
		must(t, box.LinkSetDown(link))
		addrs, err := box.AddrList(link, netlink.FAMILY_V4)
		must(t, err)
		for _, a := range addrs {
			must(t, box.AddrDel(link, &a))
		}
		must(t, box.LinkSetHardwareAddr(link, net.HardwareAddr{2, 0, 0, 0, 0, 1}))
		must(t, box.LinkSetMTU(link, 1400))
	}},
	{"the routes are missing", func(t *testing.T, _, _ netlink.Link, box *netlink.Handle) {
		routes, err := box.RouteList(nil, netlink.FAMILY_ALL)
		must(t, err)
		for _, r := range routes {
			if r.Gw != nil {
				must(t, box.RouteDel(&r))
			}
		}
	}},
	{"the loopback is down", func(t *testing.T, _, _ netlink.Link, box *netlink.Handle) {
		lo, err := box.LinkByName("lo")
		must(t, err)
		must(t, box.LinkSetDown(lo))
	}},
}

// TestPlugCompletes plugs again after each of the remains, as a restarted agent does:
// with a plumbing that remembers nothing.
func TestPlugCompletes(t *testing.T) {
	for _, r := range remains {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			n := nic(1, 10)
			path := w.plugged(w.plumb("deployment-one"), n)
			tap, bridge := linksOf(t, n)
			ns, err := netns.GetFromPath(path)
			must(t, err)
			defer ns.Close()
			box, err := netlink.NewHandleAt(ns)
			must(t, err)
			defer box.Close()
			r.undo(t, tap, bridge, box)

			again := w.plumb("deployment-one")
			must(t, again.Plug(t.Context(), "c-"+domain.ContainerID(n.PortID), path, "eth0", n))
			check(t, "whole again", path, append(gateways(n), outside4, outside6, netip.MustParseAddr("127.0.0.1")), true)
			wantGuarded(t, path, n)
			found, err := again.Plugged(t.Context())
			must(t, err)
			if len(found) != 1 || found[0].PortID != n.PortID || found[0].Container != "c-"+domain.ContainerID(n.PortID) {
				t.Errorf("plugged: %+v", found)
			}
		})
	}
}

// linksOf finds the two links of a plugged nic on the host.
func linksOf(t *testing.T, n domain.Nic) (tap, bridge netlink.Link) {
	t.Helper()
	tap, err := netlink.LinkByName("tap" + n.PortID[:11])
	must(t, err)
	bridge, err = netlink.LinkByIndex(tap.Attrs().MasterIndex)
	must(t, err)
	return tap, bridge
}

func TestUnmarkedHostEndIsFoundAndRemoved(t *testing.T) {
	w := newWorld(t)
	p, n := w.plumb("deployment-one"), nic(1, 10)
	w.plugged(p, n)
	tap, _ := linksOf(t, n)
	must(t, netlink.LinkSetAlias(tap, "x")) // the kernel takes no empty one
	found, err := p.Plugged(t.Context())
	must(t, err)
	if len(found) != 1 || found[0].Container != "" {
		t.Fatalf("plugged: %+v, want one without a container", found)
	}
	must(t, p.Unplug(t.Context(), found[0].Container, domain.Nic{PortID: found[0].PortID}))
	if _, err := netlink.LinkByName(tap.Attrs().Name); err == nil {
		t.Error("the host end is still there")
	}
	if chains := chainNames(t); len(chains["port-"+n.PortID[:11]]) != 0 {
		t.Error("the rules of the port are still there")
	}
}

// TestAnUnplugThatKnowsThePortOnlyForgetsItsConnections takes a port away of which no more is
// known than what a crash left on the host: by a process that remembers nothing, of a link
// that is marked or not, and after an unplug that was cut off before its last effect.
func TestAnUnplugThatKnowsThePortOnlyForgetsItsConnections(t *testing.T) {
	for name, crash := range map[string]func(*testing.T, netlink.Link){
		"the link is marked":     func(*testing.T, netlink.Link) {},
		"the link is not marked": func(t *testing.T, tap netlink.Link) { must(t, netlink.LinkSetAlias(tap, "x")) },
		"the link is down":       func(t *testing.T, tap netlink.Link) { must(t, netlink.LinkSetDown(tap)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, former, heir := grouped(nic(43, 10), "g1"), grouped(nic(43, 11), "g1"), grouped(nic(43, 11), "g2")
			heir.PortID = nic(43, 12).PortID
			p := w.plumb("deployment-one")
			box := w.plugged(p, a)
			wantReach(t, "a member of the group", w.plugged(p, former), true, v4(a), v6(a))
			wantReach(t, "and back", box, true, v4(former), v6(former))
			tap, _ := linksOf(t, former)
			crash(t, tap)

			again := w.plumb("deployment-one")
			found, err := again.Plugged(t.Context())
			must(t, err)
			for _, f := range found {
				if f.Link == tap.Attrs().Name {
					must(t, again.Unplug(t.Context(), f.Container, domain.Nic{PortID: f.PortID}))
				}
			}
			must(t, again.Sync(t.Context(), []domain.Nic{a}))
			wantReach(t, "who has its addresses now", w.plugged(again, heir), false, v4(a), v6(a))
			wantReach(t, "and back", box, false, v4(heir), v6(heir))
		})
	}
}

func TestForeignLinkIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	p, n := w.plumb("deployment-one"), nic(1, 10)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "tap" + n.PortID[:11]
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "far"}))
	foreign, err := netlink.LinkByName(attrs.Name)
	must(t, err)
	t.Cleanup(func() { must(t, netlink.LinkDel(foreign)) })

	err = p.Plug(t.Context(), "c", w.sandbox("box"), "eth0", n)
	if !domain.IsKind(err, domain.Conflict) {
		t.Errorf("plug over a foreign link: %v, want a conflict", err)
	}
	must(t, p.Unplug(t.Context(), "c", n))
	must(t, p.Teardown(t.Context()))
	if _, err := netlink.LinkByName(attrs.Name); err != nil {
		t.Errorf("the foreign link: %v", err)
	}
}

func TestSyncFitsTheNicsInUse(t *testing.T) {
	w := newWorld(t)
	before := inventory(t)
	p, a, b := w.plumb("deployment-one"), nic(1, 10), nic(2, 10)
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	must(t, p.Unplug(t.Context(), "c", b))
	_, bridge := linksOf(t, a)

	must(t, p.Sync(t.Context(), []domain.Nic{a}))
	links, err := netlink.LinkList()
	must(t, err)
	for _, l := range links {
		if l.Type() == "bridge" && l.Attrs().Name != bridge.Attrs().Name {
			t.Errorf("unused bridge %s is still there", l.Attrs().Name)
		}
	}
	check(t, "still whole", boxA, append(gateways(a), outside4, outside6), true)

	// A firewall that was reloaded took our rules with it.
	conn, err := nftables.New()
	must(t, err)
	conn.FlushRuleset()
	must(t, conn.Flush())
	must(t, p.Plug(t.Context(), "c", boxB, "eth0", b))
	wantGuarded(t, boxB, b)
	must(t, p.Sync(t.Context(), []domain.Nic{a, b}))
	check(t, "whole again", boxA, append(gateways(a), outside4, outside6), true)
	check(t, "isolated again", boxB, addrs(a), false)
	wantGuarded(t, boxA, a)

	must(t, p.Unplug(t.Context(), "c", a))
	must(t, p.Unplug(t.Context(), "c", b))
	must(t, p.Sync(t.Context(), nil))
	if after := inventory(t); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}

func TestOverlapIsRefusedAndLeavesNothing(t *testing.T) {
	w := newWorld(t)
	up, err := netlink.LinkByName("up0")
	must(t, err)
	path := w.sandbox("box")
	for _, taken := range []string{"10.96.1.7/32", "10.96.0.0/16", "fd00:96::/32"} {
		t.Run(taken, func(t *testing.T) {
			route := &netlink.Route{LinkIndex: up.Attrs().Index, Dst: address(t, taken).IPNet, Scope: netlink.SCOPE_LINK}
			route.Dst.IP = route.Dst.IP.Mask(route.Dst.Mask)
			must(t, netlink.RouteAdd(route))
			defer func() { must(t, netlink.RouteDel(route)) }()
			before := inventory(t)
			p := w.plumb("deployment-one")
			err := p.Plug(t.Context(), "c", path, "eth0", nic(1, 10))
			if !domain.IsKind(err, domain.Conflict) {
				t.Fatalf("plug: %v, want a conflict", err)
			}
			t.Log(domain.AsFault(err).Message)
			if after := inventory(t); after != before {
				t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
			}
			if err := p.Sync(t.Context(), []domain.Nic{nic(1, 10), nic(200, 10)}); !domain.IsKind(err, domain.Conflict) {
				t.Errorf("sync: %v, want a conflict", err)
			}
		})
	}
}

func TestDeploymentsStandSideBySide(t *testing.T) {
	w := newWorld(t)
	one, two := w.plumb("deployment-one"), w.plumb("deployment-two")
	a, b := nic(1, 10), nic(2, 10)
	boxA, boxB := w.plugged(one, a), w.plugged(two, b)
	check(t, "across deployments", boxA, addrs(b), false)
	check(t, "across deployments, back", boxB, addrs(a), false)
	must(t, one.Sync(t.Context(), nil))
	must(t, one.Teardown(t.Context()))
	check(t, "the other stays", boxB, append(gateways(b), outside4, outside6), true)
	found, err := two.Plugged(t.Context())
	must(t, err)
	if len(found) != 1 || found[0].PortID != b.PortID {
		t.Errorf("plugged of the other: %+v", found)
	}
}

// chainNames returns the chains per name, of all tables.
func chainNames(t *testing.T) map[string][]*nftables.Chain {
	t.Helper()
	conn, err := nftables.New()
	must(t, err)
	chains, err := conn.ListChains()
	must(t, err)
	byName := map[string][]*nftables.Chain{}
	for _, c := range chains {
		byName[c.Name] = append(byName[c.Name], c)
	}
	return byName
}
