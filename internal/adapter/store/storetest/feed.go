package storetest

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func feedCases() map[string]func(*probe) {
	return map[string]func(*probe){"Feed/Life": feedLife}
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
