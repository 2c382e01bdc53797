//go:build integration

package plumb_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// TestNeighboursInFragmentsAreDropped sends an advertisement in the gateway's name in pieces,
// none of which tells what it is. Where bridged packets are filtered the host puts them together.
func TestNeighboursInFragmentsAreDropped(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(50, 10), "g1"), grouped(nic(50, 11), "g1")
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	wantReach(t, "a member of the group", boxB, true, v6(a))
	gateway, router := gateways(a)[1], domain.Nic{MAC: gatewayMAC(t).String()}
	wantReach(t, "the gateway", boxB, true, gateway)
	honest := fragments(t, datagram(t, a, b, v6(b)))
	send(t, boxA, honest[0])
	if !arrives(t, boxA, boxB, honest[1]) {
		t.Error("an honest datagram in pieces did not arrive")
	}
	for name, lead := range map[string][]byte{
		"its target in the second piece": nil,
		"its type in the second piece":   {unix.IPPROTO_ICMPV6, 0, 1, 4, 0, 0, 0, 0}, // options for the destination, which are none
	} {
		for _, piece := range fragments(t, advertisement(t, a, b, v6(b), gateway, lead)) {
			send(t, boxA, piece)
		}
		if mac := neighbour(t, boxB, gateway); mac == a.MAC {
			t.Errorf("an advertisement with %s made the gateway another's", name)
		}
		for _, piece := range fragments(t, advertisement(t, a, router, gateway, v6(b), lead)) {
			send(t, boxA, piece)
		}
		if mac := neighbour(t, "", v6(b)); mac == a.MAC {
			t.Errorf("an advertisement with %s made a container another's to the host", name)
		}
	}
}

// TestOddPacketsAreNoWayAroundGroups wraps a datagram for a closed port as filters overlook it:
// behind other headers, and in pieces of which one is told twice, first for an open port.
func TestOddPacketsAreNoWayAroundGroups(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	open := domain.GroupRule{IPv6: true, Protocol: "udp", PortMin: 80, PortMax: 80}
	a, b, friend := grouped(nic(60, 10), "g1"), grouped(nic(60, 11), "g2", open), grouped(nic(60, 12), "g2")
	boxA, boxB, boxFriend := w.plugged(p, a), w.plugged(p, b), w.plugged(p, friend)
	behind := func(from domain.Nic) []byte {
		d := datagram(t, from, b, v6(b))
		d[14+5], d[14+6] = d[14+5]+8, unix.IPPROTO_DSTOPTS
		return append(append(append([]byte{}, d[:54]...), unix.IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0), d[54:]...)
	}
	if !arrives(t, boxFriend, boxB, behind(friend)) {
		t.Fatal("what a member of the group sends behind options does not arrive, so the rest means nothing")
	}
	d := datagram(t, a, b, v4(b))
	wrapped := func(around ...byte) []byte { return append(append(append([]byte{}, d[:12]...), around...), d[14:]...) }
	for name, data := range map[string][]byte{
		"behind options":    behind(a),
		"in two tags":       wrapped(0x88, 0xa8, 0, 0, 0x81, 0, 0, 0, 8, 0),
		"in a frame of LLC": wrapped(0, byte(len(d)-6), 0xaa, 0xaa, 3, 0, 0, 0, 8, 0),
		"in PPPoE":          wrapped(0x88, 0x64, 0x11, 0, 0, 1, 0, byte(len(d)-12), 0, 0x21),
		"in a frame to all": append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, d[6:]...),
	} {
		if arrives(t, boxA, boxB, data) {
			t.Errorf("a datagram %s arrived", name)
		}
	}
	pieces := fragments(t, datagram(t, a, b, v6(b)))
	decoy := append([]byte{}, pieces[0]...)
	binary.BigEndian.PutUint16(decoy[14+40+8+2:], 80)
	for _, piece := range [][]byte{decoy, pieces[0]} {
		send(t, boxA, piece)
		if arrives(t, boxA, boxB, pieces[1]) {
			t.Error("a datagram in pieces arrived")
		}
	}
}

// advertisement is a frame from from to to, who has the address at, which says that target is
// from's, and overrides what is known. lead goes ahead of the message.
func advertisement(t *testing.T, from, to domain.Nic, at, target netip.Addr, lead []byte) []byte {
	t.Helper()
	mac, err := net.ParseMAC(from.MAC)
	must(t, err)
	message := append(append([]byte{136, 0, 0, 0, 0x60, 0, 0, 0}, target.AsSlice()...), 2, 1)
	message = append(message, mac...)
	ends := append(v6(from).AsSlice(), at.AsSlice()...)
	binary.BigEndian.PutUint16(message[2:], sum(append(append(append([]byte{}, ends...), 0, 0, 0, byte(len(message)), 0, 0, 0, unix.IPPROTO_ICMPV6), message...)))
	next := byte(unix.IPPROTO_ICMPV6)
	if lead != nil {
		next = unix.IPPROTO_DSTOPTS
	}
	body := append(append([]byte{}, lead...), message...)
	head := append([]byte{0x60, 0, 0, 0, 0, byte(len(body)), next, 255}, ends...)
	return append(append(ethernet(t, from, to, unix.ETH_P_IPV6), head...), body...)
}

// fragments are the packet of a frame in two: eight bytes, and the rest.
func fragments(t *testing.T, whole []byte) [][]byte {
	t.Helper()
	const head = 14 + 40
	piece := func(offset uint16, body []byte) []byte {
		f := append([]byte{}, whole[:head]...)
		next := f[14+6]
		f[14+5], f[14+6] = byte(8+len(body)), unix.IPPROTO_FRAGMENT
		f = binary.BigEndian.AppendUint16(append(f, next, 0), offset)
		return append(append(f, 0, 0, 0x5a, byte(len(whole))), body...)
	}
	return [][]byte{piece(1, whole[head:head+8]), piece(8, whole[head+8:])}
}

// neighbour is the MAC by which the namespace at path knows addr.
func neighbour(t *testing.T, path string, addr netip.Addr) string {
	t.Helper()
	mac := ""
	must(t, in(path, func() error {
		known, err := netlink.NeighList(0, netlink.FAMILY_V6)
		for _, n := range known {
			if n.IP.Equal(addr.AsSlice()) {
				mac = n.HardwareAddr.String()
			}
		}
		return err
	}))
	return mac
}

// gatewayMAC is the hardware address of the one bridge.
func gatewayMAC(t *testing.T) net.HardwareAddr {
	t.Helper()
	return bridge(t).Attrs().HardwareAddr
}

// bridge is the first there is.
func bridge(t *testing.T) netlink.Link {
	t.Helper()
	links, err := netlink.LinkList()
	must(t, err)
	for _, link := range links {
		if link.Type() == "bridge" {
			return link
		}
	}
	t.Fatal("there is no bridge")
	return nil
}
