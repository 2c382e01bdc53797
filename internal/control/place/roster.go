package place

import (
	"sync"
	"time"
)

// A fleet of more than smallFleet hosts is remembered, because reading thousands of
// hosts costs more than all the rest of a create. A small one is read each time: it
// costs little, and its hosts fill evenly then. What is remembered lives for
// rosterLife, or for rosterShare times what reading it took, if that is longer.
const (
	smallFleet  = 64
	rosterLife  = time.Second
	rosterShare = 10
)

// Roster remembers a fleet; it is safe for concurrent use. The hosts in it are never changed.
type Roster struct {
	mu          sync.Mutex
	seen        Snapshot
	at, expires time.Time // by this process's clock
	life        time.Duration
}

// Keep remembers what was read from the time begun until now.
func (r *Roster) Keep(s Snapshot, begun, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(s.Hosts) <= smallFleet {
		s = Snapshot{}
	}
	r.seen, r.at, r.life = s, now, max(rosterLife, rosterShare*now.Sub(begun))
	r.expires = now.Add(r.life)
}

// Recall returns the remembered fleet as of now; false if there is none, or if the
// caller must read it anew. Of many who find it expired one reads, and the others go
// on with the old one meanwhile.
func (r *Roster) Recall(now time.Time) (Snapshot, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := now.Sub(r.at)
	if r.seen.Hosts == nil || age < 0 || age > 2*r.life {
		return Snapshot{}, false
	}
	if now.After(r.expires) {
		r.expires = now.Add(r.life)
		return Snapshot{}, false
	}
	s := r.seen
	s.Now = s.Now.Add(age)
	return s, true
}
