package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func imageCases() map[string]func(*probe) {
	return map[string]func(*probe){"Image/Life": imageLife, "Image/Lease": imageLease, "Image/Own": imageOwn, "Image/ParallelOwn": imageParallel}
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
		found, err := tx.Images().List(ctx, control.ImageQuery{Pulled: true, Page: control.Page{SortKey: "host", Desc: true, Limit: 1}})
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
			_, err := tx.Images().List(ctx, control.ImageQuery{Pulled: true, Page: control.Page{Marker: "i1"}})
			return err
		},
	} {
		p.refuse(domain.Invalid, "image-not-found", "Image i1 could not be found.", fn)
	}
}

// imageParallel has many count the images of a project and add one, while they keep the
// row of its quota: each sees those of all before it.
func imageParallel(p *probe) {
	const most = 5
	var number atomic.Int64
	none := domain.Quota{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}
	got := p.race(16, func(ctx context.Context, tx control.Tx) (bool, error) {
		if _, err := tx.Hosts().Now(ctx); err != nil { // what it saw before it waited must not count
			return false, err
		}
		if _, err := tx.Quotas().Use(ctx, "p1", domain.Claim{}, none); err != nil {
			return false, err
		}
		own, err := tx.Images().List(ctx, control.ImageQuery{OwnOf: "p1"})
		if err != nil || len(own) >= most {
			return false, err
		}
		id := fmt.Sprintf("i%d", number.Add(1))
		return true, tx.Images().Insert(ctx, domain.Image{ID: id, ProjectID: "p1", UserID: "u", Repo: "r", Tag: "t", HostName: "node-a", Source: first})
	})
	p.same("added", got, most)
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

// imageOwn holds that committed images may share a name, are found by project, and go
// out of sight before they go.
func imageOwn(p *probe) {
	pulled := domain.Image{ID: "i1", ProjectID: "p1", UserID: "u", ImageID: "sha256:1", Repo: "mine", Tag: "v1", HostName: "node-a"}
	older := domain.Image{
		ID: "i2", ProjectID: "p1", UserID: "u", Repo: "mine", Tag: "v1", HostName: "node-a", Source: first, Task: domain.ImageCommit,
	}
	newer, foreign := older, older
	newer.ID, newer.Source = "i3", second
	foreign.ID, foreign.ProjectID = "i4", "p2"
	p.write(func(ctx context.Context, tx control.Tx) error {
		images := tx.Images()
		return errors.Join(images.Insert(ctx, pulled), images.Insert(ctx, older), images.Insert(ctx, newer), images.Insert(ctx, foreign))
	})
	ids := func(q control.ImageQuery) (found []string) {
		p.read(func(ctx context.Context, tx control.Tx) error {
			images, err := tx.Images().List(ctx, q)
			found = nil
			for _, i := range images {
				found = append(found, i.ID)
			}
			return err
		})
		return found
	}
	p.same("own", ids(control.ImageQuery{OwnOf: "p1"}), []string{"i2", "i3"})
	p.same("own and pulled", ids(control.ImageQuery{Pulled: true, OwnOf: "p2"}), []string{"i1", "i4"})
	p.same("pulled", ids(control.ImageQuery{Pulled: true}), []string{"i1"})
	p.same("nobody's", ids(control.ImageQuery{}), []string(nil))
	newest := control.Page{SortKey: "id", Desc: true, Limit: 1}
	p.same("by name", ids(control.ImageQuery{OwnOf: "p1", Repo: "mine", Tag: "v1", Page: newest}), []string{"i3"})
	p.same("by another name", ids(control.ImageQuery{OwnOf: "p1", Repo: "mine", Tag: "v2"}), []string(nil))
	lease := func() (won []domain.Image) {
		p.write(func(ctx context.Context, tx control.Tx) (err error) {
			won, err = tx.Images().Lease(ctx, time.Hour, 5)
			return err
		})
		return won
	}
	if won := lease(); len(won) != 0 {
		p.Errorf("a commit is leased: %+v", won)
	}
	older.Task = domain.ImageDelete
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Images().Update(ctx, older) })
	p.same("own after one was discarded", ids(control.ImageQuery{OwnOf: "p1"}), []string{"i3"})
	if won := lease(); len(won) != 1 || won[0].ID != "i2" || won[0].Source != first {
		p.Errorf("leased %+v", won)
	}
}
