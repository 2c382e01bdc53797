package control_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// stands puts a settled container in status onto a host, as an earlier life left it.
func (h *house) stands(host domain.Host, status domain.Status, n int) domain.ContainerID {
	h.t.Helper()
	c := domain.Container{
		ID: domain.ContainerID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)), ProjectID: "p1", UserID: "u1",
		Spec:   domain.Spec{Name: fmt.Sprintf("c%d", n), Image: "cirros", CPU: 1, MemoryMB: 64, Interactive: true},
		Status: status, HostID: host.ID, HostName: host.Name, Generation: 1, EverCreated: true, EngineID: "e",
	}
	h.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Containers().Insert(ctx, c); err != nil {
			return err
		}
		_, err := tx.Containers().Assign(ctx, c)
		return err
	})
	return c.ID
}

// verbs are all ways of asking something of a container, by the word of the table.
func verbs(ctx context.Context, h *house) map[domain.Verb]func(control.Ref) error {
	queued := func(verb domain.Verb) func(control.Ref) error {
		return func(ref control.Ref) error {
			cpu := 1.0
			_, err := h.Act(ctx, member(), ref, verb, domain.ActionArgs{CPU: &cpu})
			return err
		}
	}
	deleted := func(how control.DeleteRequest) func(control.Ref) error {
		return func(ref control.Ref) error { return h.Delete(ctx, member(), ref, how) }
	}
	name := "renamed"
	all := map[domain.Verb]func(control.Ref) error{
		domain.VerbDelete:          deleted(control.DeleteRequest{}),
		domain.VerbDeleteAfterStop: deleted(control.DeleteRequest{Stop: true}),
		domain.VerbDeleteForce:     deleted(control.DeleteRequest{Force: true}),
		domain.VerbUpdate: func(ref control.Ref) error {
			_, err := h.Update(ctx, member(), ref, control.Change{Name: &name})
			return err
		},
		domain.VerbRename: func(ref control.Ref) error {
			_, err := h.Rename(ctx, member(), ref, name)
			return err
		},
		domain.VerbCommit: func(ref control.Ref) error {
			_, err := h.Commit(ctx, member(), ref, "repo", "tag")
			return err
		},
		domain.VerbExecute: func(ref control.Ref) error {
			_, err := h.ExecRun(ctx, member(), ref, []string{"ls"})
			return err
		},
		domain.VerbExecuteResize: func(ref control.Ref) error { return h.ExecResize(ctx, member(), ref, "e1", 1, 1) },
		domain.VerbAttach: func(ref control.Ref) error {
			_, err := h.Attach(ctx, member(), ref)
			return err
		},
		domain.VerbResize: func(ref control.Ref) error { return h.Resize(ctx, member(), ref, 1, 1) },
		domain.VerbTop: func(ref control.Ref) error {
			_, err := h.Top(ctx, member(), ref, "")
			return err
		},
		domain.VerbStats: func(ref control.Ref) error {
			_, _, err := h.Stats(ctx, member(), ref)
			return err
		},
		domain.VerbLogs: func(ref control.Ref) error {
			return h.Logs(ctx, member(), ref, domain.LogQuery{}, func(domain.LogStream, []byte) error { return nil })
		},
		domain.VerbGetArchive: func(ref control.Ref) error {
			_, err := h.GetArchive(ctx, member(), ref, "/etc", func([]byte) error { return nil })
			return err
		},
		domain.VerbPutArchive: func(ref control.Ref) error { return h.PutArchive(ctx, member(), ref, "/", nil) },
	}
	for _, verb := range []domain.Verb{
		domain.VerbStart, domain.VerbStop, domain.VerbReboot, domain.VerbRebuild, domain.VerbPause, domain.VerbUnpause,
		domain.VerbKill, domain.VerbResizeContainer,
	} {
		all[verb] = queued(verb)
	}
	return all
}

func TestEveryVerbInEveryStatus(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.QuotaOff = true })
	host := h.addHost("n1")
	n := 0
	for verb, ask := range verbs(t.Context(), h) {
		for _, status := range domain.Statuses() {
			n++
			id := h.stands(host, status, n)
			err := ask(control.Ref{Ident: string(id)})
			if domain.Allowed(verb, status) {
				if err != nil {
					t.Errorf("%s in %s: %v", verb, status, err)
				}
				continue
			}
			wantFault(t, err, domain.Conflict, fmt.Sprintf("Cannot %s container %s in %s state", verb, id, status))
		}
	}
}

func TestQueuePredictsTheStatus(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.must(h.act(id, domain.VerbStop)) // will run by then
	h.must(h.act(id, domain.VerbStart))
	wantFault(t, h.act(id, domain.VerbUnpause), domain.Conflict, "Cannot unpause container "+string(id)+" in Creating state")
	h.step(h.loops.Prepare)
	h.done(id, domain.Running)
	if row := h.wantStatus(id, domain.Running); row.TaskState != domain.ContainerStopping || row.Want.Running {
		t.Errorf("the stop has no turn: %+v", row)
	}
	h.done(id, domain.Stopped)
	h.wantStatus(id, domain.Stopped)
	h.done(id, domain.Running)
	if row := h.wantStatus(id, domain.Running); row.TaskState != domain.Idle || !row.Want.Running {
		t.Errorf("not settled: %+v", row)
	}
}

func TestWhatTheQueueNoLongerAllowsFailsInItsTurn(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.must(h.act(id, domain.VerbPause))
	h.must(h.act(id, domain.VerbUnpause))
	h.step(h.loops.Prepare)
	h.failed(id, "no such image")
	row := h.wantStatus(id, domain.Error)
	if row.StatusReason != "no such image" || row.Want.Running {
		t.Errorf("got %+v", row)
	}
	actions, err := h.Actions(t.Context(), member(), control.Ref{Ident: "web"})
	h.must(err)
	for _, a := range actions {
		if a.State != domain.ActionFailed || a.Message != "Error" || a.FinishedAt.IsZero() {
			t.Errorf("%s ended as %+v", a.Verb, a)
		}
	}
	if want := "Cannot pause container " + string(id) + " in Error state"; actions[1].Reason != want {
		t.Errorf("reason %q, want %q", actions[1].Reason, want)
	}
}

func TestVerbsMoveStatusAndWant(t *testing.T) {
	for _, c := range []struct {
		verb     domain.Verb
		from     domain.Status
		accepted domain.Status
		seen     domain.Status
		end      domain.Status
		want     domain.Want
	}{
		{domain.VerbStart, domain.Stopped, domain.Stopped, domain.Running, domain.Running, domain.Want{Running: true}},
		{domain.VerbStop, domain.Running, domain.Running, domain.Stopped, domain.Stopped, domain.Want{}},
		{domain.VerbReboot, domain.Running, domain.Restarting, domain.Running, domain.Running, domain.Want{Running: true}},
		{domain.VerbPause, domain.Running, domain.Running, domain.Paused, domain.Paused, domain.Want{Paused: true}},
		{domain.VerbUnpause, domain.Paused, domain.Paused, domain.Running, domain.Running, domain.Want{}},
		{domain.VerbKill, domain.Running, domain.Running, domain.Running, domain.Running, domain.Want{}},
		{domain.VerbKill, domain.Running, domain.Running, domain.Stopped, domain.Stopped, domain.Want{}},
	} {
		t.Run(string(c.verb)+" to "+string(c.end), func(t *testing.T) {
			h := newHouse(t)
			id := h.stands(h.addHost("n1"), c.from, 1)
			h.must(h.act(id, c.verb))
			if row := h.wantStatus(id, c.accepted); row.TaskState != domain.TaskOf(c.verb) {
				t.Errorf("task %q", row.TaskState)
			}
			if h.nodes.wakes() != 1 {
				t.Errorf("%d wakes", h.nodes.wakes())
			}
			h.done(id, c.seen)
			if row := h.wantStatus(id, c.end); row.Want != c.want || row.TaskState != domain.Idle {
				t.Errorf("got %+v", row)
			}
		})
	}
}

func TestKillThatNobodyObservedStopsNothing(t *testing.T) {
	h := newHouse(t)
	id := h.stands(h.addHost("n1"), domain.Running, 1)
	h.must(h.act(id, domain.VerbKill))
	hostID, begun := h.reportOf(id, domain.PhaseBegun)
	h.send(hostID, begun)
	if a := h.assignment(hostID, id); !a.Op.Begun {
		t.Error("a restarted agent would kill again")
	}
	begun.Phase = domain.PhaseDone
	h.send(hostID, begun)
	h.wantStatus(id, domain.Running)
}

func TestRebuildBeginsAGeneration(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	ports := h.nets.made
	_, err := h.Act(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbRebuild, domain.ActionArgs{Image: "alpine"})
	h.must(err)
	h.wantStatus(id, domain.Rebuilding)
	if a := h.assignment(host.ID, id); a.Op != nil || a.Generation != 1 {
		t.Errorf("the host sees the rebuild before it is prepared: %+v", a)
	}
	h.step(h.loops.Prepare)
	a := h.assignment(host.ID, id)
	if a.Generation != 2 || a.EverCreated || a.Spec.Image != "alpine" || !a.Op.Args.Run || h.nets.made != ports {
		t.Errorf("the host reads %+v", a)
	}
	if row := h.row(id); row.Spec.Image != "cirros" {
		t.Errorf("before it is done the container is of image %s", row.Spec.Image)
	}
	h.done(id, domain.Running)
	if row := h.wantStatus(id, domain.Running); row.Spec.Image != "alpine" {
		t.Errorf("rebuilt, the container is of image %s", row.Spec.Image)
	}
}

// TestFailedRebuildKeepsTheFormer fails a rebuild before the former object was
// touched, as a pull that fails does, and then one that left nothing.
func TestFailedRebuildKeepsTheFormer(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	rebuild := func() (string, domain.Report) {
		_, err := h.Act(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbRebuild, domain.ActionArgs{Image: "gone"})
		h.must(err)
		h.step(h.loops.Prepare)
		hostID, r := h.reportOf(id, domain.PhaseFailed)
		r.Message = "Image gone could not be found."
		return hostID, r
	}
	hostID, r := rebuild()
	r.Seen = &domain.Observation{Status: domain.Running, EngineID: "engine-" + string(id)}
	h.send(hostID, r)
	row := h.wantStatus(id, domain.Running)
	if row.Generation != 1 || row.Spec.Image != "cirros" || row.StatusReason != r.Message || !row.EverCreated {
		t.Errorf("left %+v", row)
	}
	if a := h.assignment(host.ID, id); a.Op != nil || a.Generation != 1 || !a.Want.Running || !a.EverCreated {
		t.Errorf("the host reads %+v", a)
	}
	hostID, r = rebuild()
	h.send(hostID, r)
	if row := h.wantStatus(id, domain.Error); row.EverCreated || row.EngineID != "" {
		t.Errorf("nothing is left, but the row says %+v", row)
	}
}

func TestRebuildThatNeverReachedItsHostChangesNothing(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.must(h.act(id, domain.VerbRebuild))
	h.nets.fail(domain.NewFault(domain.Conflict, "conflict", "no address"))
	h.step(h.loops.Prepare)
	if row := h.wantStatus(id, domain.Running); row.Generation != 1 || !row.EverCreated || row.StatusReason != "no address" || !row.Want.Running {
		t.Errorf("left %+v", row)
	}
	h.nets.fail(domain.NewFault(domain.Unavailable, "away", "the network service does not answer"))
	h.must(h.act(id, domain.VerbRebuild))
	h.step(h.loops.Prepare)
	h.impatient()
	h.step(h.loops.Overdue)
	if row := h.wantStatus(id, domain.Running); row.Generation != 1 || !row.EverCreated || row.EngineID == "" || !row.Want.Running {
		t.Errorf("past its time it left %+v", row)
	}
}

func TestFailedAttachGivesItsPortBack(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	h.attach("web", "blue")
	h.step(h.loops.Prepare)
	if a := h.assignment(host.ID, id); a.Nics[0].Index != 0 || a.Nics[1].Index != 1 {
		t.Errorf("the interfaces are numbered %+v", a.Nics)
	}
	h.failed(id, "no room in the kernel")
	if a := h.assignment(host.ID, id); a.Op != nil || len(a.Nics) != 1 {
		t.Errorf("the host still reads %+v", a)
	}
	h.step(h.loops.Prepare)
	if a := h.assignment(host.ID, id); a.Op == nil || a.Op.Args.Gone == nil || a.Op.Args.Gone.NetworkID != "net-blue" || len(a.Nics) != 1 {
		t.Errorf("the host is not asked to unplug: %+v", a)
	}
	for range 2 { // it cannot, and then it is silent for long
		h.step(h.loops.Release)
		if len(h.nets.ports[id]) != 2 {
			t.Fatal("the port was given away while its host may have it plugged")
		}
		h.failed(id, "device busy")
		h.store.step(-time.Hour) // back-offs end at once
		h.step(h.loops.Prepare)
		h.impatient()
		h.step(h.loops.Overdue)
		h.reopen()
		h.step(h.loops.Prepare)
	}
	h.done(id, domain.Running)
	h.step(h.loops.Release)
	row := h.wantStatus(id, domain.Running)
	if len(row.Nics) != 1 || len(row.Resolved) != 1 || len(h.nets.ports[id]) != 1 || row.TaskState != domain.Idle || row.StatusReason != "no room in the kernel" {
		t.Errorf("left %+v and ports %+v", row, h.nets.ports[id])
	}
	actions, err := h.Actions(t.Context(), member(), control.Ref{Ident: "web"})
	h.must(err)
	if actions[0].State != domain.ActionFailed || actions[0].Message != "Error" || actions[0].Reason != "no room in the kernel" {
		t.Errorf("the record says %+v", actions[0])
	}
}

// TestAnAttachThatNobodyCanUndoGivesItsPortBack has the host leave the fleet.
func TestAnAttachThatNobodyCanUndoGivesItsPortBack(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	h.attach("web", "blue")
	h.step(h.loops.Prepare)
	h.failed(id, "no room in the kernel")
	h.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Delete(ctx, host.ID) })
	h.step(h.loops.Prepare)
	h.store.step(-time.Hour) // back-offs end at once
	h.impatient()
	h.step(h.loops.Overdue)
	h.reopen()
	h.step(h.loops.Release)
	if len(h.nets.ports[id]) != 1 {
		t.Errorf("left are ports %+v", h.nets.ports[id])
	}
}

func TestNetworkAttach(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	attach := func(network string) error {
		_, err := h.Rewire(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbNetworkAttach,
			domain.ActionArgs{Net: domain.NetRequest{Network: network}})
		return err
	}
	h.must(attach("blue"))
	h.step(h.loops.Prepare)
	if a := h.assignment(host.ID, id); len(a.Nics) != 2 || a.Op.Verb != domain.VerbNetworkAttach {
		t.Fatalf("the host reads %+v", a)
	}
	h.done(id, domain.Running)
	if row := h.wantStatus(id, domain.Running); len(row.Nics) != 2 || len(row.Resolved) != 2 {
		t.Errorf("got %+v", row)
	}
	wantFault(t, attach("blue"), domain.Invalid, "Network 'blue' is already connected to container '"+string(id)+"'.")
}

func TestNetworkDetach(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web", func(r *control.CreateRequest) {
		r.Spec.Nets = []domain.NetRequest{{Network: "red"}, {Network: "blue"}}
	})
	detach := func(network, port string) error {
		_, err := h.Rewire(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbNetworkDetach,
			domain.ActionArgs{Net: domain.NetRequest{Network: network, Port: port}})
		return err
	}
	wantFault(t, detach("green", ""), domain.Invalid, "Network 'green' is not attached to container '"+string(id)+"'.")
	wantFault(t, detach("", "p9"), domain.Invalid, "Port 'p9' is not attached to container '"+string(id)+"'.")
	h.must(detach("blue", ""))
	wantFault(t, detach("red", ""), domain.Conflict, "Cannot network_detach container "+string(id)+" in Running state")
	h.step(h.loops.Prepare)
	if a := h.assignment(host.ID, id); len(a.Nics) != 1 || a.Nics[0].NetworkID != "net-red" {
		t.Fatalf("the host reads %+v", a)
	}
	h.failed(id, "busy")
	if row := h.wantStatus(id, domain.Running); len(row.Nics) != 2 || len(row.Resolved) != 2 {
		t.Errorf("a failed detach left %+v", row.Nics)
	}
	h.must(detach("blue", ""))
	h.step(h.loops.Prepare)
	h.done(id, domain.Running)
	if len(h.nets.ports[id]) != 2 {
		t.Error("the port was given back before its turn")
	}
	if a := h.assignment(host.ID, id); a == nil || a.Op != nil {
		t.Errorf("meanwhile the host reads %+v", a)
	}
	h.step(h.loops.Release)
	row := h.wantStatus(id, domain.Running)
	if len(row.Nics) != 1 || len(row.Resolved) != 1 || len(h.nets.ports[id]) != 1 || row.TaskState != domain.Idle {
		t.Errorf("left %+v and ports %+v", row, h.nets.ports[id])
	}
}

func TestRefs(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.create("twin")
	h.create("twin")
	other := domain.Actor{UserID: "u2", ProjectID: "p2"}
	get := func(actor domain.Actor, ident string) error {
		_, err := h.Get(t.Context(), actor, control.Ref{Ident: ident})
		return err
	}
	h.must(get(member(), "web"))
	h.must(get(member(), string(id)))
	h.must(get(admin(), "web"))
	wantFault(t, get(other, "web"), domain.NotFound, "Container web could not be found.")
	wantFault(t, get(other, string(id)), domain.NotFound, "Container "+string(id)+" could not be found.")
	wantFault(t, get(member(), "we"), domain.NotFound, "Container we could not be found.")
	undashed := string(id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:])
	wantFault(t, get(member(), undashed), domain.NotFound, "Container "+undashed+" could not be found.")
	wantFault(t, get(member(), "twin"), domain.Conflict,
		"Multiple containers exist with same name. Please use the container uuid instead.")
	rows, err := h.List(t.Context(), admin(), control.ListRequest{})
	h.must(err)
	all, err := h.List(t.Context(), admin(), control.ListRequest{AllProjects: true})
	h.must(err)
	if len(rows) != 0 || len(all) != 3 {
		t.Errorf("an admin lists %d, and %d of all projects", len(rows), len(all))
	}
}
