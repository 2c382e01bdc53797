package storetest

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func tombstoneCases() map[string]func(*probe) {
	return map[string]func(*probe){"Tombstone/Life": tombstoneLife}
}

func tombstoneLife(p *probe) {
	p.join(hostA, hostB)
	c := full()
	p.keep(c)
	p.same("touched", p.assign(first, "one"), int64(1))
	p.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Containers().Tombstones().Put(ctx, c); err != nil {
			return err
		}
		return tx.Containers().Delete(ctx, first) // the stone outlives the row
	})
	since := func(host string, rev int64) (found []domain.Container) {
		p.read(func(ctx context.Context, tx control.Tx) (err error) {
			found, err = tx.Containers().Tombstones().Since(ctx, host, rev)
			return err
		})
		return found
	}
	got := since(hostA, 1)
	p.same("since 1", len(got), 1)
	c.Revision = 2
	p.sameContainer(got[0], c)
	p.same("since 2", len(since(hostA, 2)), 0)
	p.same("other host", len(since(hostB, 0)), 0)
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Containers().Tombstones().Put(ctx, c) })
	p.same("put again moves it on", since(hostA, 2)[0].Revision, int64(3))
	lookup := func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Containers().Tombstones().Get(ctx, first)
		return err
	}
	p.read(lookup)
	for range 2 {
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Containers().Tombstones().Drop(ctx, first) })
	}
	p.refuse(domain.NotFound, "container-not-found", "", lookup)
}
