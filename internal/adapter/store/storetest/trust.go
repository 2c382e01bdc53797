package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func trustCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Trust/TicketOnce":        ticketOnce,
		"Trust/TicketExpiry":      ticketExpiry,
		"Trust/ParallelRedeem":    ticketParallel,
		"Trust/Peek":              ticketPeek,
		"Trust/Seats":             seats,
		"Trust/SeatExpiry":        seatExpiry,
		"Trust/ParallelSeats":     seatsParallel,
		"Trust/Authority":         authority,
		"Trust/ParallelAuthority": authorityParallel,
	}
}

func ticket(hash string, ttl time.Duration) control.Ticket {
	return control.Ticket{Kind: control.TicketExec, Hash: []byte(hash), Subject: string(first), ExecID: "e", UserID: "u", ProjectID: "p", TTL: ttl}
}

func put(t control.Ticket) steps {
	return func(ctx context.Context, tx control.Tx) error { return tx.Trust().PutTicket(ctx, t) }
}

func redeem(kind control.TicketKind, hash string) steps {
	return func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Trust().Redeem(ctx, kind, []byte(hash))
		return err
	}
}

func ticketOnce(p *probe) {
	want := ticket("\x00\xff hash", time.Hour)
	p.write(put(want))
	p.refuse(domain.NotFound, "ticket-not-found", "", redeem(control.TicketAttach, string(want.Hash)))
	p.refuse(domain.NotFound, "ticket-not-found", "", redeem(control.TicketExec, "another"))
	p.write(func(ctx context.Context, tx control.Tx) error {
		got, err := tx.Trust().Redeem(ctx, control.TicketExec, want.Hash)
		if got.TTL < 59*time.Minute || got.TTL > time.Hour {
			p.Errorf("time left: %v", got.TTL)
		}
		got.TTL = want.TTL
		p.same("ticket", got, want)
		return err
	})
	p.refuse(domain.NotFound, "ticket-not-found", "", redeem(control.TicketExec, string(want.Hash)))
}

func ticketExpiry(p *probe) {
	p.write(put(ticket("old", 0)))
	p.write(put(ticket("new", time.Hour)))
	p.refuse(domain.NotFound, "ticket-not-found", "", redeem(control.TicketExec, "old"))
	p.write(func(ctx context.Context, tx control.Tx) error {
		purged, err := tx.Trust().Purge(ctx)
		p.same("purged", purged, 1)
		return err
	})
	p.write(redeem(control.TicketExec, "new"))
}

func ticketParallel(p *probe) {
	p.write(put(ticket("one", time.Hour)))
	got := p.race(8, func(ctx context.Context, tx control.Tx) (bool, error) {
		err := redeem(control.TicketExec, "one")(ctx, tx)
		if domain.IsKind(err, domain.NotFound) {
			return false, nil
		}
		return err == nil, err
	})
	p.same("redeemed", got, 1)
}

func authority(p *probe) {
	p.refuse(domain.NotFound, "authority-not-found", "", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Trust().Authority(ctx)
		return err
	})
	want := control.Authority{DeploymentID: "d1", CertPEM: []byte("pem"), SealedKey: []byte{0, 255}}
	for _, a := range []control.Authority{want, {DeploymentID: "d2"}} {
		p.write(func(ctx context.Context, tx control.Tx) error {
			got, err := tx.Trust().SetAuthority(ctx, a)
			p.same("the first wins", got, want)
			return err
		})
	}
	p.read(func(ctx context.Context, tx control.Tx) error {
		got, err := tx.Trust().Authority(ctx)
		p.same("stored", got, want)
		return err
	})
}

// authorityParallel lets many set an authority at once: all are told of the same.
func authorityParallel(p *probe) {
	var mu sync.Mutex
	told, offered := map[string]bool{}, 0
	err := p.together(8, func(ctx context.Context) error {
		mu.Lock()
		offered++
		mine := control.Authority{DeploymentID: fmt.Sprint("d", offered)}
		mu.Unlock()
		var got control.Authority
		err := p.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
			got, err = tx.Trust().SetAuthority(ctx, mine)
			return err
		})
		mu.Lock()
		told[got.DeploymentID] = true
		mu.Unlock()
		return err
	})
	if err != nil || len(told) != 1 {
		p.Fatalf("told %v: %v", told, err)
	}
}
