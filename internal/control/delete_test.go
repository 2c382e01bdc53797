package control_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestDeleteJourney(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	wantFault(t, h.delete(id, control.DeleteRequest{}), domain.Conflict,
		"Cannot delete container "+string(id)+" in Running state")
	h.must(h.delete(id, control.DeleteRequest{Stop: true}))
	h.wantStatus(id, domain.Deleting)
	a := h.assignment(host.ID, id)
	if !a.Want.Absent || a.Op == nil || !a.Op.Args.Stop || *a.Op.Args.TimeoutSeconds != 10 {
		t.Fatalf("the host reads %+v", a)
	}
	h.released(id)
	if !h.gone(id) || h.nets.count() != 0 {
		t.Error("row or port is left")
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}

func TestDeleteOutrunsCreate(t *testing.T) {
	stop := control.DeleteRequest{Stop: true}
	t.Run("before it is prepared", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.create("web")
		h.must(h.act(id, domain.VerbStop))
		h.must(h.delete(id, stop))
		h.step(h.loops.Prepare)
		h.step(h.loops.Release)
		if !h.gone(id) || h.nets.made != 0 {
			t.Error("the canceled create went on")
		}
		h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
	})
	t.Run("while its ports are made", func(t *testing.T) {
		h := newHouse(t)
		host := h.addHost("n1")
		id := h.create("web")
		h.nets.before = func(domain.Container) { h.must(h.delete(id, stop)) }
		h.step(h.loops.Prepare)
		if h.assignment(host.ID, id) != nil {
			t.Error("the host sees a canceled create")
		}
		h.step(h.loops.Release)
		if !h.gone(id) || h.nets.count() != 0 {
			t.Errorf("%d ports are left", h.nets.count())
		}
	})
	t.Run("and is over before its ports are made", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.create("web")
		h.nets.before = func(domain.Container) {
			h.must(h.delete(id, stop))
			h.step(h.loops.Release)
		}
		h.step(h.loops.Prepare)
		if !h.gone(id) || h.nets.count() != 0 {
			t.Errorf("%d ports are left", h.nets.count())
		}
	})
	t.Run("while the host makes it", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.create("web")
		h.step(h.loops.Prepare)
		hostID, late := h.reportOf(id, domain.PhaseDone)
		late.Seen = &domain.Observation{Status: domain.Running, EngineID: "e"}
		h.must(h.delete(id, stop))
		if !h.send(hostID, late) {
			t.Error("the report of a canceled create was heard")
		}
		h.wantStatus(id, domain.Deleting)
		h.released(id)
		if !h.gone(id) || h.nets.count() != 0 {
			t.Error("row or port is left")
		}
	})
}

func TestFailedDeleteIsTriedAgain(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	h.must(h.delete(id, control.DeleteRequest{Stop: true}))
	h.store.step(-time.Hour) // so that the back-off is over at once
	h.failed(id, "device is busy")
	if row := h.wantStatus(id, domain.Deleting); row.StatusReason != "device is busy" {
		t.Errorf("reason %q", row.StatusReason)
	}
	if a := h.assignment(host.ID, id); a.Op != nil {
		t.Error("the host tries again without a pause")
	}
	h.step(h.loops.Prepare)
	h.released(id)
	if !h.gone(id) {
		t.Error("the row is left")
	}
}

func TestFailedReleaseIsTriedAgain(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.must(h.delete(id, control.DeleteRequest{Stop: true}))
	h.store.step(-time.Hour)
	h.nets.fail(domain.NewFault(domain.Unavailable, "x", "the network service does not answer"))
	h.released(id)
	if row := h.wantStatus(id, domain.Deleting); row.StatusReason != "the network service does not answer" {
		t.Errorf("reason %q", row.StatusReason)
	}
	h.nets.fail(nil)
	h.step(h.loops.Release)
	if !h.gone(id) || h.nets.count() != 0 {
		t.Error("row or port is left")
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}

func TestForceOnADeadHostLeavesATombstone(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	h.store.step(time.Hour)
	h.must(h.delete(id, control.DeleteRequest{Force: true}))
	if !h.gone(id) {
		t.Fatal("the row is in view")
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 1})
	h.step(h.loops.Sweep)
	if h.nets.count() != 1 {
		t.Error("the address of what may still run was given away")
	}
	a := h.assignment(host.ID, id)
	if a == nil || !a.Want.Absent || a.Op == nil || a.Op.ActionID != 0 {
		t.Fatalf("the returning host reads %+v", a)
	}
	report := domain.Report{Container: id, Generation: a.Generation, Phase: domain.PhaseProgress}
	if h.send(host.ID, report) {
		t.Error("progress on a tombstone is stale")
	}
	report.Phase = domain.PhaseReleased
	for range 2 { // a report may be repeated
		h.send(host.ID, report)
		h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
	}
	if h.assignment(host.ID, id) != nil || h.nets.count() != 0 {
		t.Error("tombstone or port is left")
	}
}

func TestForceOnALivingHostGoesThroughIt(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.must(h.delete(id, control.DeleteRequest{Force: true}))
	h.wantStatus(id, domain.Deleting)
	h.must(h.delete(id, control.DeleteRequest{Force: true})) // again, while it is deleted
	h.released(id)
	if !h.gone(id) {
		t.Error("the row is left")
	}
}

func TestReleaseAfterACrash(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.must(h.delete(id, control.DeleteRequest{Stop: true}))
	hostID, r := h.reportOf(id, domain.PhaseReleased)
	h.send(hostID, r)
	// The ports go, then the process dies before the row does.
	h.nets.fail(errors.New("lost"))
	h.store.step(-time.Hour)
	_, _ = h.loops.Release(t.Context())
	h.nets.fail(nil)
	h.must(h.nets.Release(t.Context(), id, nil))
	h.reopen()
	h.step(h.loops.Release)
	if !h.gone(id) {
		t.Error("the row is left")
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}

// TestADeleteNamesTheInterfacesThatWereOnTheirWayOut deletes a container while its host is to
// unplug an interface: the host must hear of it again, since its port goes to others after.
func TestADeleteNamesTheInterfacesThatWereOnTheirWayOut(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(h *house, id domain.ContainerID)
		plugs int // once the host let go of it nobody unplugs it again: others may have its port
	}{
		{"a detach that its host has not done", func(h *house, _ domain.ContainerID) {
			h.detach("web", "blue")
			h.step(h.loops.Prepare)
		}, 2},
		{"a detach that its host has done", func(h *house, id domain.ContainerID) {
			h.detach("web", "blue")
			h.step(h.loops.Prepare)
			h.done(id, domain.Running)
		}, 1},
		{"an attach that is undone", func(h *house, id domain.ContainerID) {
			h.attach("web", "green")
			h.step(h.loops.Prepare)
			h.failed(id, "no room in the kernel")
			h.step(h.loops.Prepare)
		}, 3},
		{"an attach whose undoing waits", func(h *house, id domain.ContainerID) {
			h.attach("web", "green")
			h.step(h.loops.Prepare)
			h.failed(id, "no room in the kernel")
		}, 3},
		{"an attach that no host has seen", func(h *house, _ domain.ContainerID) { h.attach("web", "green") }, 2},
	} {
		for _, down := range []bool{false, true} {
			t.Run(c.name+map[bool]string{true: ", its host down"}[down], func(t *testing.T) {
				h := newHouse(t)
				host := h.addHost("n1")
				id := h.running("web", func(r *control.CreateRequest) {
					r.Spec.Nets = []domain.NetRequest{{Network: "red"}, {Network: "blue"}}
				})
				c.leave(h, id)
				if down {
					h.store.step(time.Hour)
				}
				h.must(h.delete(id, control.DeleteRequest{Stop: !down, Force: down}))
				a := h.assignment(host.ID, id)
				if a == nil || len(a.Nics) != c.plugs {
					t.Fatalf("the host reads %+v, want %d interfaces", a, c.plugs)
				}
				h.step(h.loops.Release)
				if len(h.nets.ports[id]) < c.plugs {
					t.Error("a port was given away before its host let go of it")
				}
				h.send(host.ID, domain.Report{Container: id, Generation: a.Generation, ActionID: a.Op.ActionID,
					Epoch: a.Op.Epoch, Phase: domain.PhaseReleased})
				h.step(h.loops.Release)
				if h.nets.count() != 0 || !h.gone(id) {
					t.Errorf("%d ports are left", h.nets.count())
				}
			})
		}
	}
}
