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

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

type sandboxes struct{ *Engine }

// Stage makes the container's sandbox without a namespace, or returns the one there is.
func (s sandboxes) Stage(ctx context.Context, spec agent.SandboxSpec) (agent.Object, error) {
	if err := s.cued(ctx, OpSandboxStage, spec.Container); err != nil {
		return agent.Object{}, err
	}
	made, err := s.store.add(s.fresh(spec))
	return s.object(made), err
}

// Ensure gives the container's sandbox its namespace, or makes a dead one anew under
// another engine id.
func (s sandboxes) Ensure(ctx context.Context, spec agent.SandboxSpec) (agent.Object, error) {
	if err := s.cued(ctx, OpSandboxEnsure, spec.Container); err != nil {
		return agent.Object{}, err
	}
	present, err := s.store.read(roleSandbox, spec.Container)
	switch {
	case domain.IsKind(err, domain.NotFound):
		present = s.fresh(spec)
	case err != nil:
		return agent.Object{}, err
	case present.alive(s.clock.Now()) && s.namespaceLives(spec.Container):
		return s.object(present), nil
	case present.last() != nil: // it lived
		if err := s.discard(spec.Container); err != nil {
			return agent.Object{}, err
		}
		present = s.fresh(spec)
	}
	return s.bringToLife(present)
}

// fresh is a sandbox that never lived.
func (s sandboxes) fresh(spec agent.SandboxSpec) record {
	return record{EngineID: newID(), Container: spec.Container, Role: roleSandbox, Hostname: hostname(spec), CreatedAt: s.clock.Now()}
}

// bringToLife gives a sandbox without a namespace one. What is there already is of a
// process that ended before it could write it down.
func (s sandboxes) bringToLife(staged record) (agent.Object, error) {
	if s.options.Namespaces {
		if err := s.dropNamespace(staged.Container); err != nil {
			return agent.Object{}, err
		}
		if err := makeNamespace(namespaceName(staged.Container)); err != nil {
			return agent.Object{}, fmt.Errorf("make network namespace: %w", err)
		}
	}
	if _, err := s.store.add(staged); err != nil {
		return agent.Object{}, err
	}
	living, err := s.store.change(roleSandbox, staged.Container, func(r *record) error {
		r.Runs = append(r.Runs, run{PID: newPID(), StartedAt: s.clock.Now()})
		return nil
	})
	return s.object(living), err
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
		if err := e.dropNamespace(id); err != nil {
			return err
		}
	}
	return e.store.remove(roleSandbox, id)
}

// dropNamespace removes the container's namespace, and the file for one that a killed
// process did not come to mount.
func (e *Engine) dropNamespace(id domain.ContainerID) error {
	if err := netns.DeleteNamed(namespaceName(id)); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("remove network namespace: %w", err)
	}
	if err := os.Remove(e.netNS(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove network namespace: %w", err)
	}
	return nil
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
