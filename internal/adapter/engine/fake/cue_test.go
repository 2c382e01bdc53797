package fake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

func start(t *testing.T, e *fake.Engine, id domain.ContainerID) agent.Object {
	t.Helper()
	sandbox, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: id})
	if err != nil {
		t.Fatal(err)
	}
	o, err := e.Members().Create(t.Context(), agent.MemberSpec{
		Container: id, Generation: 1, Sandbox: sandbox, Spec: domain.Spec{Image: "busybox", Command: []string{"sleep", "1000"}},
	})
	if err == nil {
		err = e.Members().Start(t.Context(), o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCueFailsSoManyTimes(t *testing.T) {
	t.Parallel()
	e := open(t, fake.Options{Dir: t.TempDir()})
	o := start(t, e, "one")
	cue := fake.Cue{Op: fake.OpStop, Container: "one", Fault: "unavailable", Message: "the disk is full", Times: 2}
	if err := e.Cue(cue); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := e.Members().Stop(t.Context(), o, 0)
		if !domain.IsKind(err, domain.Unavailable) || domain.AsFault(err).Message != "the disk is full" {
			t.Fatalf("on cue: %v", err)
		}
	}
	if err := e.Members().Stop(t.Context(), o, 0); err != nil {
		t.Fatalf("after the cue: %v", err)
	}
	if err := e.Cue(fake.Cue{Fault: "nonsense"}); err == nil {
		t.Error("a cue with an unknown fault was taken")
	}
}

func TestCueFromAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, fake.Options{Dir: dir})
	cues := `[{"op":"image.pull","fault":"not-found","times":1}]`
	if err := os.WriteFile(filepath.Join(dir, "cues.json"), []byte(cues), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := e.Images().Pull(t.Context(), "web", nil, nil); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("on cue: %v", err)
	}
	if err := e.Images().Pull(t.Context(), "web", nil, nil); err != nil {
		t.Errorf("after the cue: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "cues.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a used-up cue stays: %v", err)
	}
}

func TestAccidentsAreHeardByOtherProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	watching, acting := open(t, fake.Options{Dir: dir}), open(t, fake.Options{Dir: dir})
	start(t, acting, "one")
	names, err := watching.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, accident := range []func() error{
		func() error { return acting.EndProcess("one", 9) },
		func() error { return acting.KillSandbox("one") },
		func() error { return acting.Lose("one") },
	} {
		if err := accident(); err != nil {
			t.Fatal(err)
		}
		select {
		case id := <-names:
			if id != "one" {
				t.Errorf("heard of %q", id)
			}
		case <-time.After(time.Second):
			t.Fatal("not heard within a second")
		}
	}
	if objects, err := watching.Inspect(t.Context(), "one"); err != nil || len(objects) != 0 {
		t.Errorf("what is left: %v, %v", objects, err)
	}
}

func TestManyContainers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, fake.Options{Dir: dir})
	const many = 300
	for i := range many {
		start(t, e, domain.ContainerID(fmt.Sprintf("c%d", i)))
	}
	begun := time.Now()
	objects, err := open(t, fake.Options{Dir: dir}).List(t.Context())
	if err != nil || len(objects) != 2*many {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("adopting %d containers took %v", many, took)
	}
}

func TestArchiveStaysInside(t *testing.T) {
	t.Parallel()
	e := open(t, fake.Options{Dir: t.TempDir()})
	o := start(t, e, "one")
	_, err := e.GetArchive(t.Context(), o, "/../../../../etc/hostname", func([]byte) error { return nil })
	if !domain.IsKind(err, domain.Invalid) {
		t.Errorf("a path out of the container: %v", err)
	}
	if err := e.PutArchive(t.Context(), o, "/tmp", strings.NewReader("")); err != nil {
		t.Errorf("an empty archive: %v", err)
	}
}
