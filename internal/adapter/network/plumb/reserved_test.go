//go:build integration

package plumb_test

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestReservedFramesAreNoWayToTheHost sends datagrams to the addresses that bridges keep to
// themselves. Of those the kernel asks no filter of bridges, and takes them as the link's own.
func TestReservedFramesAreNoWayToTheHost(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := nic(48, 10), nic(48, 11)
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	if !arrives(t, boxA, boxB, datagram(t, a, b, v4(b))) {
		t.Fatal("what a neighbour sends does not arrive, so the rest means nothing")
	}
	for _, last := range keptByBridges() {
		for _, target := range []netip.Addr{gateways(a)[0], gateways(a)[1], host4, host6} {
			if arrives(t, boxA, "", reserved(datagram(t, a, b, target), last)) {
				t.Errorf("the host's service at %s is reached by a frame to the reserved address %d", target, last)
			}
		}
	}
}

// TestReservedFramesMakeNoNeighboursOfTheHost asks the host for its address in another's name,
// and would fill its table of neighbours.
func TestReservedFramesMakeNoNeighboursOfTheHost(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a := nic(51, 10)
	box := w.plugged(p, a)
	request := arpReply(t, a, host(a.Addresses[0].Prefix, 99))
	request[14+7] = 1
	copy(request[14+24:], host4.AsSlice())
	tap, err := netlink.LinkByName("tap" + a.PortID[:11])
	must(t, err)
	for _, last := range keptByBridges() {
		send(t, box, reserved(request, last))
		known, err := netlink.NeighList(tap.Attrs().Index, netlink.FAMILY_V4)
		must(t, err)
		if len(known) > 0 {
			t.Errorf("a frame to the reserved address %d made neighbours of the host: %v", last, known)
		}
	}
}

// TestPortsOutsideTheirBridgeReachNothing takes a link out of its bridge, as a slip of an
// operator may.
func TestPortsOutsideTheirBridgeReachNothing(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a := nic(52, 10)
	box := w.plugged(p, a)
	tap, err := netlink.LinkByName("tap" + a.PortID[:11])
	must(t, err)
	must(t, netlink.LinkSetNoMaster(tap))
	for _, target := range []netip.Addr{gateways(a)[0], gateways(a)[1], host4, host6} {
		data := datagram(t, a, a, target)
		copy(data[:6], tap.Attrs().HardwareAddr)
		if arrives(t, box, "", data) {
			t.Errorf("the host's service at %s is reached", target)
		}
	}
}

// keptByBridges are the last bytes of such addresses: the kernel has a way of its own for each.
func keptByBridges() []byte { return []byte{0x00, 0x01, 0x03, 0x0e} }

// reserved is frame to an address that bridges do not forward, by its last byte.
func reserved(frame []byte, last byte) []byte {
	return append([]byte{0x01, 0x80, 0xc2, 0, 0, last}, frame[6:]...)
}

// send sends frame from eth0 of the box as it is.
func send(t *testing.T, from string, frame []byte) {
	t.Helper()
	must(t, in(from, func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index})
	}))
}
