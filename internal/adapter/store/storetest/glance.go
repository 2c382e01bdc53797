package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func glanceCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Glance/SeesEveryWrite":   glanceSeesEveryWrite,
		"Glance/AnotherOfItsID":   glanceAnotherOfItsID,
		"Glance/BesideManyWrites": glanceBesideManyWrites,
		"Glance/LargeRows":        glanceLargeRows,
	}
}

// shown is what a Glance says of one container, alone and in a list.
func (p *probe) shown(id domain.ContainerID) (alone domain.Container, listed []domain.Container) {
	p.Helper()
	err := p.store.Glance(p.Context(), func(ctx context.Context, tx control.Tx) (err error) {
		if alone, err = tx.Containers().Get(ctx, control.Everything(), id); err != nil {
			return err
		}
		listed, err = tx.Containers().List(ctx, control.ContainerQuery{Scope: control.Everything()})
		return err
	})
	if err != nil {
		p.Fatalf("glance: %v", err)
	}
	return alone, listed
}

// glanceSeesEveryWrite writes one row in each way there is.
func glanceSeesEveryWrite(p *probe) {
	p.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Hosts().Upsert(ctx, domain.Host{ID: "host", Name: "node"}); err != nil {
			return err
		}
		return tx.Containers().Insert(ctx, domain.Container{ID: first, ProjectID: "p", HostID: "host", Spec: domain.Spec{Name: "0"}})
	})
	row, _ := p.shown(first)
	for n := range 5 {
		p.write(func(ctx context.Context, tx control.Tx) error {
			row.Spec.Name = strconv.Itoa(n)
			row.Nics = append(row.Nics, domain.Nic{NetworkID: strconv.Itoa(n)})
			return tx.Containers().Update(ctx, row)
		})
		again, listed := p.shown(first)
		p.same("name", again.Spec.Name, strconv.Itoa(n))
		p.same("interfaces", len(again.Nics), n+1)
		p.same("listed", listed, []domain.Container{again})
	}
	p.write(func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Containers().Assign(ctx, row)
		return err
	})
	again, listed := p.shown(first)
	p.same("revision", again.Revision, int64(1))
	p.same("listed", listed, []domain.Container{again})
}

// glanceAnotherOfItsID deletes a row and makes another of its id.
func glanceAnotherOfItsID(p *probe) {
	for _, name := range []string{"one", "two"} {
		p.write(func(ctx context.Context, tx control.Tx) error {
			if err := tx.Containers().Delete(ctx, first); err != nil {
				return err
			}
			return tx.Containers().Insert(ctx, domain.Container{ID: first, ProjectID: "p", Spec: domain.Spec{Name: name}})
		})
		row, listed := p.shown(first)
		p.same("name", row.Spec.Name, name)
		p.same("listed", len(listed), 1)
	}
}

// glanceBesideManyWrites has several write what they count and look whether it is there.
func glanceBesideManyWrites(p *probe) {
	const writers, writes = 4, 20
	ids := make([]domain.ContainerID, writers)
	p.write(func(ctx context.Context, tx control.Tx) error {
		for i := range ids {
			ids[i] = domain.ContainerID(fmt.Sprintf("%08d-1111-4111-8111-111111111111", i))
			if err := tx.Containers().Insert(ctx, domain.Container{ID: ids[i], ProjectID: "p"}); err != nil {
				return err
			}
		}
		return nil
	})
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			for n := 1; n <= writes; n++ {
				if err := p.count(id, n); err != nil {
					p.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	_, listed := p.shown(ids[0])
	for _, row := range listed {
		p.same("restarts", row.Restarts, writes)
	}
}

// count writes n into the row and glances at it.
func (p *probe) count(id domain.ContainerID, n int) error {
	err := p.store.Write(p.Context(), func(ctx context.Context, tx control.Tx) error {
		row, err := tx.Containers().Get(ctx, control.Everything(), id)
		if err != nil {
			return err
		}
		row.Restarts = n
		return tx.Containers().Update(ctx, row)
	})
	if err != nil {
		return err
	}
	return p.store.Glance(p.Context(), func(ctx context.Context, tx control.Tx) error {
		row, err := tx.Containers().Get(ctx, control.Everything(), id)
		if err == nil && row.Restarts != n {
			err = fmt.Errorf("glanced at %d, want %d", row.Restarts, n)
		}
		return err
	})
}

// glanceLargeRows lists more rows than are fetched at once, some of them large.
func glanceLargeRows(p *probe) {
	const rows = 230
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'x'
	}
	p.write(func(ctx context.Context, tx control.Tx) error {
		for i := range rows {
			row := domain.Container{ID: domain.ContainerID(fmt.Sprintf("%08d-1111-4111-8111-111111111111", i)), ProjectID: "p"}
			if row.Spec.Name = strconv.Itoa(i); i%100 == 0 {
				row.Spec.Environment = map[string]string{"LONG": string(long)}
			}
			if err := tx.Containers().Insert(ctx, row); err != nil {
				return err
			}
		}
		return nil
	})
	for range 2 {
		_, listed := p.shown("00000000-1111-4111-8111-111111111111")
		p.same("rows", len(listed), rows)
		for i, row := range listed {
			p.same("name", row.Spec.Name, strconv.Itoa(i))
			p.same("environment", len(row.Spec.Environment["LONG"]), map[bool]int{true: len(long)}[i%100 == 0])
		}
	}
}
