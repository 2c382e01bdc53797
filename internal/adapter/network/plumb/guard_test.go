//go:build integration

package plumb_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/domain"
)

// wantGuarded checks that the box of n cannot send from addresses that are not its own.
// The gateway would answer them: they are in its subnets.
func wantGuarded(t *testing.T, path string, n domain.Nic) {
	t.Helper()
	for i, a := range n.Addresses {
		forged := host(a.Prefix, 99)
		wear := func(change func(netlink.Link, *netlink.Addr) error) {
			must(t, in(path, func() error {
				link, err := netlink.LinkByName("eth0")
				if err != nil {
					return err
				}
				return change(link, address(t, fmt.Sprintf("%s/%d", forged, a.Prefix.Bits())))
			}))
		}
		wear(netlink.AddrReplace)
		if reaches(t, path, forged, gateways(n)[i], never) {
			t.Errorf("the gateway answered a packet from %s, which is not the port's", forged)
		}
		wear(netlink.AddrDel)
	}
}

func TestForgedSourceIsDropped(t *testing.T) {
	w := newWorld(t)
	p, n := w.plumb("deployment-one"), nic(1, 10)
	path := w.plugged(p, n)
	check(t, "own source", path, gateways(n), true)
	wantGuarded(t, path, n)
	check(t, "own source still", path, gateways(n), true)
}

func TestForgedMACIsDropped(t *testing.T) {
	w := newWorld(t)
	p, n := w.plumb("deployment-one"), nic(1, 10)
	path := w.plugged(p, n)
	check(t, "own MAC", path, gateways(n), true)
	must(t, in(path, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		return netlink.LinkSetHardwareAddr(link, net.HardwareAddr{0x02, 0xbe, 0xef, 0, 0, 1})
	}))
	for i, g := range gateways(n) {
		if reaches(t, path, n.Addresses[i].Addr, g, never) {
			t.Errorf("%s answered a forged MAC", g)
		}
	}
}

// frame sends raw bytes from eth0 of the box, and says whether the victim's box, which
// is on the same bridge, receives a frame that starts so.
func frame(t *testing.T, from, victim string, ethertype uint16, data []byte) bool {
	t.Helper()
	open := func(path string) int {
		fd := -1
		must(t, in(path, func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			proto := ethertype<<8 | ethertype>>8
			if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, int(proto)); err != nil {
				return err
			}
			return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: link.Attrs().Index})
		}))
		t.Cleanup(func() { must(t, unix.Close(fd)) })
		return fd
	}
	listen, send := open(victim), open(from)
	must(t, unix.SetsockoptTimeval(listen, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
	buffer := make([]byte, 2048)
	for end := time.Now().Add(never); time.Now().Before(end); {
		_, err := unix.Write(send, data)
		must(t, err)
		for {
			n, err := unix.Read(listen, buffer)
			if err != nil {
				break
			}
			if n >= len(data) && string(buffer[:len(data)]) == string(data) {
				return true
			}
		}
	}
	return false
}

func TestForgedNeighboursAreDropped(t *testing.T) {
	w := newWorld(t)
	p, a, b := w.plumb("deployment-one"), nic(1, 10), nic(1, 11)
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	gateway4, gateway6 := gateways(a)[0], gateways(a)[1]
	if !frame(t, boxA, boxB, unix.ETH_P_ARP, arpReply(t, a, v4(a))) {
		t.Error("an honest ARP answer did not arrive, so the test of forged ones means nothing")
	}
	if frame(t, boxA, boxB, unix.ETH_P_ARP, arpReply(t, a, gateway4)) {
		t.Error("an ARP answer in the gateway's name arrived")
	}
	if !frame(t, boxA, boxB, unix.ETH_P_IPV6, icmp6(t, a, b, 136, v6(a))) {
		t.Error("an honest neighbour advertisement did not arrive")
	}
	if frame(t, boxA, boxB, unix.ETH_P_IPV6, icmp6(t, a, b, 136, gateway6)) {
		t.Error("a neighbour advertisement in the gateway's name arrived")
	}
	if frame(t, boxA, boxB, unix.ETH_P_IPV6, icmp6(t, a, b, 134, v6(a))) {
		t.Error("a router advertisement arrived")
	}
	if frame(t, boxA, boxB, unix.ETH_P_8021Q, append(ethernet(t, a, b, unix.ETH_P_8021Q), make([]byte, 46)...)) {
		t.Error("a tagged frame arrived")
	}
}

func ethernet(t *testing.T, from, to domain.Nic, ethertype uint16) []byte {
	t.Helper()
	source, err := net.ParseMAC(from.MAC)
	must(t, err)
	target, err := net.ParseMAC(to.MAC)
	must(t, err)
	return binary.BigEndian.AppendUint16(append(append([]byte{}, target...), source...), ethertype)
}

func arpReply(t *testing.T, from domain.Nic, claimed netip.Addr) []byte {
	t.Helper()
	mac, err := net.ParseMAC(from.MAC)
	must(t, err)
	f := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, mac...)
	f = append(f, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2)
	f = append(append(f, mac...), claimed.AsSlice()...)
	f = append(append(f, mac...), claimed.AsSlice()...)
	return f
}

func icmp6(t *testing.T, from, to domain.Nic, kind byte, claimed netip.Addr) []byte {
	t.Helper()
	f := append(ethernet(t, from, to, unix.ETH_P_IPV6), 0x60, 0, 0, 0, 0, 24, unix.IPPROTO_ICMPV6, 255)
	f = append(append(f, v6(from).AsSlice()...), v6(to).AsSlice()...)
	return append(append(f, kind, 0, 0, 0, 0x60, 0, 0, 0), claimed.AsSlice()...)
}

func TestHostServicesAreOpenedOnTheGatewayOnly(t *testing.T) {
	w := newWorld(t)
	n := nic(1, 10)
	// The listener tells its port, which the plumbing must know before it is made.
	listener, err := net.Listen("tcp", ":0")
	must(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello")
			_ = conn.Close()
		}
	}()
	port := uint16(listener.Addr().(*net.TCPAddr).Port)
	closed := w.plumb("deployment-closed")
	boxClosed := w.plugged(closed, nic(2, 10))
	p := w.plumb("deployment-one", plumb.Service{Port: port})
	path := w.plugged(p, n)
	for _, g := range gateways(n) {
		if !dials(t, path, netip.AddrPortFrom(g, port), soon) {
			t.Errorf("the opened service on %s is not reached", g)
		}
	}
	for _, a := range []netip.Addr{host4, host6} {
		if dials(t, path, netip.AddrPortFrom(a, port), never) {
			t.Errorf("the service is reached on %s, which is not the gateway", a)
		}
	}
	for _, g := range gateways(nic(2, 10)) {
		if dials(t, boxClosed, netip.AddrPortFrom(g, port), never) {
			t.Errorf("the service on %s is reached though it was not opened", g)
		}
	}
}

func dials(t *testing.T, path string, to netip.AddrPort, patience time.Duration) bool {
	t.Helper()
	return in(path, func() error {
		conn, err := (&net.Dialer{Timeout: patience, FallbackDelay: -1}).Dial("tcp", to.String())
		if err != nil {
			return err
		}
		return conn.Close()
	}) == nil
}

// dockerRules lays FORWARD as Docker does: dropping by policy, its users' chain first.
func dockerRules(t *testing.T, users bool) {
	t.Helper()
	conn, err := nftables.New()
	must(t, err)
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6} {
		table := conn.AddTable(&nftables.Table{Name: "filter", Family: family})
		policy := nftables.ChainPolicyDrop
		forward := conn.AddChain(&nftables.Chain{
			Name: "FORWARD", Table: table, Type: nftables.ChainTypeFilter, Policy: &policy,
			Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
		})
		if users {
			chain := conn.AddChain(&nftables.Chain{Name: "DOCKER-USER", Table: table})
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
				&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictReturn}}})
			conn.AddRule(&nftables.Rule{Table: table, Chain: forward, Exprs: []expr.Any{
				&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictJump, Chain: chain.Name}}})
		}
	}
	must(t, conn.Flush())
	t.Cleanup(func() {
		conn.FlushRuleset()
		must(t, conn.Flush())
	})
}

func TestDockersFirewallIsRespected(t *testing.T) {
	for _, users := range []bool{true, false} {
		t.Run(fmt.Sprintf("chain for users %v", users), func(t *testing.T) {
			w := newWorld(t)
			filterBridges(t, true)
			dockerRules(t, users)
			before := inventory(t)
			p := w.plumb("deployment-one")
			a, b, other := nic(1, 10), nic(1, 11), nic(2, 10)
			boxA := w.plugged(p, a)
			w.plugged(p, b)
			w.plugged(p, other)
			for range 2 {
				must(t, p.Sync(t.Context(), []domain.Nic{a, b, other}))
				check(t, "world outside", boxA, []netip.Addr{outside4, outside6}, true)
				check(t, "one project", boxA, addrs(b), true)
				check(t, "other project", boxA, addrs(other), false)
			}
			name := map[bool]string{true: "DOCKER-USER", false: "FORWARD"}[users]
			conn, err := nftables.New()
			must(t, err)
			for _, chain := range chainNames(t)[name] {
				rules, err := conn.GetRules(chain.Table, chain)
				must(t, err)
				if want := 2 + map[bool]int{true: 3}[users]; len(rules) != want {
					t.Errorf("%s has %d rules, want %d", name, len(rules), want)
				}
			}
			must(t, p.Teardown(t.Context()))
			if after := inventory(t); after != before {
				t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// TestWhatIsBehindDockersBridgesIsForDockerToSay has containers of Docker's, of which one
// has a published port, and an uplink whose name looks like such a bridge.
func TestWhatIsBehindDockersBridgesIsForDockerToSay(t *testing.T) {
	w := newWorld(t)
	dockerRules(t, true)
	up, err := netlink.LinkByName("up0")
	must(t, err)
	must(t, netlink.LinkSetDown(up))
	must(t, netlink.LinkSetName(up, "br-up"))
	must(t, netlink.LinkSetUp(up))
	must(t, netlink.AddrReplace(up, address(t, "2001:db8:77::1/64"))) // an address of IPv6 goes as its link goes down
	for _, via := range []netip.Addr{outside4, outside6} {
		must(t, netlink.RouteReplace(&netlink.Route{LinkIndex: up.Attrs().Index, Gw: via.AsSlice()}))
	}
	private, published := netip.MustParseAddr("172.17.0.2"), netip.MustParseAddr("172.18.0.2")
	w.behind("docker0", private)
	w.behind("br-0123456789ab", published)
	p := w.plumb("deployment-one")
	n := nic(1, 10)
	box := w.plugged(p, n)
	conn, err := nftables.New()
	must(t, err)
	for _, chain := range chainNames(t)["FORWARD"] {
		if chain.Table.Family == nftables.TableFamilyIPv4 {
			conn.AddRule(&nftables.Rule{Table: chain.Table, Chain: chain, Exprs: []expr.Any{
				&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
				&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: published.AsSlice()},
				&expr.Verdict{Kind: expr.VerdictAccept}}})
		}
	}
	must(t, conn.Flush())
	for range 2 {
		check(t, "what Docker opened", box, []netip.Addr{published}, true)
		check(t, "what Docker keeps", box, []netip.Addr{private}, false)
		check(t, "world outside", box, []netip.Addr{outside4, outside6}, true)
		must(t, p.Sync(t.Context(), []domain.Nic{n}))
	}
}

// filterBridges makes bridged frames pass the forward chains too, as Docker does where
// the kernel can; then the rules must let them through. Without on they pass none, unless
// their bridge says so.
func filterBridges(t *testing.T, on bool) {
	t.Helper()
	for _, name := range []string{"iptables", "ip6tables"} {
		path := "/proc/sys/net/bridge/bridge-nf-call-" + name
		if _, err := os.Stat(path); err != nil {
			t.Logf("this kernel has no br_netfilter, so bridged frames are not filtered: %v", err)
			return
		}
		must(t, os.WriteFile(path, []byte(map[bool]string{true: "1", false: "0"}[on]), 0o600))
	}
}

func TestSandboxWithIPv6SwitchedOff(t *testing.T) {
	w := newWorld(t)
	p, n := w.plumb("deployment-one"), nic(1, 10)
	path := w.sandbox("box")
	must(t, in(path, func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0o600)
	}))
	must(t, p.Plug(t.Context(), "c", path, "eth0", n))
	check(t, "IPv6", path, append(gateways(n), outside6, netip.IPv6Loopback()), true)
}
