//go:build integration

package fake_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/adapter/engine/enginetest"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

func TestEngineWithNamespaces(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("making network namespaces needs root")
	}
	dir := t.TempDir()
	enginetest.Run(t, enginetest.Factory{
		Open: func(t *testing.T) agent.Engine {
			return open(t, fake.Options{Dir: dir, LogMaxBytes: 64 << 10, Namespaces: true})
		},
		Image: "busybox", Missing: "missing/image:1", Unreachable: "unreachable/image:1", Namespaces: true,
	})
}

// TestNamespaceOfAKilledProcess finds what a process left that was killed while it made a
// namespace: the file for it, or the namespace itself.
func TestNamespaceOfAKilledProcess(t *testing.T) {
	e := open(t, fake.Options{Dir: t.TempDir(), Namespaces: true})
	for name, leave := range map[string]func(name string) error{
		"the file":      func(name string) error { return os.WriteFile(filepath.Join("/run/netns", name), nil, 0o444) },
		"the namespace": func(name string) error { return exec.CommandContext(t.Context(), "ip", "netns", "add", name).Run() },
	} {
		t.Run(name, func(t *testing.T) {
			id := domain.ContainerID(uuid.NewString())
			t.Cleanup(func() {
				if err := e.Sandboxes().Remove(context.WithoutCancel(t.Context()), id); err != nil {
					t.Error(err)
				}
			})
			if _, err := e.Sandboxes().Stage(t.Context(), agent.SandboxSpec{Container: id}); err != nil {
				t.Fatal(err)
			}
			if err := leave("zun-" + string(id)); err != nil {
				t.Fatal(err)
			}
			made, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: id})
			if err != nil {
				t.Fatal(err)
			}
			if err := exec.CommandContext(t.Context(), "ip", "netns", "exec", filepath.Base(made.NetNS), "true").Run(); err != nil {
				t.Errorf("the sandbox has no namespace: %v", err)
			}
		})
	}
}
