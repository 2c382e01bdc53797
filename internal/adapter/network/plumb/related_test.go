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

	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// TestNoErrorsAboutConnectionsOfOtherProjects tells a container of another project that whom it
// talks to is not there. To the kernel such an error belongs to the connection, whoever sends it.
func TestNoErrorsAboutConnectionsOfOtherProjects(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a := grouped(nic(55, 10), "g1")
	box := w.plugged(p, a)
	router := domain.Nic{MAC: gatewayMAC(t).String()}
	victim, friend := grouped(nic(56, 11), "g2"), grouped(nic(56, 12), "g2")
	boxVictim, boxFriend := w.plugged(p, victim), w.plugged(p, friend)
	for i, far := range addrs(friend) {
		var socket, there net.Conn
		must(t, in(boxVictim, func() (err error) {
			socket, err = net.Dial("udp", netip.AddrPortFrom(far, datagramPort).String())
			return err
		}))
		port := socket.LocalAddr().(*net.UDPAddr).Port
		must(t, in(boxFriend, func() (err error) {
			there, err = net.ListenUDP("udp", &net.UDPAddr{IP: far.AsSlice(), Port: datagramPort})
			return err
		}))
		_, err := socket.Write([]byte("x"))
		must(t, err)
		must(t, there.SetReadDeadline(time.Now().Add(soon)))
		_, err = there.Read(make([]byte, 1))
		must(t, err)
		send(t, box, unreachable(t, a, router, victim.Addresses[i].Addr, far, uint16(port)))
		must(t, socket.SetReadDeadline(time.Now().Add(never)))
		if _, err := socket.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an error about a connection to %s arrived: %v", far, err)
		}
		must(t, errors.Join(socket.Close(), there.Close()))
	}
}

// TestNoErrorsAboutConnectionsOfTheHost tells the host that whom it talks to is not there.
func TestNoErrorsAboutConnectionsOfTheHost(t *testing.T) {
	w := newWorld(t)
	p := w.plumb("deployment-one")
	a := grouped(nic(58, 10), "g1")
	box := w.plugged(p, a)
	wantReach(t, "the gateway", box, true, gateways(a)...)
	router := domain.Nic{MAC: gatewayMAC(t).String()}
	for i, near := range []netip.Addr{host4, host6} {
		far := []netip.Addr{outside4, outside6}[i]
		var there net.Conn
		must(t, in(w.outside, func() (err error) {
			there, err = net.ListenUDP("udp", &net.UDPAddr{IP: far.AsSlice(), Port: datagramPort})
			return err
		}))
		socket, err := net.Dial("udp", netip.AddrPortFrom(far, datagramPort).String())
		must(t, err)
		_, err = socket.Write([]byte("x"))
		must(t, err)
		must(t, there.SetReadDeadline(time.Now().Add(soon)))
		_, err = there.Read(make([]byte, 1))
		must(t, err)
		send(t, box, unreachable(t, a, router, near, far, uint16(socket.LocalAddr().(*net.UDPAddr).Port)))
		must(t, socket.SetReadDeadline(time.Now().Add(never)))
		if _, err := socket.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an error about a connection to %s arrived: %v", far, err)
		}
		must(t, errors.Join(socket.Close(), there.Close()))
	}
}

// unreachable is a frame from from to next which tells victim that far, to which it sent from
// port, is not there.
func unreachable(t *testing.T, from, next domain.Nic, victim, far netip.Addr, port uint16) []byte {
	t.Helper()
	udp := binary.BigEndian.AppendUint16(nil, port)
	udp = append(binary.BigEndian.AppendUint16(udp, datagramPort), 0, 9, 0, 0)
	if victim.Is4() {
		inner := []byte{0x45, 0, 0, 29, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
		inner = append(append(inner, victim.AsSlice()...), far.AsSlice()...)
		binary.BigEndian.PutUint16(inner[10:], sum(inner))
		message := append(append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, inner...), udp...)
		binary.BigEndian.PutUint16(message[2:], sum(message))
		head := []byte{0x45, 0, 0, byte(20 + len(message)), 0, 0, 0, 0, 64, unix.IPPROTO_ICMP, 0, 0}
		head = append(append(head, v4(from).AsSlice()...), victim.AsSlice()...)
		binary.BigEndian.PutUint16(head[10:], sum(head))
		return append(append(ethernet(t, from, next, unix.ETH_P_IP), head...), message...)
	}
	inner := append(append([]byte{0x60, 0, 0, 0, 0, 9, unix.IPPROTO_UDP, 64}, victim.AsSlice()...), far.AsSlice()...)
	message := append(append([]byte{1, 4, 0, 0, 0, 0, 0, 0}, inner...), udp...)
	ends := append(v6(from).AsSlice(), victim.AsSlice()...)
	binary.BigEndian.PutUint16(message[2:], sum(append(append(append([]byte{}, ends...), 0, 0, 0, byte(len(message)), 0, 0, 0, unix.IPPROTO_ICMPV6), message...)))
	head := append([]byte{0x60, 0, 0, 0, 0, byte(len(message)), unix.IPPROTO_ICMPV6, 64}, ends...)
	return append(append(ethernet(t, from, next, unix.ETH_P_IPV6), head...), message...)
}
