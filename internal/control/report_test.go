package control_test

import (
	"context"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestStaleReports(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	other := h.addHost("n2", func(h *domain.Host) { h.Disabled = true })
	id := h.create("web")
	h.step(h.loops.Prepare)
	hostID, r := h.reportOf(id, domain.PhaseDone)
	r.Seen = &domain.Observation{Status: domain.Running, EngineID: "e"}
	if hostID == other.ID {
		other, hostID = domain.Host{ID: "0000-n1"}, other.ID
	}
	for name, change := range map[string]func(*domain.Report, *string){
		"another host":       func(_ *domain.Report, host *string) { *host = other.ID },
		"another generation": func(r *domain.Report, _ *string) { r.Generation++ },
		"another epoch":      func(r *domain.Report, _ *string) { r.Epoch-- },
		"another action":     func(r *domain.Report, _ *string) { r.ActionID += 7 },
		"another container":  func(r *domain.Report, _ *string) { r.Container = "00000000-0000-4000-8000-000000000000" },
		"another phase":      func(r *domain.Report, _ *string) { r.Phase = "junk" },
	} {
		wrong, from := r, hostID
		change(&wrong, &from)
		if !h.send(from, wrong) {
			t.Errorf("%s was heard", name)
		}
	}
	h.wantStatus(id, domain.Creating)
	if h.send(hostID, r) {
		t.Error("the right report is stale")
	}
	if !h.send(hostID, r) {
		t.Error("a replay was heard again")
	}
	r.Phase = domain.PhaseProgress
	if !h.send(hostID, r) {
		t.Error("progress after the end was heard")
	}
	r.Phase = domain.PhaseFailed
	h.send(hostID, r)
	h.wantStatus(id, domain.Running)
}

func TestObservedNeverOverwritesWhatIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		from, seen, want domain.Status
	}{
		{domain.Running, domain.Stopped, domain.Stopped},
		{domain.Stopped, domain.Running, domain.Running},
		{domain.Unknown, domain.Running, domain.Running},
		{domain.Unknown, domain.Stopped, domain.Stopped},
		{domain.Restarting, domain.Running, domain.Running},
		{domain.Creating, domain.Running, domain.Creating},
		{domain.Deleting, domain.Running, domain.Deleting},
		{domain.Error, domain.Stopped, domain.Error},
		{domain.Error, domain.Running, domain.Running},
	} {
		h := newHouse(t)
		id := h.stands(h.addHost("n1"), c.from, 1)
		if h.observed(id, c.seen) {
			t.Errorf("%s seen %s: stale", c.from, c.seen)
		}
		if got := h.row(id).Status; got != c.want {
			t.Errorf("%s seen %s: got %s, want %s", c.from, c.seen, got, c.want)
		}
	}
}

// TestAProcessThatAFailedActionLeft is shown, and its host is told to keep it, whether it
// was seen when the action failed or only later.
func TestAProcessThatAFailedActionLeft(t *testing.T) {
	for _, late := range []bool{false, true} {
		h := newHouse(t)
		id := h.stands(h.addHost("n1"), domain.Running, 1)
		h.must(h.act(id, domain.VerbReboot))
		hostID, r := h.reportOf(id, domain.PhaseFailed)
		r.Message = "it would not stop"
		if !late {
			r.Seen = &domain.Observation{Status: domain.Running, EngineID: "e"}
		}
		h.send(hostID, r)
		if late {
			before := h.wantStatus(id, domain.Error)
			h.observed(id, domain.Running)
			if now := h.row(id); now.Revision <= before.Revision {
				t.Errorf("its host is not told: revision %d after %d", now.Revision, before.Revision)
			}
		}
		row := h.wantStatus(id, domain.Running)
		if row.Want != (domain.Want{Running: true}) || !late && row.StatusReason != r.Message {
			t.Errorf("seen late %v: %+v, %q", late, row.Want, row.StatusReason)
		}
	}
}

func TestWhatTheEngineShowsIsKept(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.step(h.loops.Prepare)
	code := 3
	hostID, r := h.reportOf(id, domain.PhaseProgress)
	r.Seen = &domain.Observation{
		Status: domain.Created, EngineID: "e", Hostname: "web", Ports: []int{80}, Detail: "Created", ExitCode: &code,
		Health: "healthy", Restarts: 2,
	}
	h.send(hostID, r)
	r.Seen = &domain.Observation{NicsPlugged: []string{"p"}} // tells of the ports alone
	h.send(hostID, r)
	row := h.wantStatus(id, domain.Creating)
	if !row.EverCreated || row.Hostname != "web" || row.Ports[0] != 80 || row.StatusDetail != "Created" || *row.ExitCode != 3 ||
		row.Health != "healthy" || row.Restarts != 2 {
		t.Errorf("kept %+v", row)
	}
}

func TestObservedDuringARebootWaitsForItsEnd(t *testing.T) {
	h := newHouse(t)
	id := h.stands(h.addHost("n1"), domain.Running, 1)
	h.must(h.act(id, domain.VerbReboot))
	h.observed(id, domain.Stopped)
	h.wantStatus(id, domain.Restarting)
	h.done(id, domain.Running)
	h.wantStatus(id, domain.Running)
}

func TestPlacedAgain(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"n1", "n2", "n3", "n4", "n5"} {
		h.addHost(name)
	}
	id := h.create("web")
	refusedBy := map[string]bool{}
	for round := range 4 {
		h.step(h.loops.Prepare)
		row := h.wantStatus(id, domain.Creating)
		if refusedBy[row.HostID] {
			t.Fatalf("round %d: placed on %s again", round, row.HostName)
		}
		refusedBy[row.HostID] = true
		hostID, r := h.reportOf(id, domain.PhaseRefused)
		r.Message = "no room after all"
		h.send(hostID, r)
		if round < 3 && h.assignment(hostID, id) != nil {
			t.Error("the host that refused still has it")
		}
	}
	if row := h.wantStatus(id, domain.Error); row.StatusReason != "no room after all" {
		t.Errorf("reason %q", row.StatusReason)
	}
	if h.nets.made != 1 {
		t.Errorf("%d ports were made", h.nets.made)
	}
	last := h.row(id)
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, map[string]int64{last.HostName: 1})
	h.must(h.delete(id, control.DeleteRequest{}))
	h.released(id)
	for _, name := range []string{"n1", "n2", "n3", "n4", "n5"} {
		h.books("p1", domain.Claim{}, map[string]int64{name: 0})
	}
}

func TestRefusedWithNowhereElseToGo(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.step(h.loops.Prepare)
	hostID, r := h.reportOf(id, domain.PhaseRefused)
	r.Message = "the disk is full"
	h.send(hostID, r)
	h.step(h.loops.Prepare)
	row := h.wantStatus(id, domain.Error)
	if want := "There are not enough hosts available. Last: the disk is full"; row.StatusReason != want {
		t.Errorf("reason %q, want %q", row.StatusReason, want)
	}
	h.must(h.delete(id, control.DeleteRequest{}))
	h.step(h.loops.Release)
	if !h.gone(id) || h.nets.count() != 0 {
		t.Error("row or port is left")
	}
}

func TestLostByTheEngine(t *testing.T) {
	missing := func(h *house, id domain.ContainerID) {
		row := h.row(id)
		h.send(row.HostID, domain.Report{Container: id, Generation: row.Generation, Phase: domain.PhaseMissing})
	}
	t.Run("stays an error", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.running("web")
		missing(h, id)
		if row := h.wantStatus(id, domain.Error); row.StatusReason != "No such container: "+string(id) {
			t.Errorf("reason %q", row.StatusReason)
		}
		if h.step(h.loops.Heal) != 0 {
			t.Error("healed unasked")
		}
	})
	t.Run("heals itself once", func(t *testing.T) {
		h := newHouse(t)
		host := h.addHost("n1")
		id := h.running("web", func(r *control.CreateRequest) { r.Spec.AutoHeal = true })
		missing(h, id)
		h.step(h.loops.Heal)
		h.wantStatus(id, domain.Rebuilding)
		h.step(h.loops.Prepare)
		if a := h.assignment(host.ID, id); a.Generation != 2 || !a.Op.Args.Run {
			t.Errorf("the host reads %+v", a)
		}
		h.failed(id, "no such image")
		h.wantStatus(id, domain.Error)
		if h.step(h.loops.Heal) != 0 {
			t.Error("a failed healing is repeated for ever")
		}
	})
	t.Run("removes itself", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.running("web", func(r *control.CreateRequest) { r.Spec.AutoRemove = true })
		missing(h, id)
		h.wantStatus(id, domain.Deleted)
		h.step(h.loops.Autoremove)
		h.released(id)
		if !h.gone(id) {
			t.Error("the row is left")
		}
	})
	t.Run("heals into what was asked meanwhile", func(t *testing.T) {
		h := newHouse(t)
		host := h.addHost("n1")
		id := h.running("web", func(r *control.CreateRequest) { r.Spec.AutoHeal = true })
		h.must(h.act(id, domain.VerbStop))
		h.done(id, domain.Stopped)
		h.must(h.act(id, domain.VerbStart))
		hostID, r := h.reportOf(id, domain.PhaseMissing)
		h.send(hostID, r)
		h.step(h.loops.Heal)
		h.step(h.loops.Prepare)
		if a := h.assignment(host.ID, id); a.Op == nil || a.Op.Verb != domain.VerbRebuild || !a.Op.Args.Run {
			t.Errorf("the host reads %+v", a.Op)
		}
	})
	t.Run("under an action", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.running("web")
		h.must(h.act(id, domain.VerbStop))
		hostID, r := h.reportOf(id, domain.PhaseMissing)
		h.send(hostID, r)
		h.wantStatus(id, domain.Error)
		actions, err := h.Actions(t.Context(), member(), control.Ref{Ident: "web"})
		h.must(err)
		if actions[0].State != domain.ActionFailed {
			t.Errorf("the stop is %s", actions[0].State)
		}
	})
}

func TestAutoremoveAfterTheEnd(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("once", func(r *control.CreateRequest) { r.Spec.AutoRemove = true })
	kept := h.running("kept")
	h.observed(id, domain.Stopped)
	h.observed(kept, domain.Stopped)
	if n := h.step(h.loops.Autoremove); n != 1 {
		t.Errorf("removed %d", n)
	}
	h.released(id)
	if !h.gone(id) || h.gone(kept) {
		t.Error("the wrong ones are gone")
	}
}

func TestAssignmentsAreOnlyWhatChanged(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	h.running("a")
	_, reached, err := h.Assignments(t.Context(), host.ID, 0)
	h.must(err)
	changed, same, err := h.Assignments(t.Context(), host.ID, reached)
	h.must(err)
	if len(changed) != 0 || same != reached {
		t.Errorf("%d changed, revision %d after %d", len(changed), same, reached)
	}
	b := h.create("b")
	h.step(h.loops.Prepare)
	changed, next, err := h.Assignments(t.Context(), host.ID, reached)
	h.must(err)
	if len(changed) != 1 || changed[0].Container != b || next <= reached {
		t.Errorf("changed %+v, revision %d", changed, next)
	}
}

func TestImageAndSecretOfAnAssignment(t *testing.T) {
	h := newHouse(t, func(o *control.Options) {
		o.DefaultRegistry = domain.PullSecret{Domain: "hub.example", Username: "u", Password: "p"}
	})
	host := h.addHost("n1")
	registry, err := h.CreateRegistry(t.Context(), member(), domain.Registry{Name: "mine", Domain: "reg.example:5000", Username: "me"}, "secret")
	h.must(err)
	h.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Registries().Find(ctx, control.Everything(), registry.ID)
		if string(found[0].SealedPassword) == "secret" {
			t.Error("the password lies open in the store")
		}
		return err
	})
	for _, c := range []struct {
		name, image, registry, wantImage, wantUser string
	}{
		{"a", "cirros", "", "hub.example/cirros", "u"},
		{"b", "other.example/cirros", "", "other.example/cirros", ""},
		{"c", "library/cirros:1", "mine", "reg.example:5000/library/cirros:1", "me"},
		{"d", "localhost/cirros", "mine", "localhost/cirros", ""}, // not to another registry
		{"e", "reg.example:5000/cirros", "mine", "reg.example:5000/cirros", "me"},
	} {
		id := h.create(c.name, func(r *control.CreateRequest) { r.Spec.Image, r.Registry = c.image, c.registry })
		h.step(h.loops.Prepare)
		a := h.assignment(host.ID, id)
		user := ""
		if a.Secret != nil {
			user = a.Secret.Username
		}
		if a.Spec.Image != c.wantImage || user != c.wantUser {
			t.Errorf("%s: image %q by %q", c.image, a.Spec.Image, user)
		}
		if c.wantUser == "me" && a.Secret.Password != "secret" {
			t.Errorf("%s: the password does not open", c.image)
		}
		h.done(id, domain.Running)
		if a := h.assignment(host.ID, id); a.Secret != nil {
			t.Errorf("%s: the secret goes on after the pull", c.image)
		}
		if h.row(id).Spec.Image != c.image {
			t.Errorf("the user's word became %q", h.row(id).Spec.Image)
		}
	}
	wantFault(t, h.DeleteRegistry(t.Context(), member(), "mine"), domain.Conflict,
		"Failed to delete registry mine since it is in use.")
}
