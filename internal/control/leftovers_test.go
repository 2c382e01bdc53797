package control_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// TestGenerationsAreNeverBegunTwice gives a rebuild up and rebuilds again: what the first
// may have left on its host must not be taken for what the second makes.
func TestGenerationsAreNeverBegunTwice(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	former := &domain.Observation{Status: domain.Running, EngineID: "engine-" + string(id)}
	begun := map[int64]bool{1: true}
	for range 3 {
		h.must(h.act(id, domain.VerbRebuild))
		h.step(h.loops.Prepare)
		a := h.assignment(host.ID, id)
		if begun[a.Generation] {
			t.Fatalf("generation %d was begun before", a.Generation)
		}
		begun[a.Generation] = true
		hostID, r := h.reportOf(id, domain.PhaseFailed)
		r.Message, r.Seen = "Image gone could not be found.", former
		h.send(hostID, r)
		if row := h.wantStatus(id, domain.Running); row.Generation != 1 || !row.EverCreated {
			t.Fatalf("the former generation is not back: %+v", row)
		}
	}
	h.must(h.act(id, domain.VerbRebuild))
	h.step(h.loops.Prepare)
	h.done(id, domain.Running)
	if row := h.wantStatus(id, domain.Running); begun[row.Generation] {
		t.Errorf("it stands in generation %d, which was begun before", row.Generation)
	}
}

// TestAReleasedInterfaceIsNeverGivenUp lets the network service be away for longer than
// an action may be silent: the port is given back when it returns.
func TestAReleasedInterfaceIsNeverGivenUp(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.attach("web", "blue")
	h.step(h.loops.Prepare)
	h.failed(id, "no room in the kernel")
	h.step(h.loops.Prepare)
	h.done(id, domain.Running) // it is unplugged
	h.nets.fail(domain.NewFault(domain.Unavailable, "away", "the network service does not answer"))
	h.store.step(-time.Hour) // back-offs end at once
	h.step(h.loops.Release)
	h.impatient()
	h.step(h.loops.Overdue)
	h.reopen()
	h.nets.fail(nil)
	h.step(h.loops.Release)
	if ports := h.nets.ports[id]; len(ports) != 1 {
		t.Errorf("ports %+v are left", ports)
	}
	actions, err := h.Actions(t.Context(), member(), control.Ref{Ident: "web"})
	h.must(err)
	if actions[0].State != domain.ActionFailed || actions[0].Reason != "no room in the kernel" {
		t.Errorf("the record says %+v", actions[0])
	}
}

// TestAnAttachThatWasNeverShownGivesItsPortBack loses the replica that had made the port,
// and nobody takes the attach up again in its time.
func TestAnAttachThatWasNeverShownGivesItsPortBack(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.attach("web", "blue")
	h.nets.before = func(domain.Container) { h.store.breakWith(errors.New("the replica is dead")) }
	_, _ = h.loops.Prepare(t.Context())
	h.store.breakWith(nil)
	if len(h.nets.ports[id]) != 2 {
		t.Fatalf("ports %+v were made", h.nets.ports[id])
	}
	h.impatient()
	h.step(h.loops.Overdue)
	h.step(h.loops.Release)
	row := h.wantStatus(id, domain.Running)
	if len(h.nets.ports[id]) != 1 || len(row.Nics) != 1 || row.TaskState != domain.Idle || row.StatusReason == "" {
		t.Errorf("left %+v and ports %+v", row, h.nets.ports[id])
	}
}

// TestADeleteTakesThePortOfAnAttachThatItOutran deletes while a replica makes the port.
func TestADeleteTakesThePortOfAnAttachThatItOutran(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.attach("web", "blue")
	h.nets.before = func(domain.Container) { h.must(h.delete(id, control.DeleteRequest{Stop: true})) }
	h.step(h.loops.Prepare)
	h.released(id)
	if !h.gone(id) || h.nets.count() != 0 {
		t.Errorf("left: ports %+v", h.nets.ports)
	}
}

// TestADeleteClosesTheStepsOfWhatItCancels looks at a step that had begun.
func TestADeleteClosesTheStepsOfWhatItCancels(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.step(h.loops.Prepare)
	hostID, r := h.reportOf(id, domain.PhaseProgress)
	r.EventName = "agent__image"
	h.send(hostID, r)
	h.must(h.delete(id, control.DeleteRequest{Stop: true}))
	h.read(func(ctx context.Context, tx control.Tx) error {
		steps, err := tx.Actions().Events().List(ctx, r.ActionID)
		if len(steps) != 1 || steps[0].FinishedAt.IsZero() || steps[0].Result != "Error" || steps[0].Details == "" {
			t.Errorf("the steps of the canceled action are %+v", steps)
		}
		return err
	})
}

// TestALateEndIsNoReleaseOfATombstone tells of the end of a start that the burial
// canceled: the host still has everything, and the address must stay taken.
func TestALateEndIsNoReleaseOfATombstone(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.must(h.act(id, domain.VerbReboot))
	hostID, late := h.reportOf(id, domain.PhaseDone)
	h.store.step(time.Hour)
	h.must(h.delete(id, control.DeleteRequest{Force: true}))
	h.send(hostID, late)
	if a := h.assignment(hostID, id); a == nil || !a.Want.Absent {
		t.Errorf("the host is told %+v", a)
	}
	if h.nets.count() != 1 {
		t.Error("the address of what still runs was given away")
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 1})
}

// TestWhatAVanishedHostHeldIsReleased deletes containers whose host is not in the fleet
// any more, and ends a delete that such a host was asked for.
func TestWhatAVanishedHostHeldIsReleased(t *testing.T) {
	for name, how := range map[string]control.DeleteRequest{"stopped": {Stop: true}, "forced": {Force: true}} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			host := h.addHost("n1")
			before, after := h.running("before"), h.running("after")
			h.must(h.delete(before, control.DeleteRequest{Stop: true}))
			h.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Delete(ctx, host.ID) })
			h.must(h.delete(after, how))
			h.store.step(-time.Hour) // back-offs end at once
			h.impatient()
			h.step(h.loops.Overdue)
			h.step(h.loops.Release)
			if !h.gone(before) || !h.gone(after) || h.nets.count() != 0 {
				t.Errorf("left: %v, %v, %d ports", !h.gone(before), !h.gone(after), h.nets.count())
			}
			h.books("p1", domain.Claim{}, nil)
		})
	}
}
