package fake

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

type members struct{ *Engine }

// Create makes the member of m.Generation in the place of a former one. The image
// must be present.
func (m members) Create(ctx context.Context, spec agent.MemberSpec) (agent.Object, error) {
	if err := m.cued(ctx, OpCreate, spec.Container); err != nil {
		return agent.Object{}, err
	}
	if !m.has(ctx, spec) {
		return agent.Object{}, domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on this host", spec.Spec.Image)
	}
	r := record{
		EngineID: newID(), Container: spec.Container, Role: roleMember, Generation: spec.Generation,
		Hostname: spec.Sandbox.State.Hostname, Command: spec.Spec.Command, Entrypoint: spec.Spec.Entrypoint,
		Ports: ports(spec.Spec.ExposedPorts), Spec: spec.Spec, CPUSet: spec.CPUSet, Files: bound(spec), CreatedAt: m.clock.Now(),
	}
	if len(r.Command) == 0 && len(r.Entrypoint) == 0 {
		r.Command = []string{"sh"}
	}
	present, err := m.store.add(r)
	if err == nil && present.Generation != spec.Generation {
		if err := m.store.remove(roleMember, spec.Container); err != nil {
			return agent.Object{}, err
		}
		present, err = m.store.add(r)
	}
	if err == nil && present.EngineID == r.EngineID {
		err = m.furnish(r)
	}
	return m.object(present), err
}

// has says whether the image of spec is here, by its name or its id.
func (m members) has(ctx context.Context, spec agent.MemberSpec) bool {
	if m.present(spec.Spec.Image) {
		return true
	}
	all, err := m.StoredImages(ctx)
	return err == nil && slices.ContainsFunc(all, func(i domain.StoredImage) bool { return i.ID == spec.ImageID })
}

// Start begins a new run. A command outside the simulated vocabulary is Invalid.
func (m members) Start(ctx context.Context, o agent.Object) error {
	if err := m.cued(ctx, OpStart, o.Container); err != nil {
		return err
	}
	sandbox, err := m.store.read(roleSandbox, o.Container)
	if err != nil || !sandbox.alive(m.clock.Now()) {
		return domain.NewFault(domain.Conflict, "sandbox-gone", "The network of container %s is gone", o.Container)
	}
	_, err = m.change(o, func(r *record, now time.Time) error {
		if r.alive(now) {
			return nil
		}
		argv := r.argv()
		if !program.Known(argv[0]) {
			return domain.NewFault(domain.Invalid, "command-not-found", "The command %q was not found in the image", argv[0])
		}
		end, code := program.Foresee(r.machine(nil, nil), argv)
		next := run{PID: newPID(), StartedAt: now, ExitCode: code}
		if end >= 0 {
			next.EndsAt = now.Add(end)
		}
		r.Runs = append(r.Runs, next)
		return nil
	})
	return err
}

// Stop sends TERM. A process without a trap for it ends at once with 143; one whose
// trap does not end it is killed when grace is over.
func (m members) Stop(ctx context.Context, o agent.Object, grace time.Duration) error {
	if err := m.cued(ctx, OpStop, o.Container); err != nil {
		return err
	}
	r, err := m.change(o, func(r *record, now time.Time) error { r.signal(now, "TERM"); return nil })
	if domain.IsKind(err, domain.NotFound) {
		return nil
	}
	if err != nil || !r.alive(m.clock.Now()) {
		return err
	}
	if grace < 0 {
		grace = 10 * time.Second
	}
	select {
	case <-m.clock.After(grace):
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err = m.change(o, func(r *record, now time.Time) error { r.signal(now, "KILL"); return nil })
	return err
}

// Kill sends signal, named with or without SIG or by number.
func (m members) Kill(ctx context.Context, o agent.Object, signal string) error {
	if err := m.cued(ctx, OpKill, o.Container); err != nil {
		return err
	}
	name, ok := program.SignalName(signal)
	if !ok {
		return domain.NewFault(domain.Invalid, "invalid", "Invalid signal: %s", signal)
	}
	_, err := m.change(o, func(r *record, now time.Time) error {
		if !r.alive(now) {
			return notRunning(o)
		}
		r.signal(now, name)
		return nil
	})
	return err
}

// Pause stops the process's time.
func (m members) Pause(ctx context.Context, o agent.Object) error {
	if err := m.cued(ctx, OpPause, o.Container); err != nil {
		return err
	}
	_, err := m.change(o, func(r *record, now time.Time) error {
		if !r.alive(now) {
			return notRunning(o)
		}
		if r.PausedAt.IsZero() {
			r.PausedAt = now
		}
		return nil
	})
	return err
}

// Unpause lets the process's time go on.
func (m members) Unpause(ctx context.Context, o agent.Object) error {
	if err := m.cued(ctx, OpUnpause, o.Container); err != nil {
		return err
	}
	_, err := m.change(o, func(r *record, now time.Time) error {
		if !r.alive(now) {
			return notRunning(o)
		}
		if r.PausedAt.IsZero() {
			return nil
		}
		slept, last := now.Sub(r.PausedAt), r.last()
		last.Idle += slept
		if !last.EndsAt.IsZero() {
			last.EndsAt = last.EndsAt.Add(slept)
		}
		r.PausedAt = time.Time{}
		return nil
	})
	return err
}

// Update stores new limits.
func (m members) Update(ctx context.Context, o agent.Object, spec domain.Spec) error {
	if err := m.cued(ctx, OpUpdate, o.Container); err != nil {
		return err
	}
	_, err := m.change(o, func(r *record, _ time.Time) error {
		r.Spec.CPU, r.Spec.MemoryMB = spec.CPU, spec.MemoryMB
		return nil
	})
	return err
}

// Confine stores where the member may run.
func (e *Engine) Confine(ctx context.Context, o agent.Object, cpus domain.CPUSet) error {
	if err := e.cued(ctx, OpUpdate, o.Container); err != nil {
		return err
	}
	_, err := e.change(o, func(r *record, _ time.Time) error {
		r.CPUSet = cpus
		return nil
	})
	return err
}

// Remove drops the member, running or not.
func (m members) Remove(ctx context.Context, o agent.Object) error {
	if err := m.cued(ctx, OpRemove, o.Container); err != nil {
		return err
	}
	r, err := m.store.read(roleMember, o.Container)
	if domain.IsKind(err, domain.NotFound) || err == nil && r.EngineID != o.EngineID {
		return nil
	}
	if err != nil {
		return err
	}
	return m.store.remove(roleMember, o.Container)
}

// change alters the very object o; an object of the same container that was made
// later is not o, and o is then gone.
func (e *Engine) change(o agent.Object, fn func(r *record, now time.Time) error) (record, error) {
	return e.store.change(roleMember, o.Container, func(r *record) error {
		if r.EngineID != o.EngineID {
			return domain.NewFault(domain.NotFound, "engine-object-not-found", "No such container: %s", o.EngineID)
		}
		return fn(r, e.clock.Now())
	})
}

func notRunning(o agent.Object) error {
	return domain.NewFault(domain.Conflict, "not-running", "Container %s is not running", o.Container)
}

func bound(m agent.MemberSpec) map[string]string {
	files := map[string]string{}
	for inside, host := range map[string]string{"/etc/hosts": m.HostsFile, "/etc/resolv.conf": m.ResolvFile, "/etc/hostname": m.HostnameFile} {
		if host != "" {
			files[inside] = host
		}
	}
	for _, b := range m.Binds {
		files[b.Target] = b.Source
	}
	return files
}

func ports(exposed []string) []int {
	var numbers []int
	for _, p := range exposed {
		number, _, _ := strings.Cut(p, "/")
		if n, err := strconv.Atoi(number); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
