package storetest

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func imageCases() map[string]func(*probe) {
	return map[string]func(*probe){"Image/Life": imageLife}
}

func imageLife(p *probe) {
	want := domain.Image{ID: "i1", ProjectID: "p1", UserID: "u", ImageID: "sha256:1", Repo: "cirros", Tag: "latest", Size: "2m", HostName: "node-a"}
	insert := func(i domain.Image) steps {
		return func(ctx context.Context, tx control.Tx) error { return tx.Images().Insert(ctx, i) }
	}
	p.write(insert(want))
	other := want
	other.ID = "i2"
	p.refuse(domain.Conflict, "image-already-exists", "An image with tag latest and repo cirros already exists.", insert(other))
	other.HostName = "node-b"
	p.write(insert(other))
	want.Size, want.ImageID = "3m", "sha256:2"
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Images().Update(ctx, want) })
	p.read(func(ctx context.Context, tx control.Tx) error {
		got, err := tx.Images().Get(ctx, "i1")
		if got.CreatedAt.IsZero() {
			p.Error("created_at was not set")
		}
		want.CreatedAt = got.CreatedAt
		p.same("image", got, want)
		if err != nil {
			return err
		}
		found, err := tx.Images().List(ctx, control.Page{SortKey: "host", Desc: true, Limit: 1})
		p.same("list", found[0].ID, "i2")
		return err
	})
	for range 2 {
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Images().Delete(ctx, "i1") })
	}
	// The contract answers 400, not 404, for an image that is missing.
	for _, fn := range []steps{
		func(ctx context.Context, tx control.Tx) error { _, err := tx.Images().Get(ctx, "i1"); return err },
		func(ctx context.Context, tx control.Tx) error { return tx.Images().Update(ctx, want) },
		func(ctx context.Context, tx control.Tx) error {
			_, err := tx.Images().List(ctx, control.Page{Marker: "i1"})
			return err
		},
	} {
		p.refuse(domain.Invalid, "image-not-found", "Image i1 could not be found.", fn)
	}
}
