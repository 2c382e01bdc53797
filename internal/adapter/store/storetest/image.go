package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func imageCases() map[string]func(*probe) {
	return map[string]func(*probe){"Image/Life": imageLife, "Image/Lease": imageLease}
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
	want.Size, want.ImageID, want.DoneBytes, want.TotalBytes = "3m", "sha256:2", 5, 7
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

func imageLease(p *probe) {
	waiting := domain.Image{ID: "i1", ProjectID: "p1", UserID: "u", Repo: "cirros", Tag: "latest", HostName: "node-a", Task: domain.ImagePull}
	pulled, committed := waiting, waiting
	pulled.ID, pulled.HostName, pulled.ImageID, pulled.Task = "i2", "node-b", "sha256:1", ""
	committed.ID, committed.HostName, committed.Task = "i3", "node-c", domain.ImageCommit
	p.write(func(ctx context.Context, tx control.Tx) error {
		return errors.Join(tx.Images().Insert(ctx, waiting), tx.Images().Insert(ctx, pulled), tx.Images().Insert(ctx, committed))
	})
	lease := func(ttl time.Duration) (won []domain.Image) {
		p.write(func(ctx context.Context, tx control.Tx) (err error) {
			won, err = tx.Images().Lease(ctx, ttl, 5)
			return err
		})
		return won
	}
	first := lease(0)
	if len(first) != 1 || first[0].ID != "i1" || first[0].Attempts != 1 {
		p.Fatalf("leased %+v", first)
	}
	second := lease(time.Hour)
	if len(second) != 1 || second[0].Attempts != 2 {
		p.Fatalf("an ended lease is not taken: %+v", second)
	}
	if third := lease(time.Hour); len(third) != 0 {
		p.Errorf("leased twice: %+v", third)
	}
	update := func(i domain.Image) steps {
		return func(ctx context.Context, tx control.Tx) error { return tx.Images().Update(ctx, i) }
	}
	p.refuse(domain.Invalid, "image-not-found", "", update(first[0]))
	second[0].ImageID, second[0].Task, second[0].LeaseUntil = "sha256:2", "", time.Time{}
	p.write(update(second[0]))
	if left := lease(time.Hour); len(left) != 0 {
		p.Errorf("what is pulled is leased: %+v", left)
	}
	second[0].Task = domain.ImageDelete
	p.write(update(second[0]))
	if leaving := lease(time.Hour); len(leaving) != 1 || leaving[0].Task != domain.ImageDelete {
		p.Errorf("what is to be deleted is not leased: %+v", leaving)
	}
}
