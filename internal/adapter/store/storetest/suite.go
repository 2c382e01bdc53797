package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Run holds the store that open gives to every promise of control's ports. Each case
// asks for a store of its own, empty and up to date, and they run side by side.
func Run(t *testing.T, open func(t *testing.T) control.Store) {
	t.Helper()
	suites := []map[string]func(*probe){
		containerCases(), pagingCases(), tombstoneCases(), actionCases(), leaseCases(), hostCases(), quotaCases(),
		networkCases(), registryCases(), imageCases(), feedCases(), trustCases(), admissionCases(), transactionCases(), glanceCases(),
	}
	for _, cases := range suites {
		for name, check := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				check(&probe{T: t, store: open(t)})
			})
		}
	}
}

// probe is one case with the store it holds to account.
type probe struct {
	*testing.T
	store control.Store
}

// steps is what a case does within one transaction.
type steps func(ctx context.Context, tx control.Tx) error

func (p *probe) write(fn steps) {
	p.Helper()
	if err := p.store.Write(p.Context(), fn); err != nil {
		p.Fatalf("write: %v", err)
	}
}

// read runs fn in a Read and in a Glance, which must not differ while nobody writes.
func (p *probe) read(fn steps) {
	p.Helper()
	if err := p.store.Read(p.Context(), fn); err != nil {
		p.Fatalf("read: %v", err)
	}
	if err := p.store.Glance(p.Context(), fn); err != nil {
		p.Fatalf("glance: %v", err)
	}
}

// refuse expects a Write of fn to end with a fault of kind and code, and with message unless it is empty.
func (p *probe) refuse(kind domain.FaultKind, code, message string, fn steps) {
	p.Helper()
	err := p.store.Write(p.Context(), fn)
	var fault *domain.Fault
	if !errors.As(err, &fault) || fault.Kind != kind || fault.Code != code {
		p.Fatalf("got %v, want a fault of kind %d with code %s", err, kind, code)
	}
	if message != "" && fault.Message != message {
		p.Fatalf("got message %q, want %q", fault.Message, message)
	}
}

// same compares by what %+v shows, which for our nouns is everything.
func (p *probe) same(what string, got, want any) {
	p.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		p.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// Three of the ids that cases use; the uuids sort in this order.
const (
	first  = domain.ContainerID("11111111-1111-4111-8111-111111111111")
	second = domain.ContainerID("22222222-2222-4222-8222-222222222222")
	third  = domain.ContainerID("33333333-3333-4333-8333-333333333333")

	hostA = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	hostB = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
)

// anywhere is the scope of all projects and kinds.
func anywhere() control.Scope {
	kinds := []domain.ContainerKind{domain.KindContainer, domain.KindCapsule, domain.KindMember, domain.KindInit}
	return control.Scope{AllProjects: true, Kinds: kinds}
}

// keep inserts containers.
func (p *probe) keep(all ...domain.Container) {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) error {
		for _, c := range all {
			if err := tx.Containers().Insert(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// get reads a container, which must exist.
func (p *probe) get(id domain.ContainerID) domain.Container {
	p.Helper()
	var got domain.Container
	p.read(func(ctx context.Context, tx control.Tx) (err error) {
		got, err = tx.Containers().Get(ctx, anywhere(), id)
		return err
	})
	return got
}

// plain is a container with little in it.
func plain(id domain.ContainerID, project, name string) domain.Container {
	return domain.Container{
		ID: id, ProjectID: project, UserID: "user", Status: domain.Created,
		Spec: domain.Spec{Name: name, Image: "cirros", CPU: 1, MemoryMB: 512},
	}
}

// join registers hosts called after their ids.
func (p *probe) join(ids ...string) {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) error {
		for _, id := range ids {
			if err := tx.Hosts().Upsert(ctx, domain.Host{ID: id, Name: "node-" + id[:1]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// enqueue appends an action and returns it as stored.
func (p *probe) enqueue(a domain.Action) domain.Action {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) (err error) {
		a, err = tx.Actions().Append(ctx, a)
		return err
	})
	return a
}
