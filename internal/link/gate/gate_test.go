package gate_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/gate"
)

func TestWhoGuessesIsRefusedForAWhileAndOthersAreNot(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := gate.New(func() time.Time { return now })
	guesser, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for n := range 10 {
		if err := g.Enter(guesser); err != nil {
			t.Fatalf("try %d: %v", n, err)
		}
		g.Failed(guesser)
	}
	if err := g.Enter(guesser); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("the eleventh try: %v, want Unavailable", err)
	}
	if err := g.Enter(other); err != nil {
		t.Errorf("another address: %v", err)
	}
	now = now.Add(time.Minute)
	if err := g.Enter(guesser); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestAFloodFromManyAddressesCostsNoMemory(t *testing.T) {
	g := gate.New(time.Now)
	addr := netip.MustParseAddr("2001:db8::1")
	for range 4096 {
		g.Failed(addr)
		network := addr.As16()
		binary.BigEndian.PutUint64(network[:8], binary.BigEndian.Uint64(network[:8])+1)
		addr = netip.AddrFrom16(network)
	}
	if err := g.Enter(addr); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("after the flood: %v, want Unavailable", err)
	}
}

// One machine has a network of IPv6 to itself: it is refused from all of it, and nobody
// else because of it.
func TestANetworkOfIPv6GuessesAsOne(t *testing.T) {
	g := gate.New(time.Now)
	addr := netip.MustParseAddr("2001:db8::1%eth0")
	for range 5000 {
		g.Failed(addr)
		addr = addr.Next()
	}
	if err := g.Enter(addr); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("the next address: %v, want Unavailable", err)
	}
	for _, other := range []string{"2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.2"} {
		if err := g.Enter(netip.MustParseAddr(other)); err != nil {
			t.Errorf("%s: %v", other, err)
		}
	}
}
