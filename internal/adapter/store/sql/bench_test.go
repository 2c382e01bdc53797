package sqlstore_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

const benchHost = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"

func benchContainer() domain.Container {
	return domain.Container{
		ID: domain.ContainerID(uuid.NewString()), ProjectID: "project", UserID: "user", HostID: benchHost, HostName: "node",
		Status: domain.Creating, Spec: domain.Spec{
			Name: "name-" + uuid.NewString(), Image: "cirros", Command: []string{"ping", "-c", "4", "127.0.0.1"},
			Environment: map[string]string{"A": "b"}, CPU: 1, MemoryMB: 512,
		},
		Resolved: []domain.NetChoice{{NetworkID: uuid.NewString()}},
	}
}

// create is the accepting transaction of a create.
func create(ctx context.Context, store *sqlstore.Store, c domain.Container) error {
	free := domain.Quota{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}
	return store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		if _, err := tx.Quotas().Use(ctx, c.ProjectID, domain.ClaimOf(c.Spec), free); err != nil {
			return err
		}
		if err := tx.Hosts().Claim(ctx, c.HostID, domain.ClaimOf(c.Spec), domain.Claim{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}); err != nil {
			return err
		}
		if err := tx.Containers().Insert(ctx, c); err != nil {
			return err
		}
		_, err := tx.Actions().Append(ctx, domain.Action{Container: c.ID, Verb: domain.VerbCreate, State: domain.ActionQueued, ProjectID: c.ProjectID})
		return err
	})
}

func benchStore(b *testing.B, rows int) (*sqlstore.Store, []domain.Container) {
	b.Helper()
	store := storetest.Open(b)
	var all []domain.Container
	err := store.Write(b.Context(), func(ctx context.Context, tx control.Tx) error {
		if err := tx.Hosts().Upsert(ctx, domain.Host{ID: benchHost, Name: "node"}); err != nil {
			return err
		}
		for range rows {
			all = append(all, benchContainer())
			if err := tx.Containers().Insert(ctx, all[len(all)-1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return store, all
}

func BenchmarkGet(b *testing.B) {
	store, all := benchStore(b, 10000)
	var next atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			want := all[int(next.Add(1))%len(all)].ID
			err := store.Read(b.Context(), func(ctx context.Context, tx control.Tx) error {
				_, err := tx.Containers().Get(ctx, control.Scope{ProjectID: "project"}, want)
				return err
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkList(b *testing.B) {
	for _, rows := range []int{1000, 100000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			store, all := benchStore(b, rows)
			q := control.ContainerQuery{Scope: control.Scope{ProjectID: "project"}, Page: control.Page{Limit: 1000, Marker: string(all[rows/2].ID)}}
			for b.Loop() {
				err := store.Read(b.Context(), func(ctx context.Context, tx control.Tx) error {
					_, err := tx.Containers().List(ctx, q)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	store, _ := benchStore(b, 0)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := create(b.Context(), store, benchContainer()); err != nil {
				b.Error(err)
			}
		}
	})
}
