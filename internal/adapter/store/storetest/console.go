package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// seated is the n-th console's wish for one of three seats.
func seated(n int, subject string, ttl time.Duration) steps {
	return func(ctx context.Context, tx control.Tx) error {
		return tx.Trust().Consoles().Take(ctx, control.Seat{Subject: subject, Console: console(n), Limit: 3, TTL: ttl})
	}
}

func console(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func ticketPeek(p *probe) {
	p.write(put(ticket("here", time.Hour)))
	p.write(put(ticket("old", 0)))
	peek := func(kind control.TicketKind, hash string) steps {
		return func(ctx context.Context, tx control.Tx) error { return tx.Trust().Peek(ctx, kind, []byte(hash)) }
	}
	for range 2 { // looking spends nothing
		p.read(peek(control.TicketExec, "here"))
	}
	p.refuse(domain.NotFound, "ticket-not-found", "", peek(control.TicketAttach, "here"))
	p.refuse(domain.NotFound, "ticket-not-found", "", peek(control.TicketExec, "old"))
	p.refuse(domain.NotFound, "ticket-not-found", "", peek(control.TicketExec, "guessed"))
}

func seats(p *probe) {
	for n := range 3 {
		p.write(seated(n, "container a", time.Hour))
	}
	p.refuse(domain.TooLarge, "too-many-consoles", "", seated(3, "container a", time.Hour))
	p.write(seated(3, "container b", time.Hour)) // another's seats are free
	give := func(ctx context.Context, tx control.Tx) error { return tx.Trust().Consoles().Give(ctx, console(1)) }
	p.write(give)
	p.write(give) // once more is no error
	p.write(seated(4, "container a", time.Hour))
	p.refuse(domain.TooLarge, "too-many-consoles", "", seated(5, "container a", time.Hour))
}

func seatExpiry(p *probe) {
	p.write(seated(0, "container a", 0))
	keep := func(ctx context.Context, tx control.Tx) error {
		return tx.Trust().Consoles().Keep(ctx, []string{console(0), console(9)}, time.Hour)
	}
	p.write(keep) // 0 is back in its seat, 9 never had one
	p.write(seated(1, "container a", 0))
	p.write(seated(2, "container a", time.Hour)) // 1 was not kept
	p.write(seated(3, "container a", time.Hour))
	p.refuse(domain.TooLarge, "too-many-consoles", "", seated(4, "container a", time.Hour))
	p.write(seated(5, "container b", 0))
	p.write(func(ctx context.Context, tx control.Tx) error {
		purged, err := tx.Trust().Purge(ctx)
		p.same("purged", purged, 1)
		return err
	})
}

func seatsParallel(p *probe) {
	var next atomic.Int32
	got := p.race(8, func(ctx context.Context, tx control.Tx) (bool, error) {
		err := seated(int(next.Add(1)), "project p", time.Hour)(ctx, tx)
		if domain.IsKind(err, domain.TooLarge) {
			return false, nil
		}
		return err == nil, err
	})
	p.same("seated", got, 3)
}
