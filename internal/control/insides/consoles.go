package insides

import (
	"context"

	"github.com/go-zun/zun/internal/control"
)

// seat counts a visit among the open consoles of its container and its project, in
// the transaction that takes the ticket: who finds no seat keeps the ticket.
func (i *Insides) seat(ctx context.Context, tx control.Tx, visit control.Visit) error {
	o := i.control.Options()
	for _, s := range []control.Seat{
		{Subject: "container " + string(visit.Container), Limit: o.ConsolesPerContainer},
		{Subject: "project " + visit.ProjectID, Limit: o.ConsolesPerProject},
	} {
		if s.Limit <= 0 {
			continue
		}
		s.Console, s.TTL = visit.Console, o.SeatTTL
		if err := tx.Trust().Consoles().Take(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Keep says for a door that consoles are still open. One whose seat was given away
// meanwhile, because control or its database was away for too long, goes on uncounted.
func (i *Insides) Keep(ctx context.Context, consoles []string) error {
	return i.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		return t.Trust().Consoles().Keep(ctx, consoles, i.control.Options().SeatTTL)
	})
}

// Leave says for a door that a console has ended.
func (i *Insides) Leave(ctx context.Context, console string) error {
	return i.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		return t.Trust().Consoles().Give(ctx, console)
	})
}
