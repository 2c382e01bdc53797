package fake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

type sandboxes struct{ *Engine }

// Ensure makes the container's sandbox, or makes a dead one anew under another engine id.
func (s sandboxes) Ensure(ctx context.Context, spec agent.SandboxSpec) (agent.Object, error) {
	if err := s.cued(ctx, OpSandboxEnsure, spec.Container); err != nil {
		return agent.Object{}, err
	}
	present, err := s.store.read(roleSandbox, spec.Container)
	if err == nil && present.alive(s.clock.Now()) && s.namespaceLives(spec.Container) {
		return s.object(present), nil
	}
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		return agent.Object{}, err
	}
	if err := s.discard(spec.Container); err != nil {
		return agent.Object{}, err
	}
	if s.options.Namespaces {
		if err := makeNamespace(namespaceName(spec.Container)); err != nil {
			return agent.Object{}, fmt.Errorf("make network namespace: %w", err)
		}
	}
	now := s.clock.Now()
	made, err := s.store.add(record{
		EngineID: newID(), Container: spec.Container, Role: roleSandbox, Hostname: hostname(spec), CreatedAt: now,
		Runs: []run{{PID: newPID(), StartedAt: now}},
	})
	return s.object(made), err
}

// Remove removes the sandbox and its namespace.
func (s sandboxes) Remove(ctx context.Context, id domain.ContainerID) error {
	if err := s.cued(ctx, OpSandboxRemove, id); err != nil {
		return err
	}
	return s.discard(id)
}

// discard drops the namespace first: a record without a namespace can be found and
// removed again, a namespace without a record would be leaked.
func (e *Engine) discard(id domain.ContainerID) error {
	if e.options.Namespaces {
		if err := netns.DeleteNamed(namespaceName(id)); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("remove network namespace: %w", err)
		}
		if err := os.Remove(e.netNS(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove network namespace: %w", err)
		}
	}
	return e.store.remove(roleSandbox, id)
}

func hostname(s agent.SandboxSpec) string {
	if s.Hostname != "" {
		return s.Hostname
	}
	short := strings.ReplaceAll(string(s.Container), "-", "")
	return short[:min(12, len(short))]
}

func namespaceName(id domain.ContainerID) string { return "zun-" + string(id) }

func (e *Engine) netNS(id domain.ContainerID) string {
	return filepath.Join("/run/netns", namespaceName(id))
}

// namespaceLives says whether the file at the namespace's path still is a namespace.
func (e *Engine) namespaceLives(id domain.ContainerID) bool {
	if !e.options.Namespaces {
		return true
	}
	var st unix.Statfs_t
	return unix.Statfs(e.netNS(id), &st) == nil && st.Type == unix.NSFS_MAGIC
}

// makeNamespace makes a named network namespace. Making one moves the calling thread
// into it, so the thread is held and brought back; a thread that cannot be brought
// back is never given to other goroutines: it ends with this one.
func makeNamespace(name string) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := makeNamespaceHere(name)
		if err == nil {
			runtime.UnlockOSThread()
		}
		failed <- err
	}()
	return <-failed
}

func makeNamespaceHere(name string) error {
	home, err := netns.Get()
	if err != nil {
		return err
	}
	defer func() { _ = home.Close() }()
	made, err := netns.NewNamed(name)
	if err != nil {
		return errors.Join(err, netns.Set(home))
	}
	return errors.Join(made.Close(), netns.Set(home))
}
