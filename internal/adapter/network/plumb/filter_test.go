//go:build integration

package plumb_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"github.com/go-zun/zun/internal/domain"
)

// grouped puts n into a group under the rules of a project's default group: all out, in
// from itself; more are further rules.
func grouped(n domain.Nic, group string, more ...domain.GroupRule) domain.Nic {
	n.Groups, n.Rules = []string{group}, nil
	for _, six := range []bool{false, true} {
		n.Rules = append(n.Rules, domain.GroupRule{Egress: true, IPv6: six, PortMin: -1, PortMax: -1},
			domain.GroupRule{IPv6: six, PortMin: -1, PortMax: -1, RemoteGroup: group})
	}
	n.Rules = append(n.Rules, more...)
	return n
}

func inTCP(six bool, port int) domain.GroupRule {
	return domain.GroupRule{IPv6: six, Protocol: "tcp", PortMin: port, PortMax: port}
}

// service answers connections to port in the namespace at path until the test ends.
func service(t *testing.T, path string, port int) {
	t.Helper()
	var l net.Listener
	must(t, in(path, func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf("[::]:%d", port))
		return err
	}))
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buffer := make([]byte, 16)
				for {
					n, err := c.Read(buffer)
					if err != nil {
						return
					}
					_, _ = c.Write(buffer[:n])
				}
			}()
		}
	}()
}

func dial(path string, to netip.Addr, port int, patience time.Duration) (net.Conn, error) {
	var c net.Conn
	err := in(path, func() (err error) {
		c, err = net.DialTimeout("tcp", netip.AddrPortFrom(to, uint16(port)).String(), patience)
		return err
	})
	return c, err
}

func connects(path string, to netip.Addr, port int, patience time.Duration) bool {
	c, err := dial(path, to, port, patience)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// Each test has a network of its own, because the kernel remembers the connections of the
// ones before.

// wantReach checks echo from box to every address.
func wantReach(t *testing.T, what, path string, want bool, to ...netip.Addr) {
	t.Helper()
	patience := map[bool]time.Duration{true: soon, false: never}[want]
	for _, addr := range to {
		if got := reaches(t, path, netip.Addr{}, addr, patience); got != want {
			t.Errorf("%s: %s answers %v, want %v", what, addr, got, want)
		}
	}
}

func TestGroupsKeepStrangersOut(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b, c := grouped(nic(30, 10), "g1"), grouped(nic(30, 11), "g1"), grouped(nic(30, 12), "g2")
	boxA, boxB, boxC := w.plugged(p, a), w.plugged(p, b), w.plugged(p, c)
	wantReach(t, "a member of the group", boxA, true, v4(b), v6(b))
	wantReach(t, "and back", boxB, true, v4(a), v6(a))
	wantReach(t, "another group of the network", boxC, false, v4(a), v6(a))
	wantReach(t, "out to another group", boxA, false, v4(c), v6(c))
	wantReach(t, "the world", boxC, true, outside4, outside6)
	wantReach(t, "the gateway", boxC, true, gateways(c)...)
	wantReach(t, "the host into a container", "", false, v4(a), v6(a))
	must(t, p.Sync(context.Background(), []domain.Nic{a, b, c}))
	wantReach(t, "after a sync", boxA, true, v4(b), v6(b))
	wantReach(t, "another group after a sync", boxC, false, v4(a), v6(a))
}

// TestWhoGetsAnAddressInheritsNoConnection gives the addresses of a port that is gone to
// one of another group: what they might do before, they may not any more.
func TestWhoGetsAnAddressInheritsNoConnection(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, former, heir := grouped(nic(42, 10), "g1"), grouped(nic(42, 11), "g1"), grouped(nic(42, 11), "g2")
	heir.PortID = nic(42, 12).PortID
	box := w.plugged(p, a)
	wantReach(t, "a member of the group", w.plugged(p, former), true, v4(a), v6(a))
	wantReach(t, "and back", box, true, v4(former), v6(former))
	must(t, p.Unplug(context.Background(), "c", former))
	wantReach(t, "who has its addresses now", w.plugged(p, heir), false, v4(a), v6(a))
	wantReach(t, "and back", box, false, v4(heir), v6(heir))
}

func TestExposedPortsAreOpenInBothVersions(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a := grouped(nic(31, 10), "exposed", inTCP(false, 80), inTCP(true, 80))
	b := grouped(nic(31, 11), "g1")
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	service(t, boxA, 80)
	service(t, boxA, 81)
	for _, addr := range []netip.Addr{v4(a), v6(a)} {
		for from, path := range map[string]string{"a neighbour": boxB, "the host": ""} {
			if !connects(path, addr, 80, soon) {
				t.Errorf("%s does not reach the open port at %s", from, addr)
			}
			if connects(path, addr, 81, never) {
				t.Errorf("%s reaches a closed port at %s", from, addr)
			}
		}
	}
}

// TestRulesChangeWhileConnectionsStand takes a rule away under a connection that it let
// in, and one that the container opened itself.
func TestRulesChangeWhileConnectionsStand(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	closed := grouped(nic(32, 10), "g1")
	opened := grouped(nic(32, 10), "g1", inTCP(false, 80))
	b := grouped(nic(32, 11), "g2", inTCP(false, 90))
	boxA, boxB := w.plugged(p, closed), w.plugged(p, b)
	service(t, boxA, 80)
	service(t, boxB, 90)
	if connects(boxB, v4(closed), 80, never) {
		t.Error("the port is open before there is a rule")
	}
	replug := func(n domain.Nic) {
		t.Helper()
		must(t, p.Plug(context.Background(), domain.ContainerID("c-"+n.PortID), boxA, "eth0", n))
	}
	replug(opened)
	inward, err := dial(boxB, v4(closed), 80, soon)
	must(t, err)
	defer inward.Close()
	outward, err := dial(boxA, v4(b), 90, soon)
	must(t, err)
	defer outward.Close()
	if !talks(inward, soon) || !talks(outward, soon) {
		t.Fatal("the connections do not work, so the rest means nothing")
	}
	replug(closed)
	if connects(boxB, v4(closed), 80, never) {
		t.Error("the port is open although its rule is gone")
	}
	if !talks(outward, soon) {
		t.Error("a connection that the container opened itself was cut")
	}
	if talks(inward, never) {
		t.Error("a connection that no rule allows goes on")
	}
}

// TestWhoLeavesAGroupLosesWhatItOpenedAsAMember keeps a connection open to a port that lets
// the group in, and to one that lets in everybody.
func TestWhoLeavesAGroupLosesWhatItOpenedAsAMember(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	member, stranger := grouped(nic(45, 10), "g1"), grouped(nic(45, 10), "g2")
	a, b := grouped(nic(45, 11), "g1"), grouped(nic(45, 12), "g3", inTCP(false, 80), inTCP(true, 80))
	box, boxA, boxB := w.plugged(p, member), w.plugged(p, a), w.plugged(p, b)
	service(t, boxA, 80)
	service(t, boxB, 80)
	for _, six := range []bool{false, true} {
		at := v4
		if six {
			at = v6
		}
		replug := func(n domain.Nic) {
			must(t, p.Plug(context.Background(), domain.ContainerID("c-"+n.PortID), box, "eth0", n))
		}
		replug(member)
		inside, err := dial(box, at(a), 80, soon)
		must(t, err)
		defer inside.Close()
		open, err := dial(box, at(b), 80, soon)
		must(t, err)
		defer open.Close()
		if !talks(inside, soon) || !talks(open, soon) {
			t.Fatal("the connections do not work, so the rest means nothing")
		}
		replug(stranger)
		if !talks(open, soon) {
			t.Error("a connection that everybody may have was cut")
		}
		if talks(inside, never) {
			t.Error("a connection that only the group may have goes on")
		}
	}
}

// TestSyncKeepsTheRulesOfWhatIsPlugged fits the host to less than is plugged: an interface
// that is on its way out is filtered until it is gone.
func TestSyncKeepsTheRulesOfWhatIsPlugged(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(46, 10), "g1"), grouped(nic(46, 11), "g2")
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	for _, inUse := range [][]domain.Nic{{b}, {a}, nil} {
		must(t, p.Sync(context.Background(), inUse))
		wantReach(t, "another group", boxA, false, v4(b), v6(b))
		wantReach(t, "and back", boxB, false, v4(a), v6(a))
	}
	must(t, p.Sync(context.Background(), []domain.Nic{nic(46, 10), nic(46, 11)}))
	wantReach(t, "who is in no group", boxA, true, v4(b), v6(b))
}

// TestWhatLeavesIsFilteredByAnAgentThatStartsAgain has a port on its way out that the new
// process was never told of, and one that is in no group.
func TestWhatLeavesIsFilteredByAnAgentThatStartsAgain(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b, free := grouped(nic(46, 10), "g1"), grouped(nic(46, 11), "g2", inTCP(false, 80), inTCP(true, 80)), nic(46, 12)
	boxA, boxB, boxFree := w.plugged(p, a), w.plugged(p, b), w.plugged(p, free)
	service(t, boxB, 80)
	again := w.plumb("deployment-one")
	for range 2 {
		must(t, again.Sync(context.Background(), []domain.Nic{a}))
		wantReach(t, "another group", boxA, false, v4(b), v6(b))
		wantReach(t, "the host's own network", boxA, true, v4(free), v6(free))
		for _, own := range b.Addresses {
			if _, err := dial(boxFree, own.Addr, 80, never); err == nil {
				t.Errorf("%s was reached, whose rules nobody knows any more", own.Addr)
			}
		}
	}
	must(t, again.Sync(context.Background(), []domain.Nic{a, b, free}))
	wantReach(t, "another group", boxA, false, v4(b), v6(b))
	for _, own := range b.Addresses {
		if _, err := dial(boxFree, own.Addr, 80, soon); err != nil {
			t.Errorf("%s: %v", own.Addr, err)
		}
	}
}

// TestGroupsCountFromTheirFirstPort plugs a port with groups into a network that had none.
func TestGroupsCountFromTheirFirstPort(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	boxA := w.plugged(p, nic(47, 10))
	b := grouped(nic(47, 11), "g2")
	w.plugged(p, b)
	wantReach(t, "a port without a group", boxA, false, v4(b), v6(b))
}

// TestSyncHasBridgesFilteredAgain switches filtering off at a bridge whose first port is in no
// group.
func TestSyncHasBridgesFilteredAgain(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := nic(59, 10), grouped(nic(59, 11), "g2")
	box := w.plugged(p, a)
	w.plugged(p, b)
	links, err := netlink.LinkList()
	must(t, err)
	for _, link := range links {
		if link.Type() == "bridge" {
			must(t, exec.Command("ip", "link", "set", link.Attrs().Name, "type", "bridge", "nf_call_iptables", "0", "nf_call_ip6tables", "0").Run())
		}
	}
	must(t, p.Sync(t.Context(), []domain.Nic{a, b}))
	wantReach(t, "a port without a group", box, false, v4(b), v6(b))
}

func talks(c net.Conn, patience time.Duration) bool {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return false
	}
	if _, err := c.Write([]byte("x")); err != nil {
		return false
	}
	_, err := c.Read(make([]byte, 1))
	return err == nil
}

func TestEgressIsBounded(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a := nic(33, 10)
	a.Groups = []string{"g1"}
	a.Rules = []domain.GroupRule{{Egress: true, Protocol: "icmp", PortMin: 8, PortMax: 0, RemotePrefix: netip.MustParsePrefix("203.0.113.0/24")}}
	box := w.plugged(p, a)
	wantReach(t, "an allowed destination", box, true, outside4)
	wantReach(t, "the gateway, which no rule names", box, false, gateways(a)[0])
	wantReach(t, "IPv6, which no rule names", box, false, outside6)
}

func TestLinkLocalAddressesAreNoWayAround(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(34, 10), "g1"), grouped(nic(34, 11), "g2")
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	mac, err := net.ParseMAC(b.MAC)
	must(t, err)
	_ = boxB
	local := netip.AddrFrom16([16]byte{0xfe, 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
	service(t, boxB, 80)
	if connects(boxA, local.WithZone("eth0"), 80, never) {
		t.Error("a stranger is reached by its link-local address")
	}
}

func TestGroupRulesGoWithTheirPorts(t *testing.T) {
	w := newWorld(t)
	before := inventory(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(35, 10), "g1"), grouped(nic(35, 11), "g1")
	boxA := w.plugged(p, a)
	one := groupTable(t)
	w.plugged(p, b)
	must(t, p.Unplug(context.Background(), "c", b))
	if two := groupTable(t); two != one {
		t.Errorf("after a port came and went the rules are\n%s\nwere\n%s", two, one)
	}
	// Another process of the agent knows nothing, and an address has a new owner.
	q := w.plumb("deployment-one")
	heir := grouped(nic(35, 13), "g1")
	heir.Addresses = a.Addresses
	must(t, p.Unplug(context.Background(), "c", domain.Nic{PortID: "unknown-to-it"}))
	w.plugged(q, heir)
	_ = boxA
	must(t, q.Sync(context.Background(), []domain.Nic{heir}))
	if strings.Contains(groupTable(t), "-"+a.PortID[:11]) && !strings.Contains(groupTable(t), "-"+heir.PortID[:11]) {
		t.Error("the rules of the former owner stand")
	}
	must(t, p.Teardown(context.Background()))
	must(t, q.Teardown(context.Background()))
	if after := inventory(t); after != before {
		t.Errorf("left behind:\n%s\nwas\n%s", after, before)
	}
}

func TestSyncLaysGroupRulesThatSomebodyTookAway(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(36, 10), "g1"), grouped(nic(36, 11), "g2")
	boxA := w.plugged(p, a)
	w.plugged(p, b)
	must(t, p.Sync(context.Background(), []domain.Nic{a, b}))
	conn, err := nftables.New()
	must(t, err)
	conn.FlushRuleset()
	must(t, conn.Flush())
	must(t, p.Sync(context.Background(), []domain.Nic{a, b}))
	wantReach(t, "another group", boxA, false, v4(b), v6(b))
}

// groupTable describes what stands for groups: chains, rules counted, sets filled.
func groupTable(t *testing.T) string {
	t.Helper()
	conn, err := nftables.New()
	must(t, err)
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	must(t, err)
	var lines []string
	for _, table := range tables {
		if !strings.HasSuffix(table.Name, "-groups") {
			continue
		}
		sets, err := conn.GetSets(table)
		must(t, err)
		for _, set := range sets {
			elements, err := conn.GetSetElements(set)
			must(t, err)
			lines = append(lines, fmt.Sprintf("set %s with %d", set.Name, len(elements)))
		}
		chains, err := conn.ListChainsOfTableFamily(table.Family)
		must(t, err)
		for _, chain := range chains {
			if chain.Table.Name != table.Name {
				continue
			}
			rules, err := conn.GetRules(table, chain)
			must(t, err)
			lines = append(lines, fmt.Sprintf("chain %s with %d", chain.Name, len(rules)))
		}
	}
	return strings.Join(lines, "\n")
}

// TestWhatCameInWhileNobodyWatchedIsJudgedAnew takes a rule away while the agent is not there,
// and all rules while it is: neither leaves a connection that no rule allows.
func TestWhatCameInWhileNobodyWatchedIsJudgedAnew(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	opened := grouped(nic(57, 10), "g1", inTCP(false, 80), inTCP(false, 81))
	closed := grouped(nic(57, 10), "g1", inTCP(false, 81))
	b := grouped(nic(57, 11), "g2", inTCP(false, 90))
	boxA, boxB := w.plugged(p, opened), w.plugged(p, b)
	service(t, boxA, 80)
	service(t, boxA, 81)
	service(t, boxB, 90)
	must(t, p.Sync(t.Context(), []domain.Nic{opened, b}))
	connection := func(from string, to domain.Nic, port int) net.Conn {
		t.Helper()
		c, err := dial(from, v4(to), port, soon)
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		if !talks(c, soon) {
			t.Fatal("a connection does not work, so the rest means nothing")
		}
		return c
	}
	inward, still, outward := connection(boxB, opened, 80), connection(boxB, opened, 81), connection(boxA, b, 90)
	member, leaver := grouped(nic(57, 12), "g4"), grouped(nic(57, 13), "g4")
	boxMember, boxLeaver := w.plugged(p, member), w.plugged(p, leaver)
	service(t, boxMember, 80)
	inside := connection(boxLeaver, member, 80)
	leaver = grouped(nic(57, 13), "g5")
	q := w.plumb("deployment-one")
	must(t, q.Sync(t.Context(), []domain.Nic{closed, b, member, leaver}))
	if talks(inside, never) {
		t.Error("a connection of a member goes on that left while the agent was away")
	}
	if !talks(still, soon) || !talks(outward, soon) {
		t.Error("a connection that the rules allow was cut as the agent started")
	}
	if talks(inward, never) {
		t.Error("a connection whose rule went while the agent was away goes on")
	}
	conn, err := nftables.New()
	must(t, err)
	conn.DelTable(&nftables.Table{Name: groupTableName(t), Family: nftables.TableFamilyINet})
	must(t, conn.Flush())
	intruder := connection(boxB, closed, 80)
	must(t, q.Sync(t.Context(), []domain.Nic{closed, b, member, leaver}))
	if talks(intruder, never) {
		t.Error("a connection that came in while the rules were gone goes on")
	}
	for _, chain := range chainNames(t)["forward"] {
		conn.FlushChain(chain)
	}
	must(t, conn.Flush())
	must(t, q.Sync(t.Context(), []domain.Nic{closed, b, member, leaver}))
	if connects(boxB, v4(closed), 80, never) {
		t.Error("a base chain that somebody emptied was left so")
	}
}

func groupTableName(t *testing.T) string {
	t.Helper()
	conn, err := nftables.New()
	must(t, err)
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	must(t, err)
	for _, table := range tables {
		if strings.HasSuffix(table.Name, "-groups") {
			return table.Name
		}
	}
	t.Fatal("there is no table of groups")
	return ""
}
