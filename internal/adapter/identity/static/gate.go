package static

import (
	"container/list"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/go-zun/zun/internal/domain"
)

// How failed log-ins are slowed down. A pair of source and user may fail pairFree
// times, a source over all users sourceFree times; after that each failure doubles
// the wait. A user alone is never blocked: strangers could lock it out.
const (
	pairFree    = 5
	sourceFree  = 50
	longestWait = time.Minute
	forgetAfter = 10 * time.Minute
	maxRecords  = 8192 // the ones unused longest are dropped, so memory is bounded
	comparisons = 2    // at once: each costs tens of milliseconds of a core
)

// gate compares passwords, a few at a time, and slows down who guesses.
type gate struct {
	now   func() time.Time
	slots chan struct{}

	mu      sync.Mutex
	records map[string]*list.Element
	order   *list.List // of *record, used last in front
}

// record is what is remembered of one source or of one source and user.
type record struct {
	key      string
	failures int
	last     time.Time
	blocked  time.Time // no attempt before this
}

func newGate(now func() time.Time) *gate {
	return &gate{now: now, slots: make(chan struct{}, comparisons), records: map[string]*list.Element{}, order: list.New()}
}

// attempt is one try to log in.
type attempt struct {
	source, name, password string // name is what stands for the user where failures are counted
	hash                   []byte // nil when there is no such user
	decoy                  []byte // compared in its place, so that the time tells nothing
}

// try says whether the password fits. wait is above zero when the attempt was not
// looked at, because too many before it failed.
func (g *gate) try(ctx context.Context, a attempt) (fits bool, wait time.Duration, err error) {
	if wait := g.wait(a); wait > 0 {
		return false, wait, nil
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return false, 0, fmt.Errorf("wait for a password check: %w", ctx.Err())
	}
	if wait := g.wait(a); wait > 0 { // others of the same source failed meanwhile
		return false, wait, nil
	}
	hash := a.hash
	if hash == nil {
		hash = a.decoy
	}
	fits = bcrypt.CompareHashAndPassword(hash, []byte(a.password)) == nil && a.hash != nil
	g.note(a, fits)
	return fits, 0, nil
}

// origin is what stands for the source where failures are counted.
func (a attempt) origin() string {
	address, err := netip.ParseAddr(a.source)
	if err != nil {
		return a.source
	}
	return domain.Origin(address).String()
}

func (a attempt) pair() string { return a.origin() + "\x00" + a.name }

func (g *gate) wait(a attempt) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	return max(g.blocked(a.pair(), now).Sub(now), g.blocked(a.origin(), now).Sub(now))
}

// blocked returns until when key must wait. It makes no record: whoever is not looked at
// pays nothing for another name, and could push the failures of others out with many.
func (g *gate) blocked(key string, now time.Time) time.Time {
	if _, known := g.records[key]; !known {
		return now
	}
	return g.recall(key, now).blocked
}

// note remembers the outcome of an attempt.
func (g *gate) note(a attempt, fits bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	pair, source := g.recall(a.pair(), now), g.recall(a.origin(), now)
	if fits {
		pair.failures, pair.blocked = 0, time.Time{}
		return
	}
	pair.fail(pairFree, now)
	source.fail(sourceFree, now)
}

// fail counts one failure and sets the wait that it costs.
func (r *record) fail(free int, now time.Time) {
	r.failures++
	r.last = now
	if over := r.failures - free; over >= 0 {
		r.blocked = now.Add(min(time.Second<<min(over, 10), longestWait))
	}
}

// recall returns the record of key, a new one if it is not known or long forgotten.
func (g *gate) recall(key string, now time.Time) *record {
	if element, known := g.records[key]; known {
		g.order.MoveToFront(element)
		found, ok := element.Value.(*record)
		if ok && now.Sub(found.last) < forgetAfter {
			return found
		}
		g.drop(element)
	}
	if g.order.Len() >= maxRecords {
		g.drop(g.order.Back())
	}
	fresh := &record{key: key, last: now}
	g.records[key] = g.order.PushFront(fresh)
	return fresh
}

func (g *gate) drop(element *list.Element) {
	if old, ok := g.order.Remove(element).(*record); ok {
		delete(g.records, old.key)
	}
}
