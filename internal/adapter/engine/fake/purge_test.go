package fake_test

import (
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

func TestPurgeLeavesNothing(t *testing.T) {
	e, err := fake.New(fake.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	const id = domain.ContainerID("11111111-2222-3333-4444-555555555555")
	sandbox, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: id})
	if err != nil {
		t.Fatal(err)
	}
	spec := agent.MemberSpec{Container: id, Generation: 1, Sandbox: sandbox, Spec: domain.Spec{Image: "cirros", Command: []string{"sleep", "60"}}}
	if _, err := e.Members().Create(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if left, err := e.List(t.Context()); err != nil || len(left) != 2 {
		t.Fatalf("before: %v, %v", left, err)
	}
	for range 2 { // the second finds nothing to do
		if err := e.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := e.List(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("after: %v, %v", left, err)
	}
}
