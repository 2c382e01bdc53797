//go:build integration

package docker_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/adapter/engine/docker"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// put makes a container of spec that sleeps, and takes it away with the test.
func put(t *testing.T, e *docker.Engine, spec domain.Spec) (agent.Object, error) {
	t.Helper()
	id := domain.ContainerID(uuid.NewString())
	t.Cleanup(func() { _ = e.Sandboxes().Remove(context.WithoutCancel(t.Context()), id) })
	sandbox, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: id})
	if err != nil {
		t.Fatalf("make a sandbox: %v", err)
	}
	spec.Image, spec.Command, spec.MemoryMB = image, []string{"sleep", "1000"}, 64
	o, err := e.Members().Create(t.Context(), agent.MemberSpec{Container: id, Generation: 1, Sandbox: sandbox, Spec: spec})
	t.Cleanup(func() { _ = e.Members().Remove(context.WithoutCancel(t.Context()), o) })
	return o, err
}

// sh runs a command on this machine, which the test cannot do without.
func sh(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

// TestDiskIsBounded runs an engine on btrfs, whose driver bounds disks on every kernel
// that has it; xfs with project quota is not in every kernel.
func TestDiskIsBounded(t *testing.T) {
	dir := t.TempDir()
	disk, data := filepath.Join(dir, "disk"), filepath.Join(dir, "data")
	sh(t, "truncate", "-s", "4G", disk)
	sh(t, "mkfs.btrfs", "-q", disk)
	if err := os.Mkdir(data, 0o711); err != nil {
		t.Fatal(err)
	}
	sh(t, "mount", "-o", "loop", disk, data)
	const script = "../../../../scripts/dockerd.sh"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		for _, last := range [][]string{{script, "stop", data}, {"umount", "-l", data}} {
			if out, err := exec.CommandContext(ctx, last[0], last[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v: %s", last, err, out)
			}
		}
	})
	address := strings.TrimSpace(strings.TrimPrefix(sh(t, script, "start", data), "export ZUN_TEST_DOCKER="))
	sh(t, "../../../../scripts/image.sh", address, image)
	e, err := docker.New(docker.Options{Host: address, Deployment: uuid.NewString(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if has, err := e.Info(t.Context()); err != nil || !has.DiskQuota {
		t.Fatalf("an engine on btrfs is not known to bound disks: %v", err)
	}
	o, err := put(t, e, domain.Spec{DiskGB: 1})
	if err != nil {
		t.Fatalf("make a container of 1 GB: %v", err)
	}
	if err := e.Members().Start(t.Context(), o); err != nil {
		t.Fatalf("start it: %v", err)
	}
	const fill = "fallocate -l 100M /fits && ! fallocate -l 2G /fits-not"
	if out, err := exec.CommandContext(t.Context(), "docker", "-H", address, "exec", o.EngineID, "sh", "-c", fill).CombinedOutput(); err != nil {
		t.Errorf("a disk of 1 GB is not bounded: %v: %s", err, out)
	}
}

// TestDiskIsRefusedWithTheReason asks an engine for what its driver cannot do.
func TestDiskIsRefusedWithTheReason(t *testing.T) {
	loadImage(t)
	e := open(t, docker.Options{Deployment: uuid.NewString(), Log: slog.New(slog.DiscardHandler)})
	has, err := e.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if has.DiskQuota {
		t.Fatal("this test needs an engine without disk quota, as scripts/dockerd.sh starts it")
	}
	if _, err := put(t, e, domain.Spec{DiskGB: 1}); err == nil || !strings.Contains(domain.AsFault(err).Message, "disk quota") {
		t.Errorf("refused with %v", err)
	}
}

// TestPrivileges sees what the engine is told. Whether a privileged container starts is
// up to the machine: one that lacks a capability itself cannot give it.
func TestPrivileges(t *testing.T) {
	loadImage(t)
	e := open(t, docker.Options{Deployment: uuid.NewString(), Log: slog.New(slog.DiscardHandler)})
	for _, privileged := range []bool{true, false} {
		o, err := put(t, e, domain.Spec{Privileged: privileged})
		if err != nil {
			t.Fatal(err)
		}
		seen, err := raw(t).ContainerInspect(t.Context(), o.EngineID, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		h := seen.Container.HostConfig
		if h.Privileged != privileged || (len(h.CapDrop) == 0) != privileged || (len(h.CapAdd) == 0) != privileged {
			t.Errorf("privileged %v: %v, drops %v, adds %v", privileged, h.Privileged, h.CapDrop, h.CapAdd)
		}
		if privileged {
			continue
		}
		if err := e.Members().Start(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		status := sh(t, "docker", "-H", host(t), "exec", o.EngineID, "cat", "/proc/1/status")
		// Neither mounting (21) nor loading modules (16), nor looking into others (19).
		const forbidden = 1<<21 | 1<<16 | 1<<19
		for _, set := range []string{"CapEff", "CapBnd"} {
			if bits := capabilitySet(t, status, set); bits == 0 || bits&forbidden != 0 {
				t.Errorf("%s of an ordinary container is %x", set, bits)
			}
		}
	}
}

// capabilitySet reads one of the sets of a process's status.
func capabilitySet(t *testing.T, status, name string) uint64 {
	t.Helper()
	_, after, _ := strings.Cut(status, name+":")
	text, _, _ := strings.Cut(strings.TrimSpace(after), "\n")
	bits, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
	if err != nil {
		t.Fatalf("%s of %q: %v", name, status, err)
	}
	return bits
}
