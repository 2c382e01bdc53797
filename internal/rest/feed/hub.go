// Package feed lets any number of followers read what happens, for the price of one: it
// looks into the store once for all of them and keeps what is newest.
package feed

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

const (
	// Batch is the most notices that one look brings.
	Batch = 500
	// kept is how many of the newest notices are kept for followers that are a little behind.
	kept = 4 * Batch
	// forgotten is after how many intervals without a follower what is kept is too old to
	// go on from.
	forgotten = 20
)

// Source is where notices come from.
type Source interface {
	// Notices returns up to limit notices after id, in order and without a miss.
	Notices(ctx context.Context, after int64, limit int) ([]domain.Notice, error)
	// NoticeBounds returns the ids of the oldest and the newest notice kept; 0 for none.
	NoticeBounds(ctx context.Context) (oldest, newest int64, err error)
}

// Hub is what the followers of one process share. It has no life of its own: whichever
// follower comes first after an interval looks for all.
type Hub struct {
	source Source
	every  time.Duration
	clock  func() time.Time

	looking sync.Mutex // held by the follower that looks

	mu     sync.RWMutex
	looked time.Time
	base   int64           // every notice after it is in newest, up to what the last look brought
	newest []domain.Notice // in order
}

// NewHub returns a hub that looks into source at most once in every.
func NewHub(source Source, every time.Duration, clock func() time.Time) *Hub {
	return &Hub{source: source, every: every, clock: clock}
}

// After returns up to Batch notices after id, in order and without a miss. A follower
// that is far behind reads from the source itself until it has caught up.
func (h *Hub) After(ctx context.Context, id int64) ([]domain.Notice, error) {
	if err := h.look(ctx); err != nil {
		return nil, err
	}
	if found, here := h.recent(id); here {
		return found, nil
	}
	return h.source.Notices(ctx, id, Batch)
}

// recent returns what is kept after id, and whether nothing is missing between.
func (h *Hub) recent(id int64) ([]domain.Notice, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if id < h.base {
		return nil, false
	}
	from := sort.Search(len(h.newest), func(i int) bool { return h.newest[i].ID > id })
	return h.newest[from:min(len(h.newest), from+Batch):len(h.newest)], true
}

// look brings what is new, unless that was done within the interval or is being done.
func (h *Hub) look(ctx context.Context) error {
	if !h.looking.TryLock() {
		return nil
	}
	defer h.looking.Unlock()
	h.mu.RLock()
	since, head := h.clock().Sub(h.looked), h.head()
	h.mu.RUnlock()
	if since < h.every {
		return nil
	}
	fresh := since > forgotten*h.every
	if fresh {
		oldest, newest, err := h.source.NoticeBounds(ctx)
		if err != nil {
			return err
		}
		head = max(newest-Batch, oldest-1, 0) // whoever joined a moment ago finds what he has not read
	}
	found, err := h.source.Notices(ctx, head, Batch)
	if err != nil {
		return err
	}
	h.take(head, found, fresh)
	return nil
}

// head is the id of the newest notice that a look brought.
func (h *Hub) head() int64 {
	if len(h.newest) > 0 {
		return h.newest[len(h.newest)-1].ID
	}
	return h.base
}

// take adds what a look after head found. Followers may be reading what was there
// before, so that it is never changed.
func (h *Hub) take(head int64, found []domain.Notice, fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked = h.clock()
	if fresh {
		h.base, h.newest = head, nil
	}
	all := slices.Concat(h.newest, found)
	if over := len(all) - kept; over > 0 {
		h.base, all = all[over-1].ID, all[over:]
	}
	h.newest = all
}
