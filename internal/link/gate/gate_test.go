package gate_test

import (
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
		addr = addr.Next()
	}
	if err := g.Enter(addr); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("after the flood: %v, want Unavailable", err)
	}
}
