//go:build integration

package plumb_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/domain"
)

// insideWorld marks the child process that has namespaces of its own.
const insideWorld = "ZUN_PLUMB_TEST_WORLD"

// TestMain runs the tests in a network and a mount namespace of their own, so that
// nothing here can touch the machine.
func TestMain(m *testing.M) {
	if os.Getenv(insideWorld) != "" {
		os.Exit(m.Run())
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests make network namespaces and must be run by root")
		os.Exit(1)
	}
	child := exec.Command("/proc/self/exe", os.Args[1:]...)
	child.Env = append(os.Environ(), insideWorld+"=1")
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	if err := child.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The addresses of the world outside, and of the host towards it.
var (
	outside4, host4 = netip.MustParseAddr("203.0.113.2"), netip.MustParseAddr("203.0.113.1")
	outside6, host6 = netip.MustParseAddr("2001:db8:77::2"), netip.MustParseAddr("2001:db8:77::1")
)

// world is a host with an uplink to an outside that knows no route back.
type world struct {
	t       *testing.T
	outside string
	seq     atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(t, os.MkdirAll("/run/netns", 0o755))
	must(t, unix.Mount("tmpfs", "/run/netns", "tmpfs", 0, ""))
	t.Cleanup(func() { must(t, unix.Unmount("/run/netns", unix.MNT_DETACH)) })
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	must(t, netlink.LinkSetUp(lo))
	filterBridges(t, false) // a new namespace filters all bridges, which no host does

	w.outside = w.sandbox("outside")
	ns, err := netns.GetFromPath(w.outside)
	must(t, err)
	defer ns.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "up0"
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "up1"}))
	// Moved, not made there: two ends with one number would get their carrier a second late.
	away, err := netlink.LinkByName("up1")
	must(t, err)
	must(t, netlink.LinkSetNsFd(away, int(ns)))
	up, err := netlink.LinkByName("up0")
	must(t, err)
	t.Cleanup(func() { must(t, netlink.LinkDel(up)) })
	far, err := netlink.NewHandleAt(ns)
	must(t, err)
	defer far.Close()
	peer, err := far.LinkByName("up1")
	must(t, err)
	// Link-local addresses come when they like, and would blur the inventory.
	must(t, far.LinkSetIP6AddrGenMode(peer, nl.IN6_ADDR_GEN_MODE_NONE))
	must(t, netlink.LinkSetIP6AddrGenMode(up, nl.IN6_ADDR_GEN_MODE_NONE))
	for _, a := range []string{"203.0.113.2/24", "2001:db8:77::2/64"} {
		must(t, far.AddrAdd(peer, address(t, a)))
	}
	must(t, far.LinkSetUp(peer))
	for _, a := range []string{"203.0.113.1/24", "2001:db8:77::1/64"} {
		must(t, netlink.AddrAdd(up, address(t, a)))
	}
	must(t, netlink.LinkSetUp(up))
	for _, via := range []netip.Addr{outside4, outside6} {
		must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: up.Attrs().Index, Gw: via.AsSlice()}))
	}
	// Only now the kernel's own routes for the uplink are complete.
	for _, a := range []netip.Addr{outside4, outside6} {
		if !reaches(t, "", netip.Addr{}, a, soon) {
			t.Fatalf("the host does not reach the outside at %s", a)
		}
	}
	return w
}

// plumb returns a plumbing whose things are torn down with the test.
func (w *world) plumb(deployment string, access ...plumb.Service) *plumb.Plumb {
	w.t.Helper()
	p, err := plumb.New(plumb.Options{Deployment: deployment, HostAccess: access}, slog.New(slog.DiscardHandler))
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, p.Teardown(context.Background())) })
	return p
}

// sandbox makes a named namespace and returns its path.
func (w *world) sandbox(name string) string {
	w.t.Helper()
	must(w.t, onOwnThread(func() error {
		ns, err := netns.NewNamed(name)
		if err != nil {
			return err
		}
		return ns.Close()
	}))
	w.t.Cleanup(func() {
		if err := netns.DeleteNamed(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Error(err)
		}
	})
	return filepath.Join("/run/netns", name)
}

// behind makes a bridge of somebody else's with a container at addr behind it.
func (w *world) behind(bridge string, addr netip.Addr) {
	w.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridge
	must(w.t, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	link, err := netlink.LinkByName(bridge)
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, netlink.LinkDel(link)) })
	gateway := addr.Prev()
	must(w.t, netlink.AddrAdd(link, address(w.t, gateway.String()+"/16")))
	ns, err := netns.GetFromPath(w.sandbox("behind-" + bridge))
	must(w.t, err)
	defer ns.Close()
	attrs = netlink.NewLinkAttrs()
	attrs.Name, attrs.MasterIndex = "v"+bridge[:6], link.Attrs().Index
	must(w.t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(ns)}))
	far, err := netlink.NewHandleAt(ns)
	must(w.t, err)
	defer far.Close()
	peer, err := far.LinkByName("eth0")
	must(w.t, err)
	must(w.t, far.AddrAdd(peer, address(w.t, addr.String()+"/16")))
	must(w.t, far.LinkSetUp(peer))
	must(w.t, far.RouteAdd(&netlink.Route{LinkIndex: peer.Attrs().Index, Gw: gateway.AsSlice()}))
	for _, name := range []string{bridge, attrs.Name} {
		near, err := netlink.LinkByName(name)
		must(w.t, err)
		must(w.t, netlink.LinkSetUp(near))
	}
}

// onOwnThread runs fn on a thread that ends with it.
func onOwnThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- fn()
	}()
	return <-done
}

// nic returns a complete nic number n of the local network index.
func nic(index, n int) domain.Nic {
	id := fmt.Sprintf("%02x%02x0000-0000-4000-8000-%012x", index, n, n)
	prefix4 := netip.MustParsePrefix(fmt.Sprintf("10.96.%d.0/24", index))
	prefix6 := netip.MustParsePrefix(fmt.Sprintf("fd00:96:0:%x::/64", index))
	return domain.Nic{
		PortID: id, NetworkID: fmt.Sprintf("network-%d", index),
		MAC: fmt.Sprintf("fa:16:3e:00:%02x:%02x", index, n), MTU: 1450,
		Addresses: []domain.NicAddress{
			{Addr: host(prefix4, n), Prefix: prefix4, Gateway: host(prefix4, 1)},
			{Addr: host(prefix6, n), Prefix: prefix6, Gateway: host(prefix6, 1)},
		},
		Binding: domain.Binding{Type: domain.BindingLocal, Details: map[string]string{domain.DetailIndex: strconv.Itoa(index)}},
	}
}

func host(p netip.Prefix, n int) netip.Addr {
	a := p.Addr().AsSlice()
	a[len(a)-1] = byte(n)
	addr, _ := netip.AddrFromSlice(a)
	return addr
}

func v4(n domain.Nic) netip.Addr { return n.Addresses[0].Addr }
func v6(n domain.Nic) netip.Addr { return n.Addresses[1].Addr }

// plugged plugs nic into a fresh sandbox as eth0 and returns the sandbox's path.
func (w *world) plugged(p *plumb.Plumb, n domain.Nic) string {
	w.t.Helper()
	path := w.sandbox(fmt.Sprintf("box-%d", w.seq.Add(1)))
	must(w.t, p.Plug(context.Background(), domain.ContainerID("c-"+n.PortID), path, "eth0", n))
	return path
}

// The patience of pings: long enough for what must come, short for what must not.
const (
	soon  = 5 * time.Second
	never = 200 * time.Millisecond
)

// reaches says whether an echo from path's namespace (empty: the host's) to target is
// answered within patience. It asks again every 50 ms, since a first packet may be
// lost to address resolution.
func reaches(t *testing.T, path string, source, target netip.Addr, patience time.Duration) bool {
	t.Helper()
	var conn net.PacketConn
	open := func() (err error) {
		network, listen := "ip4:icmp", "0.0.0.0"
		if target.Is6() {
			network, listen = "ip6:ipv6-icmp", "::"
		}
		if source.IsValid() {
			listen = source.String()
		}
		conn, err = net.ListenPacket(network, listen)
		return err
	}
	must(t, in(path, open))
	defer conn.Close()
	return echo(t, conn, target, patience)
}

func echo(t *testing.T, conn net.PacketConn, target netip.Addr, patience time.Duration) bool {
	t.Helper()
	request, reply := byte(8), byte(0)
	if target.Is6() {
		request, reply = 128, 129
	}
	packet := make([]byte, 16)
	packet[0] = request
	binary.BigEndian.PutUint16(packet[4:], uint16(os.Getpid()))
	var sum uint32
	for i := 0; i < len(packet); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(packet[i:]))
	}
	binary.BigEndian.PutUint16(packet[2:], ^uint16(sum+sum>>16)) // the kernel fills in ICMPv6's own
	buffer := make([]byte, 1500)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := conn.WriteTo(packet, &net.IPAddr{IP: target.AsSlice()}); err != nil {
			return false
		}
		must(t, conn.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				break
			}
			if n > 0 && buffer[0] == reply && from.(*net.IPAddr).IP.Equal(target.AsSlice()) {
				return true
			}
		}
	}
	return false
}

// in runs fn in the namespace at path; a socket that it opens stays in there.
func in(path string, fn func() error) error {
	if path == "" {
		return fn()
	}
	return onOwnThread(func() error {
		ns, err := netns.GetFromPath(path)
		if err != nil {
			return err
		}
		defer ns.Close()
		if err := netns.Set(ns); err != nil {
			return err
		}
		return fn()
	})
}

// inventory describes everything of networking that a test may leave behind.
func inventory(t *testing.T) string {
	t.Helper()
	var lines []string
	links, err := netlink.LinkList()
	must(t, err)
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		lines = append(lines, "link "+l.Attrs().Name)
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	must(t, err)
	for _, a := range addrs {
		lines = append(lines, fmt.Sprintf("address %s on %s", a.IPNet, names[a.LinkIndex]))
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	must(t, err)
	for _, r := range routes {
		lines = append(lines, fmt.Sprintf("route %v via %v on %s", r.Dst, r.Gw, names[r.LinkIndex]))
	}
	conn, err := nftables.New()
	must(t, err)
	chains, err := conn.ListChains()
	must(t, err)
	for _, c := range chains {
		rules, err := conn.GetRules(c.Table, c)
		must(t, err)
		lines = append(lines, fmt.Sprintf("chain %s %s with %d rules", c.Table.Name, c.Name, len(rules)))
	}
	tables, err := conn.ListTables()
	must(t, err)
	for _, table := range tables {
		lines = append(lines, fmt.Sprintf("table %d %s", table.Family, table.Name))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

func address(t *testing.T, s string) *netlink.Addr {
	t.Helper()
	a, err := netlink.ParseAddr(s)
	must(t, err)
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
