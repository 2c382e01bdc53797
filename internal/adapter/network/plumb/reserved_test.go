//go:build integration

package plumb_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
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

// TestSyncTakesPortsBackIntoTheirBridge deletes a bridge under its ports, and takes one out.
func TestSyncTakesPortsBackIntoTheirBridge(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := grouped(nic(61, 10), "g1"), grouped(nic(61, 11), "g2")
	box := w.plugged(p, a)
	w.plugged(p, b)
	for _, mishap := range []func() error{
		func() error { return netlink.LinkDel(bridge(t)) },
		func() error {
			tap, err := netlink.LinkByName("tap" + a.PortID[:11])
			return errors.Join(err, netlink.LinkSetNoMaster(tap))
		},
	} {
		must(t, mishap())
		must(t, p.Sync(t.Context(), []domain.Nic{a, b}))
		wantReach(t, "the gateway", box, true, gateways(a)...)
		wantReach(t, "the world", box, true, outside4, outside6)
		wantReach(t, "another group", box, false, v4(b), v6(b))
	}
}

// TestReservedFramesMoveNoAddress has a container claim another's MAC where no filter of
// bridges looks, and ask for what is sent to it.
func TestReservedFramesMoveNoAddress(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	thief, victim, friend := nic(49, 10), nic(49, 11), nic(49, 12)
	boxThief, boxVictim, boxFriend := w.plugged(p, thief), w.plugged(p, victim), w.plugged(p, friend)
	letter := datagram(t, friend, victim, v4(victim))
	if !arrives(t, boxFriend, boxVictim, letter) {
		t.Fatal("what a neighbour sends does not arrive, so the rest means nothing")
	}
	for _, last := range keptByBridges() {
		claim := reserved(datagram(t, victim, thief, v4(thief)), last)
		arrives(t, boxThief, boxVictim, claim)
		if frame(t, boxFriend, boxThief, unix.ETH_P_IP, letter) {
			t.Errorf("who claimed a MAC by a frame to the reserved address %d gets what is for its owner", last)
		}
	}
}

// TestFramesForNobodyAreShownToNobody sends to a MAC that no port has, as that of a container
// would be which had been quiet for long.
func TestFramesForNobodyAreShownToNobody(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a, b := nic(53, 10), nic(53, 11)
	boxA, boxB := w.plugged(p, a), w.plugged(p, b)
	if !frame(t, boxA, boxB, unix.ETH_P_IP, datagram(t, a, b, v4(b))) {
		t.Fatal("what is for a port does not arrive, so the rest means nothing")
	}
	if frame(t, boxA, boxB, unix.ETH_P_IP, datagram(t, a, nic(53, 12), v4(nic(53, 12)))) {
		t.Error("a frame for another was shown")
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
