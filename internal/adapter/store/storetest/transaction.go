package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func transactionCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Transaction/Rollback":        transactionRollback,
		"Transaction/OwnWritesSeen":   transactionOwnWrites,
		"Transaction/RunAgain":        transactionAgain,
		"Transaction/Decisions":       transactionDecisions,
		"Transaction/RevisionsInTime": transactionRevisions,
		"Transaction/Mixed":           transactionMixed,
		"Transaction/FaultSwallowed":  transactionSwallowed,
		"Transaction/Canceled":        transactionCanceled,
		"Transaction/Ping":            func(p *probe) { p.same("ping", p.store.Ping(p.Context()), nil) },
	}
}

func transactionRollback(p *probe) {
	mine := errors.New("changed my mind")
	err := p.store.Write(p.Context(), func(ctx context.Context, tx control.Tx) error {
		if err := tx.Containers().Insert(ctx, plain(first, "p1", "one")); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) {
		p.Fatalf("got %v, want the error of the function", err)
	}
	p.same("left behind", len(p.list(control.ContainerQuery{Scope: anywhere()})), 0)
}

func transactionOwnWrites(p *probe) {
	p.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Containers().Insert(ctx, plain(first, "p1", "one")); err != nil {
			return err
		}
		_, err := tx.Containers().Get(ctx, control.Scope{ProjectID: "p1"}, first)
		return err
	})
}

// transactionAgain makes pairs of transactions take the same two rows in opposite
// order, which a database with row locks ends by a deadlock: none may show.
func transactionAgain(p *probe) {
	p.join(hostA, hostB)
	var mu sync.Mutex
	turn := 0
	p.race(8, func(ctx context.Context, tx control.Tx) (bool, error) {
		mu.Lock()
		turn++
		order := []string{hostA, hostB}
		if turn%2 == 0 {
			order = []string{hostB, hostA}
		}
		mu.Unlock()
		for _, host := range order {
			if err := tx.Hosts().Claim(ctx, host, domain.Claim{Containers: 1}, domain.Claim{Containers: -1}); err != nil {
				return false, fmt.Errorf("claim: %w", err)
			}
		}
		return true, nil
	})
	p.same("claims", []int64{p.host(hostA).Used.Containers, p.host(hostB).Used.Containers}, []int64{8, 8})
}

// transactionDecisions lets many decide on what Get told them: each decision must
// rest on the one before it.
func transactionDecisions(p *probe) {
	p.keep(plain(first, "p1", "one"))
	p.race(8, func(ctx context.Context, tx control.Tx) (bool, error) {
		c, err := tx.Containers().Get(ctx, anywhere(), first)
		if err != nil {
			return false, err
		}
		c.Restarts++
		return true, tx.Containers().Update(ctx, c)
	})
	p.same("restarts", p.get(first).Restarts, 8)
}

// transactionRevisions checks that whoever reads "all above n" while others touch
// never misses a revision below one that it saw.
func transactionRevisions(p *probe) {
	p.join(hostA)
	const containers = 12
	ids := make(chan domain.ContainerID, containers)
	for n := range containers {
		c := plain(domain.ContainerID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)), "p1", "c")
		c.HostID = hostA
		p.keep(c)
		ids <- c.ID
	}
	close(ids)
	seen, newest := map[domain.ContainerID]bool{}, int64(0)
	look := func(ctx context.Context) error {
		return p.store.Read(ctx, func(ctx context.Context, tx control.Tx) error {
			found, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: anywhere(), HostID: hostA, SinceRevision: &newest})
			for _, c := range found {
				seen[c.ID], newest = true, max(newest, c.Revision)
			}
			return err
		})
	}
	touched := make(chan error, 1)
	go func() {
		touched <- p.together(4, func(ctx context.Context) error {
			for id := range ids {
				err := p.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
					c, err := tx.Containers().Get(ctx, anywhere(), id)
					if err != nil {
						return err
					}
					_, err = tx.Containers().Assign(ctx, c)
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}()
	for done := false; !done; {
		select {
		case err := <-touched:
			if done = true; err != nil {
				p.Fatal(err)
			}
		default:
		}
		if err := look(p.Context()); err != nil {
			p.Fatal(err)
		}
	}
	p.same("seen", len(seen), containers)
	p.same("newest", newest, int64(containers))
}

func transactionCanceled(p *probe) {
	canceled, cancel := context.WithCancel(p.Context())
	cancel()
	late, stop := context.WithDeadline(p.Context(), time.Now().Add(-time.Second))
	defer stop()
	nothing := func(context.Context, control.Tx) error { return nil }
	for _, run := range []func(context.Context, func(context.Context, control.Tx) error) error{p.store.Read, p.store.Write} {
		if err := run(canceled, nothing); !errors.Is(err, context.Canceled) || !domain.IsKind(err, domain.Unavailable) {
			p.Errorf("canceled: %v", err)
		}
		if err := run(late, nothing); !domain.IsKind(err, domain.Timeout) {
			p.Errorf("late: %v", err)
		}
	}
}

// transactionMixed runs transactions at once of which two thirds end badly, by an
// error or a panic: exactly the others' rows may be there.
func transactionMixed(p *probe) {
	const runners = 24
	mine := errors.New("changed my mind")
	var mu sync.Mutex
	turn := 0
	err := p.together(runners, func(ctx context.Context) (err error) {
		mu.Lock()
		n := turn
		turn++
		mu.Unlock()
		defer func() {
			if cause := recover(); cause != nil && n%3 != 2 {
				err = fmt.Errorf("runner %d: %v", n, cause)
			}
		}()
		err = p.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
			id := domain.ContainerID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n))
			if err := tx.Containers().Insert(ctx, plain(id, "p1", strconv.Itoa(n%3))); err != nil {
				return err
			}
			switch n % 3 {
			case 1:
				return mine
			case 2:
				panic("on purpose")
			}
			return nil
		})
		if n%3 == 1 && errors.Is(err, mine) {
			return nil
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	left := p.list(control.ContainerQuery{Scope: anywhere()})
	good := p.list(control.ContainerQuery{Scope: anywhere(), Filters: control.ContainerFilters{Name: new("0")}})
	p.same("rows", []int{len(left), len(good)}, []int{runners / 3, runners / 3})
}

// transactionSwallowed goes on after a refusal; whether or not the database still
// follows it, what it did must come whole or not at all.
func transactionSwallowed(p *probe) {
	p.keep(plain(first, "p1", "one"))
	err := p.store.Write(p.Context(), func(ctx context.Context, tx control.Tx) error {
		if err := tx.Containers().Insert(ctx, plain(second, "p1", "two")); err != nil {
			return err
		}
		if err := tx.Containers().Insert(ctx, plain(first, "p1", "again")); !domain.IsKind(err, domain.Conflict) {
			return fmt.Errorf("got %w, want a conflict", err)
		}
		return nil
	})
	want := 2
	if err != nil {
		want = 1
	}
	p.same("rows", len(p.list(control.ContainerQuery{Scope: anywhere()})), want)
}
