package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func leaseCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Lease/HeadsOnly":  leaseHeads,
		"Lease/Conditions": leaseConditions,
		"Lease/Expiry":     leaseExpiry,
		"Lease/EachOnce":   leaseParallel,
		"Lease/Waits":      leaseWaits,
	}
}

func (p *probe) lease(claim control.LeaseClaim) (won []domain.Action) {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) (err error) {
		won, err = tx.Actions().Lease(ctx, claim)
		return err
	})
	return won
}

func queued(owner string) control.LeaseClaim {
	return control.LeaseClaim{Owner: owner, TTL: time.Hour, States: []domain.ActionState{domain.ActionQueued}, Limit: 10}
}

func leaseHeads(p *probe) {
	p.keep(plain(first, "p1", "one"), plain(second, "p1", "two"), plain(third, "p1", "three"))
	p.enqueue(domain.Action{Container: first, Verb: domain.VerbCreate, State: domain.ActionPrepared})
	p.enqueue(domain.Action{Container: first, Verb: domain.VerbStop, State: domain.ActionQueued}) // behind the prepared one
	head := p.enqueue(domain.Action{Container: second, Verb: domain.VerbCreate, State: domain.ActionQueued})
	p.enqueue(domain.Action{Container: third, Verb: domain.VerbStart, State: domain.ActionQueued})
	won := p.lease(queued("me"))
	p.same("heads, oldest first", verbsOf(won), []domain.Verb{domain.VerbCreate, domain.VerbStart})
	p.same("lease", fmt.Sprint(won[0].ID, won[0].Owner, won[0].Epoch), fmt.Sprint(head.ID, "me", head.Epoch+1))
	p.read(func(ctx context.Context, tx control.Tx) error {
		now, err := tx.Hosts().Now(ctx)
		if err != nil {
			return err
		}
		for _, a := range won {
			if left := a.LeaseUntil.Sub(now); left < 59*time.Minute || left > time.Hour {
				p.Errorf("lease ends in %v", left)
			}
			stored, err := tx.Actions().Get(ctx, a.ID)
			p.same("as stored", a, stored)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func leaseConditions(p *probe) {
	p.keep(plain(first, "p1", "one"), plain(second, "p1", "two"), plain(third, "p1", "three"))
	p.enqueue(domain.Action{Container: first, Verb: domain.VerbCreate, State: domain.ActionQueued, RetryAt: time.Now().Add(time.Hour)})
	p.enqueue(domain.Action{Container: second, Verb: domain.VerbDelete, State: domain.ActionReleased})
	p.enqueue(domain.Action{Container: third, Verb: domain.VerbStop, State: domain.ActionQueued, RetryAt: time.Now().Add(-time.Hour)})
	claim := queued("me")
	claim.Verbs = []domain.Verb{domain.VerbCreate, domain.VerbDelete}
	p.same("other verb or not yet", len(p.lease(claim)), 0)
	claim.States = append(claim.States, domain.ActionReleased)
	p.same("of the states", verbsOf(p.lease(claim)), []domain.Verb{domain.VerbDelete})
	claim.Verbs, claim.Limit = nil, 0
	p.same("none asked", len(p.lease(claim)), 0)
	claim.Limit = 5
	p.same("any verb", verbsOf(p.lease(claim)), []domain.Verb{domain.VerbStop})
	claim.States = nil
	p.same("no state", len(p.lease(claim)), 0)
}

func leaseExpiry(p *probe) {
	p.keep(plain(first, "p1", "one"))
	p.enqueue(domain.Action{Container: first, State: domain.ActionQueued})
	short := queued("first")
	short.TTL = 0
	lost := p.lease(short)
	won := p.lease(queued("second"))
	p.same("taken over", fmt.Sprint(won[0].Owner, won[0].Epoch), fmt.Sprint("second", lost[0].Epoch+1))
	p.same("held", len(p.lease(queued("third"))), 0)
	p.refuse(domain.Conflict, "lease-lost", "", func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, lost[0]) })
	won[0].LeaseUntil, won[0].Owner = time.Time{}, "" // given back
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, won[0]) })
	p.same("free again", len(p.lease(queued("third"))), 1)
}

// leaseParallel lets workers race for the same heads until none is left.
func leaseParallel(p *probe) {
	const workers, heads = 6, 30
	for n := range heads {
		id := domain.ContainerID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n))
		p.keep(plain(id, "p1", "c"))
		p.enqueue(domain.Action{Container: id, State: domain.ActionQueued})
	}
	var mu sync.Mutex
	owners := map[int64]string{}
	group, ctx := errgroup.WithContext(p.Context())
	for n := range workers {
		group.Go(func() error {
			claim := queued(fmt.Sprint("worker ", n))
			claim.Limit = 4
			for {
				var won []domain.Action
				err := p.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
					won, err = tx.Actions().Lease(ctx, claim)
					return err
				})
				if err != nil {
					return err
				}
				mu.Lock()
				for _, a := range won {
					if other, taken := owners[a.ID]; taken {
						err = fmt.Errorf("action %d was given to %s and %s", a.ID, other, claim.Owner)
					}
					owners[a.ID] = claim.Owner
				}
				left := heads - len(owners)
				mu.Unlock()
				if err != nil || left == 0 {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		p.Fatal(err)
	}
}

// leaseWaits has a lease asked for while another transaction holds the queue in its
// hands: what that one decides must not be lost to it.
func leaseWaits(p *probe) {
	p.keep(plain(first, "p1", "one"))
	p.enqueue(domain.Action{Container: first, Verb: domain.VerbCreate, State: domain.ActionQueued})
	var rival errgroup.Group
	p.write(func(ctx context.Context, tx control.Tx) error {
		queue, err := tx.Actions().Queue(ctx, first)
		if err != nil {
			return err
		}
		tried := make(chan struct{})
		rival.Go(func() error {
			defer close(tried)
			return p.store.Write(p.Context(), func(ctx context.Context, tx control.Tx) error {
				_, err := tx.Actions().Lease(ctx, queued("rival"))
				return err
			})
		})
		select { // it either waits for this transaction or has taken the lease by now
		case <-tried:
		case <-time.After(100 * time.Millisecond):
		}
		queue[0].State = domain.ActionCanceled
		return tx.Actions().Update(ctx, queue[0])
	})
	if err := rival.Wait(); err != nil {
		p.Fatal(err)
	}
}
