package control_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// orderedStore notes in which order each transaction first takes the two rows that many
// want: the books of a project and of a host. One that takes them the other way round
// waits for another that waits for it, on a database that locks rows.
type orderedStore struct {
	control.Store
	mu     sync.Mutex
	orders [][]string
}

func (s *orderedStore) Write(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	var taken []string
	take := func(what string) {
		if !slices.Contains(taken, what) {
			taken = append(taken, what)
		}
	}
	err := s.Store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		taken = nil
		return fn(ctx, orderedTx{tx, take})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, taken)
	return err
}

type orderedTx struct {
	control.Tx
	take func(string)
}

func (t orderedTx) Quotas() control.Quotas         { return orderedQuotas{t.Tx.Quotas(), t.take} }
func (t orderedTx) Hosts() control.Hosts           { return orderedHosts{t.Tx.Hosts(), t.take} }
func (t orderedTx) Containers() control.Containers { return orderedRows{t.Tx.Containers(), t.take} }

type orderedQuotas struct {
	control.Quotas
	take func(string)
}

func (q orderedQuotas) Use(ctx context.Context, id string, c domain.Claim, limits domain.Quota) ([]domain.Resource, error) {
	q.take("project")
	return q.Quotas.Use(ctx, id, c, limits)
}

type orderedHosts struct {
	control.Hosts
	take func(string)
}

func (h orderedHosts) Claim(ctx context.Context, id string, c, limit domain.Claim) error {
	h.take("host")
	return h.Hosts.Claim(ctx, id, c, limit)
}

type orderedRows struct {
	control.Containers
	take func(string)
}

func (r orderedRows) Assign(ctx context.Context, c domain.Container) (domain.Host, error) {
	r.take("host") // the revision is the host's
	return r.Containers.Assign(ctx, c)
}

func (r orderedRows) Tombstones() control.Tombstones {
	return orderedTombstones{r.Containers.Tombstones(), r.take}
}

type orderedTombstones struct {
	control.Tombstones
	take func(string)
}

func (t orderedTombstones) Put(ctx context.Context, c domain.Container) error {
	t.take("host")
	return t.Tombstones.Put(ctx, c)
}

// TestBooksAreTakenInOneOrder lives the lives that touch the books of both.
func TestBooksAreTakenInOneOrder(t *testing.T) {
	h := newHouse(t)
	ordered := &orderedStore{Store: h.store.Store}
	h.store.Store = ordered
	h.addHost("n1")
	ended, buried := h.running("ended"), h.running("buried")
	memory := int64(1024)
	resize := func(ident string) {
		_, err := h.Act(t.Context(), member(), control.Ref{Ident: ident}, domain.VerbResizeContainer, domain.ActionArgs{MemoryMB: &memory})
		h.must(err)
	}
	resize("ended")
	h.failed(ended, "no memory")
	resize("ended")
	h.must(h.delete(ended, control.DeleteRequest{Stop: true}))
	h.released(ended)
	h.store.step(time.Hour)
	h.must(h.delete(buried, control.DeleteRequest{Force: true}))
	both := 0
	for _, taken := range ordered.orders {
		if len(taken) == 2 {
			both++
		}
		if len(taken) == 2 && taken[0] == "host" {
			t.Errorf("a transaction took the books of %v in this order", taken)
		}
	}
	if both < 5 {
		t.Errorf("only %d transactions took both", both)
	}
}
