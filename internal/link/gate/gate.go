// Package gate bounds how often strangers may guess: whoever failed too often from one
// address is refused for a while, before anything is looked up for them.
package gate

import (
	"net/netip"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// What one address may do within a span; addresses bounds what is remembered, so that a
// flood from many of them costs no memory: once it is reached all are refused.
const (
	span      = time.Minute
	tries     = 10
	addresses = 4096
)

// Gate counts failures by address, those of IPv6 by their network. It is safe for concurrent use.
type Gate struct {
	now func() time.Time

	mu     sync.Mutex
	since  time.Time
	failed map[netip.Addr]int
}

// New returns a gate that nobody failed at yet.
func New(now func() time.Time) *Gate {
	return &Gate{now: now, since: now(), failed: map[netip.Addr]int{}}
}

// Enter is Unavailable ("too-many-attempts") for an address that failed too often.
func (g *Gate) Enter(from netip.Addr) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.now(); now.Sub(g.since) >= span {
		g.since = now
		clear(g.failed)
	}
	if g.failed[domain.Origin(from)] < tries && len(g.failed) < addresses {
		return nil
	}
	return domain.NewFault(domain.Unavailable, "too-many-attempts", "too many join tokens were refused; try again in a minute")
}

// Failed counts a failure of from.
func (g *Gate) Failed(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed[domain.Origin(from)]++
}
