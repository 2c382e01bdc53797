package storetest

import (
	"context"
	"sync/atomic"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func registryCases() map[string]func(*probe) {
	return map[string]func(*probe){"Registry/Life": registryLife, "Registry/InUse": registryInUse, "Registry/ParallelUpdates": registryParallel}
}

func registry(id, project, name string) domain.Registry {
	return domain.Registry{ID: id, ProjectID: project, UserID: "u", Name: name, Domain: "r.example.org:5000", Username: "me", SealedPassword: []byte{0, 1, 255}}
}

func (p *probe) keepRegistry(all ...domain.Registry) {
	p.write(func(ctx context.Context, tx control.Tx) error {
		for _, r := range all {
			if err := tx.Registries().Insert(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func registryLife(p *probe) {
	p.keepRegistry(registry("r1", "p1", "one"), registry("r2", "p1", "same"), registry("r3", "p1", "same"), registry("r4", "p1", "same"), registry("r5", "p2", "one"))
	find := func(scope control.Scope, ident string) (found []domain.Registry) {
		p.read(func(ctx context.Context, tx control.Tx) (err error) {
			found, err = tx.Registries().Find(ctx, scope, ident)
			return err
		})
		return found
	}
	p1 := control.Scope{ProjectID: "p1"}
	p.same("by id", find(p1, "r1"), []domain.Registry{registry("r1", "p1", "one")})
	p.same("counts", []int{len(find(p1, "one")), len(find(p1, "same")), len(find(p1, "r5")), len(find(anywhere(), "one"))}, []int{1, 2, 0, 2})
	changed := registry("r1", "p1", "renamed")
	changed.SealedPassword = nil
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Registries().Update(ctx, changed) })
	p.same("updated", find(p1, "renamed"), []domain.Registry{changed})
	p.refuse(domain.NotFound, "registry-not-found", "Registry r9 could not be found.", func(ctx context.Context, tx control.Tx) error {
		return tx.Registries().Update(ctx, registry("r9", "p1", "x"))
	})
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Registries().List(ctx, p1, map[string]string{"name": "same"}, control.Page{Limit: 2, SortKey: "uuid", Desc: true})
		p.same("list", len(found), 2)
		p.same("order", found[0].ID, "r4")
		return err
	})
	p.refuse(domain.Invalid, "invalid-value", "", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Registries().List(ctx, p1, map[string]string{"password": "x"}, control.Page{})
		return err
	})
	p.refuse(domain.NotFound, "registry-not-found", "", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Registries().List(ctx, p1, nil, control.Page{Marker: "r5"})
		return err
	})
}

func registryInUse(p *probe) {
	p.keepRegistry(registry("r1", "p1", "one"))
	c := plain(first, "p1", "user")
	c.Spec.RegistryID = "r1"
	p.keep(c)
	p.same("kept", p.get(first).Spec.RegistryID, "r1")
	remove := func(ctx context.Context, tx control.Tx) error { return tx.Registries().Delete(ctx, "r1") }
	p.refuse(domain.Conflict, "conflict", "Failed to delete registry r1 since it is in use.", remove)
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Containers().Delete(ctx, first) })
	p.write(remove)
	p.refuse(domain.Conflict, "conflict", "", func(ctx context.Context, tx control.Tx) error { return tx.Containers().Insert(ctx, c) })
}

// registryParallel lets two members of one registry be changed at once, each by a
// transaction that reads it first: neither change is lost.
func registryParallel(p *probe) {
	p.keepRegistry(registry("r1", "p1", "one"))
	var turns atomic.Int64
	err := p.together(8, func(ctx context.Context) error {
		named := turns.Add(1)%2 == 0
		return p.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
			found, err := tx.Registries().Find(ctx, control.Scope{ProjectID: "p1"}, "r1")
			if err != nil {
				return err
			}
			r := found[0]
			if named {
				r.Domain += "+"
			} else {
				r.Username += "+"
			}
			return tx.Registries().Update(ctx, r)
		})
	})
	if err != nil {
		p.Fatal(err)
	}
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Registries().Find(ctx, control.Scope{ProjectID: "p1"}, "r1")
		want := registry("r1", "p1", "one")
		want.Domain, want.Username = want.Domain+"++++", want.Username+"++++"
		p.same("every change", found, []domain.Registry{want})
		return err
	})
}
