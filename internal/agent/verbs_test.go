package agent_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-zun/zun/internal/agent/calls"
	"github.com/go-zun/zun/internal/agent/parcel"
	"github.com/go-zun/zun/internal/domain"
)

// TestInjectedFiles goes the way of a file from the assignment into the container, and
// of its disappearance with it.
func TestInjectedFiles(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running(func(a *domain.Assignment) {
		for path, content := range map[string]string{"/etc/app.conf": "key=value\n"} {
			a.Spec.Mounts = append(a.Spec.Mounts, domain.MountRequest{
				Type: "bind", Source: base64.StdEncoding.EncodeToString([]byte(content)), Destination: path,
			})
		}
	})
	r, err := calls.New(h.agent, parcel.Room{}).ExecRun(t.Context(), "c1", []string{"cat", "/etc/app.conf"})
	if err != nil || string(r.Output) != "key=value\n" {
		t.Errorf("inside it reads %q, %v", r.Output, err)
	}
	dir := filepath.Join(h.state, "containers", "c1", "mounts")
	info, err := os.Stat(filepath.Join(dir, "0"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if info, err = os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its directory is %v, %v", info, err)
	}
	h.order(domain.VerbDelete, absent)
	h.done(domain.PhaseReleased)
	h.clean()
}

func TestDamagedInjectedFileIsNoContainer(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	h.order(domain.VerbCreate, run, up, func(a *domain.Assignment) {
		a.Spec.Mounts = []domain.MountRequest{{Type: "bind", Source: "%%%", Destination: "/x"}}
	})
	if r := h.done(domain.PhaseFailed); r.Message != "Invalid Base 64 file data" {
		t.Errorf("reported %q", r.Message)
	}
	h.clean()
}

// TestInterfacesKeepTheirNames takes eth0 away from under eth1.
func TestInterfacesKeepTheirNames(t *testing.T) {
	t.Parallel()
	two := func(a *domain.Assignment) {
		a.Nics = []domain.Nic{{PortID: "p1", NetworkID: "n1", Ready: true}, {PortID: "p2", NetworkID: "n2", Index: 1, Ready: true}}
	}
	h := newHost(t).begin().running(two)
	h.order(domain.VerbNetworkDetach, func(a *domain.Assignment) {
		gone := a.Nics[0]
		a.Nics, a.Op.Args.Gone = a.Nics[1:], &gone
	})
	h.done(domain.PhaseDone)
	if h.nets.name("p1") != "" || h.nets.name("p2") != "eth1" {
		t.Errorf("after the detach p1 is %q and p2 %q", h.nets.name("p1"), h.nets.name("p2"))
	}
	h.order(domain.VerbNetworkAttach, func(a *domain.Assignment) {
		a.Nics = append(a.Nics, domain.Nic{PortID: "p3", NetworkID: "n3", Ready: true})
		a.Op.Args.Choice = &domain.NetChoice{NetworkID: "n3"}
	})
	h.done(domain.PhaseDone)
	if h.nets.name("p3") != "eth0" {
		t.Errorf("the new interface is %q", h.nets.name("p3"))
	}
}

func TestFailedAttachLeavesNoInterface(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.nets.mu.Lock()
	h.nets.faults = []error{errors.New("no room in the kernel")}
	h.nets.mu.Unlock()
	h.order(domain.VerbNetworkAttach, func(a *domain.Assignment) {
		a.Nics = append(a.Nics, domain.Nic{PortID: "p2", NetworkID: "n2", Index: 1, Ready: true})
		a.Op.Args.Choice = &domain.NetChoice{NetworkID: "n2"}
	})
	if r := h.done(domain.PhaseFailed); r.Seen == nil || r.Seen.Status != domain.Running {
		t.Errorf("the container is %+v", r.Seen)
	}
	if h.nets.plugs() != 1 || h.nets.name("p1") != "eth0" {
		t.Errorf("%d interfaces are plugged", h.nets.plugs())
	}
}

// TestRulesChangeWithoutAnAction changes the rules of a port in the assignment alone.
func TestRulesChangeWithoutAnAction(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	before := h.nets.made()
	h.tell(func(a *domain.Assignment) {
		a.Nics[0].Rules = []domain.GroupRule{{Protocol: "tcp", PortMin: 80, PortMax: 80}}
	})
	h.await("the rules to be laid", 0, func() bool { return h.nets.made() == before+1 })
	h.tell(func(*domain.Assignment) {}) // the same again is no work
	h.order(domain.VerbAddGroup, func(a *domain.Assignment) { a.Nics[0].Groups = []string{"g1"} })
	h.done(domain.PhaseDone)
	if n := h.nets.made(); n != before+2 {
		t.Errorf("plugged %d times more, want 2", n-before)
	}
}

// TestLimitsOfAGivenUpUpdateAreTakenBack carries an update out that control gives up
// meanwhile: the host must not give more than control counts.
func TestLimitsOfAGivenUpUpdateAreTakenBack(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(func(a *domain.Assignment) { a.Spec.MemoryMB = 64 })
	h.order(domain.VerbUpdate, func(a *domain.Assignment) { a.Spec.MemoryMB = 512 })
	h.done(domain.PhaseDone)
	h.tell(func(a *domain.Assignment) { a.Spec.MemoryMB = 64 })
	h.await("the limits to be those that count", 0, func() bool { return h.engine.memory("c1") == 64 })
}

// tell assigns c1 anew, settled and changed.
func (h *host) tell(change func(*domain.Assignment)) {
	h.t.Helper()
	want := h.control.current("c1")
	want.Op, want.EverCreated, want.Nics = nil, true, slices.Clone(want.Nics) // the agent reads those of before
	change(&want)
	h.agent.Wake(h.control.assign(want))
}
