//go:build integration

package plumb_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// TestForgedFramesAreNoWayAroundGroups sends datagrams in frames that no honest neighbour
// sends: each would reach a socket of the other container if it came by no rule.
func TestForgedFramesAreNoWayAroundGroups(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b, friend := grouped(nic(44, 10), "g1"), grouped(nic(44, 11), "g2"), grouped(nic(44, 12), "g2")
	boxA, boxB, boxFriend := w.plugged(p, a), w.plugged(p, b), w.plugged(p, friend)
	all4, all6 := netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("ff02::1")
	if !arrives(t, boxFriend, boxB, datagram(t, friend, b, v4(b))) || !arrives(t, boxFriend, boxB, datagram(t, friend, b, v6(b))) {
		t.Fatal("what a member of the group sends does not arrive, so the rest means nothing")
	}
	for name, data := range map[string][]byte{
		"plain":                        datagram(t, a, b, v4(b)),
		"plain, IPv6":                  datagram(t, a, b, v6(b)),
		"with a priority":              tagged(datagram(t, a, b, v4(b)), 0),
		"with a priority, IPv6":        tagged(datagram(t, a, b, v6(b)), 0),
		"to every address":             datagram(t, a, b, netip.MustParseAddr("255.255.255.255")),
		"to every address of the net":  datagram(t, a, b, host(a.Addresses[0].Prefix, 255)),
		"to every host":                datagram(t, a, b, all4),
		"to every host, IPv6":          datagram(t, a, b, all6),
		"to every host, with a tag":    tagged(datagram(t, a, b, all4), 0),
		"from a friend with a tag":     tagged(datagram(t, friend, b, v4(b)), 0),
		"from another's address":       datagram(t, friend, b, v4(b)),
		"from another's address, IPv6": datagram(t, friend, b, v6(b)),
	} {
		if arrives(t, boxA, boxB, data) {
			t.Errorf("a datagram %s arrived", name)
		}
	}
}

const datagramPort = 4444

// datagram is a frame to to's MAC with a datagram to target, from from's own addresses.
func datagram(t *testing.T, from, to domain.Nic, target netip.Addr) []byte {
	t.Helper()
	body := binary.BigEndian.AppendUint16(nil, datagramPort)
	body = binary.BigEndian.AppendUint16(body, datagramPort)
	body = append(binary.BigEndian.AppendUint16(body, 12), 0, 0, 'p', 'e', 's', 't')
	if target.Is4() {
		head := []byte{0x45, 0, 0, 32, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
		head = append(append(head, v4(from).AsSlice()...), target.AsSlice()...)
		binary.BigEndian.PutUint16(head[10:], sum(head))
		return append(append(ethernet(t, from, to, unix.ETH_P_IP), head...), body...)
	}
	ends := append(v6(from).AsSlice(), target.AsSlice()...)
	binary.BigEndian.PutUint16(body[6:], sum(append(append(append([]byte{}, ends...), 0, 0, 0, 12, 0, 0, 0, unix.IPPROTO_UDP), body...)))
	head := append([]byte{0x60, 0, 0, 0, 0, 12, unix.IPPROTO_UDP, 64}, ends...)
	return append(append(ethernet(t, from, to, unix.ETH_P_IPV6), head...), body...)
}

// tagged is frame in the VLAN id; of VLAN zero only the priority counts.
func tagged(frame []byte, id byte) []byte {
	return append(append(append([]byte{}, frame[:12]...), 0x81, 0, 0x60, id), frame[12:]...)
}

// sum is the checksum of the internet protocols.
func sum(data []byte) uint16 {
	var s uint32
	for i := 0; i+1 < len(data); i += 2 {
		s += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// arrives sends data from eth0 of the box from as it is, and says whether a socket of the
// box to reads of it.
func arrives(t *testing.T, from, to string, data []byte) bool {
	t.Helper()
	var socket net.PacketConn
	must(t, in(to, func() (err error) {
		socket, err = net.ListenPacket("udp", (&net.UDPAddr{Port: datagramPort}).String())
		return err
	}))
	defer socket.Close()
	fd := -1
	must(t, in(from, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index})
	}))
	defer unix.Close(fd)
	for end := time.Now().Add(never); time.Now().Before(end); {
		_, err := unix.Write(fd, data)
		must(t, err)
		must(t, socket.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		if _, _, err := socket.ReadFrom(make([]byte, 16)); err == nil {
			return true
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	return false
}
