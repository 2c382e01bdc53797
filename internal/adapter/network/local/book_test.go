package local_test

import (
	"errors"
	"testing"

	"github.com/go-zun/zun/internal/adapter/network/local"
	"github.com/go-zun/zun/internal/domain"
)

func wantKind(t *testing.T, err error, kind domain.FaultKind) {
	t.Helper()
	if err == nil || !domain.IsKind(err, kind) {
		t.Errorf("got %v, want a fault of kind %d", err, kind)
	}
}

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	var fault *domain.Fault
	if !errors.As(err, &fault) || fault.Message != text {
		t.Errorf("got %v, want %q", err, text)
	}
}

func TestNetworksAreMadeByNameAndKeptWhileInUse(t *testing.T) {
	l := open(t, &leases{}, local.Options{})
	ctx, owner := t.Context(), domain.Actor{ProjectID: "p1"}
	stranger, operator := domain.Actor{ProjectID: "p2"}, domain.Actor{ProjectID: "p0", IsAdmin: true}
	made, err := l.CreateNetwork(ctx, owner, "back")
	if err != nil || made.Name != "back" || made.ProjectID != "p1" || made.ID == "" {
		t.Fatalf("made %+v, %v", made, err)
	}
	_, err = l.CreateNetwork(ctx, owner, "back")
	wantKind(t, err, domain.Conflict)
	_, err = l.Network(ctx, stranger, made.ID)
	wantKind(t, err, domain.NotFound)
	wantKind(t, l.DeleteNetwork(ctx, stranger, made.ID), domain.NotFound)
	if all, err := l.Networks(ctx, operator, true); err != nil || len(all) != 1 {
		t.Errorf("the operator sees %+v, %v", all, err)
	}
	choices, err := l.Resolve(ctx, owner, []domain.NetRequest{{Network: "back"}})
	if err != nil || len(choices) != 1 || choices[0].NetworkID != made.ID {
		t.Fatalf("resolved %+v, %v", choices, err)
	}
	row := domain.Container{ID: "c1", ProjectID: "p1", Resolved: choices}
	if _, err := l.Prepare(ctx, row, "node"); err != nil {
		t.Fatal(err)
	}
	inUse := l.DeleteNetwork(ctx, owner, made.ID)
	wantKind(t, inUse, domain.Conflict)
	wantText(t, inUse, "Network "+made.ID+" is in use by a container.")
	if err := l.Release(ctx, "c1", nil); err != nil {
		t.Fatal(err)
	}
	if err := l.DeleteNetwork(ctx, owner, made.ID); err != nil {
		t.Error(err)
	}
	_, err = l.Network(ctx, owner, made.ID)
	wantKind(t, err, domain.NotFound)
	for _, err := range []error{err, l.DeleteNetwork(ctx, owner, made.ID)} {
		wantText(t, err, "Neutron network "+made.ID+" could not be found.")
	}
}
