package term

import (
	"net/netip"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// mostKnocks bounds how many addresses are remembered.
const mostKnocks = 16 << 10

// knocks remembers from where tickets were refused of late, so that a storm of guesses
// is answered by the door alone and costs control nothing.
type knocks struct {
	perMinute int // refused tickets of one address; 0: no bound
	now       func() time.Time

	mu   sync.Mutex
	seen map[netip.Addr]knock
}

// knock is what one address owes: the refused tickets that time has not yet forgiven.
type knock struct {
	debt float64
	at   time.Time
}

func newKnocks(perMinute int, now func() time.Time) *knocks {
	return &knocks{perMinute: perMinute, now: now, seen: map[netip.Addr]knock{}}
}

// tooMany says whether from has shown so many wrong tickets that none of its is
// looked at for now.
func (k *knocks) tooMany(from string) bool {
	if k.perMinute <= 0 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.seen[neighbourhood(from)]
	return ok && k.owed(known) >= float64(k.perMinute)
}

// wrong counts a refused ticket of from.
func (k *knocks) wrong(from string) {
	if k.perMinute <= 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	at := neighbourhood(from)
	known, ok := k.seen[at]
	if !ok && len(k.seen) >= mostKnocks {
		k.forget()
	}
	k.seen[at] = knock{debt: k.owed(known) + 1, at: k.now()}
}

// owed is what is left of a debt: a minute forgives as much as it allows.
func (k *knocks) owed(known knock) float64 {
	return max(0, known.debt-k.now().Sub(known.at).Minutes()*float64(k.perMinute))
}

// forget drops the addresses that owe nothing, or all if each does: memory is bounded
// first, and the bound of tickets redeemed at once still holds.
func (k *knocks) forget() {
	for at, known := range k.seen {
		if k.owed(known) == 0 {
			delete(k.seen, at)
		}
	}
	if len(k.seen) >= mostKnocks {
		clear(k.seen)
	}
}

// neighbourhood is what one user holds. What is no address is one neighbourhood.
func neighbourhood(from string) netip.Addr {
	address, err := netip.ParseAddr(from)
	if err != nil {
		return netip.Addr{}
	}
	return domain.Origin(address)
}
