package storetest

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func feedCases() map[string]func(*probe) {
	return map[string]func(*probe){"Feed/Life": feedLife, "Feed/TrimmedUnread": feedTrimmedUnread}
}

func feedLife(p *probe) {
	tell := func(name string) steps {
		return func(ctx context.Context, tx control.Tx) error {
			return tx.Actions().Events().Feed().Append(ctx, domain.Notice{
				ProjectID: "p1", Container: first, Kind: domain.KindCapsule, Name: name, Status: domain.Error, Reason: "why", RequestID: "req-1",
			})
		}
	}
	for _, name := range []string{"create.accepted", "create.failed", "deleted"} {
		p.write(tell(name))
	}
	p.place(3)
	p.place(0)
	p.read(func(ctx context.Context, tx control.Tx) error {
		feed := tx.Actions().Events().Feed()
		oldest, newest, err := feed.Bounds(ctx)
		if err != nil || newest-oldest != 2 {
			p.Errorf("bounds %d to %d, %v", oldest, newest, err)
		}
		found, err := feed.After(ctx, oldest, 1)
		if err != nil || len(found) != 1 {
			p.Fatalf("after the first: %+v, %v", found, err)
		}
		n := found[0]
		if n.At.IsZero() {
			p.Error("the time was not set")
		}
		want := domain.Notice{ID: oldest + 1, At: n.At, ProjectID: "p1", Container: first, Kind: domain.KindCapsule,
			Name: "create.failed", Status: domain.Error, Reason: "why", RequestID: "req-1"}
		p.same("notice", n, want)
		return nil
	})
	p.write(func(ctx context.Context, tx control.Tx) error {
		gone, err := tx.Actions().Events().Feed().Trim(ctx, 1)
		if gone != 2 {
			p.Errorf("trimmed %d", gone)
		}
		return err
	})
	p.read(func(ctx context.Context, tx control.Tx) error {
		oldest, newest, err := tx.Actions().Events().Feed().Bounds(ctx)
		if oldest != newest {
			p.Errorf("left %d to %d", oldest, newest)
		}
		return err
	})
}

// place gives notices their places and wants it to be so many.
func (p *probe) place(want int) {
	p.Helper()
	p.read(func(ctx context.Context, tx control.Tx) error {
		waiting, err := tx.Actions().Events().Feed().Waiting(ctx)
		p.same("waiting", waiting, want > 0)
		return err
	})
	p.write(func(ctx context.Context, tx control.Tx) error {
		placed, err := tx.Actions().Events().Feed().Place(ctx, 100)
		p.same("placed", placed, want)
		return err
	})
}

// notices returns the names of those after id, and the id of the last.
func (p *probe) notices(id int64) (names []string, last int64) {
	p.Helper()
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Actions().Events().Feed().After(ctx, id, 100)
		names, last = nil, id
		for _, n := range found {
			names, last = append(names, n.Name), n.ID
		}
		return err
	})
	return names, last
}

func notice(name string) steps {
	return func(ctx context.Context, tx control.Tx) error {
		return tx.Actions().Events().Feed().Append(ctx, domain.Notice{ProjectID: "p1", Container: first, Name: name})
	}
}

// feedTrimmedUnread lets notices go that nobody ever read: the ids show that they are missing.
func feedTrimmedUnread(p *probe) {
	p.write(notice("read"))
	p.place(1)
	_, last := p.notices(0)
	for _, name := range []string{"a", "b", "c"} {
		p.write(notice(name))
	}
	p.write(func(ctx context.Context, tx control.Tx) error {
		gone, err := tx.Actions().Events().Feed().Trim(ctx, 1)
		p.same("gone", gone, 3)
		return err
	})
	p.place(1)
	names, id := p.notices(last)
	p.same("left", names, []string{"c"})
	p.same("ids let go by", id-last, int64(3))
}
