package sqlstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type consoles struct{ *tx }

type seat struct {
	subject string
	number  int
	console string
	expires time.Time
}

func seatFields(s *seat) []column.Field {
	return []column.Field{
		column.Text("subject", &s.subject), column.Number("seat", &s.number),
		column.Text("console", &s.console), column.Moment("expires_at", &s.expires),
	}
}

// Take chooses the first free seat. Of two who choose the same at once the key lets
// one have it, and the other's transaction runs again; so no row needs a lock.
func (s consoles) Take(ctx context.Context, want control.Seat) error {
	if _, err := s.exec(ctx, "DELETE FROM console_seats WHERE subject = ? AND expires_at <= @now", want.Subject); err != nil {
		return err
	}
	taken, err := rows(ctx, s.tx, seatFields, "FROM console_seats WHERE subject = ? ORDER BY seat", want.Subject)
	if err != nil {
		return err
	}
	free := 0
	for free < len(taken) && taken[free].number == free {
		free++
	}
	if free >= want.Limit {
		return domain.NewFault(domain.TooLarge, "too-many-consoles", "the %s has %d consoles open, which is the limit", want.Subject, want.Limit)
	}
	now, err := hosts(s).Now(ctx)
	if err != nil {
		return err
	}
	mine := seat{subject: want.Subject, number: free, console: want.Console, expires: now.Add(want.TTL)}
	return s.again(s.insert(ctx, "console_seats", seatFields(&mine)))
}

// Keep writes a few hundred at a time, because databases bound what one statement names.
func (s consoles) Keep(ctx context.Context, ids []string, ttl time.Duration) error {
	now, err := hosts(s).Now(ctx)
	if err != nil {
		return err
	}
	kept := seat{expires: now.Add(ttl)}
	until := []column.Field{column.Moment("expires_at", &kept.expires)}
	for some := range slices.Chunk(ids, 200) {
		named := make([]any, len(some))
		for i, id := range some {
			named[i] = id
		}
		if _, err := s.update(ctx, "console_seats", until, "console IN (?"+strings.Repeat(", ?", len(some)-1)+")", named...); err != nil {
			return err
		}
	}
	return nil
}

func (s consoles) Give(ctx context.Context, console string) error {
	_, err := s.exec(ctx, "DELETE FROM console_seats WHERE console = ?", console)
	return err
}
