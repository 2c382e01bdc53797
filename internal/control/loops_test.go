package control_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func beat(h *house, host domain.Host) domain.BeatAnswer {
	h.t.Helper()
	answer, err := h.Beat(h.t.Context(), domain.Beat{HostID: host.ID, BootID: "b", Inventory: host.Inventory})
	h.must(err)
	return answer
}

func TestExpire(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	running, creating := h.running("run"), h.create("new")
	stopped := h.stands(host, domain.Stopped, 1)
	deleting := h.stands(host, domain.Deleting, 2)
	beat(h, host)

	h.store.step(170 * time.Second)
	if h.step(h.loops.Expire) != 0 {
		t.Error("expired before the down-time")
	}
	h.store.step(time.Minute)
	if n := h.step(h.loops.Expire); n != 2 {
		t.Errorf("expired %d", n)
	}
	if row := h.wantStatus(running, domain.Unknown); row.FormerStatus != domain.Running {
		t.Errorf("former status %q", row.FormerStatus)
	}
	h.wantStatus(stopped, domain.Unknown)
	h.wantStatus(creating, domain.Creating)
	h.wantStatus(deleting, domain.Deleting)
	if h.step(h.loops.Expire) != 0 {
		t.Error("expired twice")
	}
	if h.step(h.loops.Settle) != 0 {
		t.Error("settled with a silent host")
	}

	h.store.step(-230 * time.Second) // the host is back
	beat(h, host)
	h.nodes.seen = domain.Observation{Status: domain.Running}
	if n := h.step(h.loops.Settle); n != 2 {
		t.Errorf("settled %d", n)
	}
	if row := h.wantStatus(running, domain.Running); row.FormerStatus != "" {
		t.Errorf("former status %q", row.FormerStatus)
	}
	h.wantStatus(stopped, domain.Running) // the truth, whatever it was before
}

// TestAnAnswerYieldsToNews has the host tell of a stop between being asked what it
// sees and the writing down of its answer.
func TestAnAnswerYieldsToNews(t *testing.T) {
	h := newHouse(t)
	id := h.stands(h.addHost("n1"), domain.Unknown, 1)
	h.nodes.seen = domain.Observation{Status: domain.Running}
	h.nodes.answer = func(string) error {
		h.observed(id, domain.Stopped)
		return nil
	}
	if h.step(h.loops.Settle) != 0 {
		t.Error("the older answer was taken")
	}
	h.wantStatus(id, domain.Stopped)
}

// TestAHostThatDoesNotTellHoldsNobodyUp has a host that beats and does not answer before the
// other was asked.
func TestAHostThatDoesNotTellHoldsNobodyUp(t *testing.T) {
	h := newHouse(t)
	deaf := h.stands(h.addHost("n1"), domain.Unknown, 1)
	id := h.stands(h.addHost("n2"), domain.Unknown, 2)
	h.nodes.seen = domain.Observation{Status: domain.Running}
	var asked atomic.Int32
	other := make(chan struct{})
	h.nodes.answer = func(string) error {
		if asked.Add(1) == 2 {
			close(other)
			return nil
		}
		select {
		case <-other:
		case <-time.After(10 * time.Second):
			t.Error("the other host was not asked meanwhile")
		}
		return domain.NewFault(domain.Timeout, "timeout", "the host did not answer in time")
	}
	if n := h.step(h.loops.Settle); n != 1 {
		t.Errorf("settled %d", n)
	}
	statuses := []domain.Status{h.row(deaf).Status, h.row(id).Status}
	slices.Sort(statuses) // who is asked first is left open
	if !slices.Equal(statuses, []domain.Status{domain.Running, domain.Unknown}) {
		t.Errorf("left %v", statuses)
	}
}

func TestExpireNeedsAHearingControlPlane(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	h.store.step(time.Hour)
	h.step(h.loops.Expire) // just started: it has heard nothing yet
	h.wantStatus(id, domain.Running)

	beat(h, host)
	h.store.breakWith(domain.NewFault(domain.Unavailable, "x", "the database is away"))
	if _, err := h.Beat(t.Context(), domain.Beat{HostID: host.ID}); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("a beat without a database: %v", err)
	}
	h.store.step(time.Hour)
	if _, err := h.loops.Expire(t.Context()); err == nil {
		t.Error("expire without a database succeeded")
	}
	h.store.breakWith(nil)
	h.step(h.loops.Expire) // the database was away as long as the beats were
	h.wantStatus(id, domain.Running)

	beat(h, host)
	h.store.step(time.Hour) // heard for a full down-time, and then nothing
	hungUp, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := h.Beat(hungUp, domain.Beat{HostID: host.ID}); err == nil {
		t.Error("a beat whose agent hung up was answered")
	}
	if h.step(h.loops.Expire) != 1 {
		t.Error("a silent host was not noticed")
	}
}

func TestForcedDownIsNoProof(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.ServiceDownTime = 0 })
	host := h.addHost("n1")
	id := h.stands(host, domain.Running, 1)
	h.reopen()
	yes := true
	_, err := h.SetService(t.Context(), "n1", "zun-compute", control.ServiceChange{ForcedDown: &yes})
	h.must(err)
	beat(h, host)
	h.step(h.loops.Expire)
	h.wantStatus(id, domain.Running)
	wantFault(t, h.verbLogs(id), domain.Unavailable, "The host of container "+string(id)+" is not up.")
}

func (h *house) verbLogs(id domain.ContainerID) error {
	return h.Logs(h.t.Context(), member(), control.Ref{Ident: string(id)}, domain.LogQuery{},
		func(domain.LogStream, []byte) error { return nil })
}

func TestBeatsAreWrittenOnlyWhenTheyTellSomething(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	if answer := beat(h, host); answer.NextIn != 15*time.Second || answer.Drain {
		t.Errorf("answer %+v", answer)
	}
	writes := h.store.writes
	beat(h, host)
	if h.store.writes != writes {
		t.Error("a beat that tells nothing was written")
	}
	host.Inventory.EngineUp = false
	beat(h, host)
	h.store.step(100 * time.Second)
	beat(h, host)
	if got := h.store.writes - writes; got != 2 {
		t.Errorf("%d beats written", got)
	}
	if _, err := h.Beat(t.Context(), domain.Beat{HostID: "stranger"}); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("a stranger's beat: %v", err)
	}
}

// impatient reopens the house with deadlines that have always passed.
func (h *house) impatient() {
	h.reopen(func(o *control.Options) { o.ActionSilence = 0 })
}

func TestOverdueCreateIsAnErrorAndItsGenerationIsCanceled(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.create("web")
	h.step(h.loops.Prepare)
	if h.step(h.loops.Overdue) != 0 {
		t.Error("overdue at once")
	}
	hostID, late := h.reportOf(id, domain.PhaseDone)
	late.Seen = &domain.Observation{Status: domain.Running, EngineID: "late"}
	h.impatient()
	if h.step(h.loops.Overdue) != 1 {
		t.Fatal("not overdue")
	}
	if row := h.wantStatus(id, domain.Error); row.StatusReason != "The create made no progress for too long." || row.Generation != 2 {
		t.Errorf("got %+v", row)
	}
	if !h.send(hostID, late) {
		t.Error("the late result was adopted")
	}
	h.wantStatus(id, domain.Error)
	if a := h.assignment(host.ID, id); a.Op != nil || a.Want.Running || a.EverCreated {
		t.Errorf("the host reads %+v", a)
	}
	h.must(h.delete(id, control.DeleteRequest{}))
	h.released(id)
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}

func TestOverdueVerbs(t *testing.T) {
	t.Run("a begun kill has an unknown outcome", func(t *testing.T) {
		h := newHouse(t)
		id := h.stands(h.addHost("n1"), domain.Running, 1)
		h.must(h.act(id, domain.VerbKill))
		hostID, r := h.reportOf(id, domain.PhaseBegun)
		h.send(hostID, r)
		h.impatient()
		h.step(h.loops.Overdue)
		row := h.wantStatus(id, domain.Running)
		if want := "The kill made no progress for too long. Its outcome is unknown."; row.StatusReason != want || row.TaskState != domain.Idle {
			t.Errorf("got %+v", row)
		}
	})
	t.Run("the next of the queue has its turn", func(t *testing.T) {
		h := newHouse(t)
		id := h.stands(h.addHost("n1"), domain.Running, 1)
		h.must(h.act(id, domain.VerbPause))
		h.must(h.act(id, domain.VerbUnpause))
		h.impatient()
		if n := h.step(h.loops.Overdue); n != 1 {
			t.Errorf("%d ended", n)
		}
		h.wantStatus(id, domain.Running)
	})
	t.Run("a delete is sent again", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		id := h.running("web")
		h.must(h.delete(id, control.DeleteRequest{Stop: true}))
		h.impatient()
		h.store.step(-time.Hour)
		h.step(h.loops.Overdue)
		h.wantStatus(id, domain.Deleting)
		wakes := h.nodes.wakes()
		h.step(h.loops.Prepare)
		if h.nodes.wakes() != wakes+1 {
			t.Error("the host was not woken again")
		}
		h.released(id)
		if !h.gone(id) {
			t.Error("the row is left")
		}
	})
}

func TestPrepareAfterACrashBetweenPortsAndCommit(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.create("web")
	h.nets.before = func(domain.Container) { h.store.breakWith(errors.New("power loss")) }
	if _, err := h.loops.Prepare(t.Context()); err == nil {
		t.Fatal("the crash went unnoticed")
	}
	h.store.breakWith(nil)
	h.reopen()
	if h.step(h.loops.Prepare) != 0 {
		t.Error("a lease was ignored")
	}
	h.leasesEnd(id)
	h.step(h.loops.Prepare)
	if a := h.assignment(host.ID, id); a == nil || len(a.Nics) != 1 || h.nets.made != 1 {
		t.Errorf("the host reads %+v after %d ports", a, h.nets.made)
	}
	h.done(id, domain.Running)
}

// leasesEnd lets the time of every lease on a container pass.
func (h *house) leasesEnd(id domain.ContainerID) {
	h.write(func(ctx context.Context, tx control.Tx) error {
		queue, err := tx.Actions().Queue(ctx, id)
		for _, a := range queue {
			a.LeaseUntil = time.Time{}
			err = tx.Actions().Update(ctx, a)
		}
		return err
	})
}

func TestTwoReplicasPrepareOnce(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	first := h.loops
	h.reopen()
	h.nets.before = func(domain.Container) {
		if h.step(h.loops.Prepare) != 0 {
			t.Error("both replicas took the action")
		}
	}
	h.step(first.Prepare)
	h.done(id, domain.Running)
}

func TestALostLeaseWritesNothing(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	slow := h.loops
	h.reopen()
	h.nets.before = func(domain.Container) { // the slow replica's lease ends and another takes over
		h.leasesEnd(id)
		h.step(h.loops.Prepare)
	}
	h.step(slow.Prepare)
	if h.nodes.wakes() != 1 || h.nets.made != 1 {
		t.Errorf("%d wakes, %d ports", h.nodes.wakes(), h.nets.made)
	}
	h.done(id, domain.Running)
}

func TestPrepareFailures(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	full := h.create("full")
	h.nets.fail(domain.NewFault(domain.Conflict, "no-more-ips", "No more addresses."))
	h.step(h.loops.Prepare)
	if row := h.wantStatus(full, domain.Error); row.StatusReason != "No more addresses." {
		t.Errorf("reason %q", row.StatusReason)
	}
	later := h.create("later")
	h.store.step(-time.Hour)
	h.nets.fail(domain.NewFault(domain.Unavailable, "x", "the network service does not answer"))
	h.step(h.loops.Prepare)
	h.wantStatus(later, domain.Creating)
	h.nets.fail(nil)
	h.step(h.loops.Prepare)
	if h.assignment(host.ID, later) == nil {
		t.Error("it was not tried again")
	}
}

func TestSweep(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.running("web")
	h.nets.ports["00000000-0000-4000-8000-00000000dead"] = []domain.Nic{{PortID: "p"}}
	h.write(func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Quotas().Use(ctx, "p1", domain.Claim{Containers: 5}, domain.Quota{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1})
		return err
	})
	if n := h.step(h.loops.Sweep); n != 2 {
		t.Errorf("swept %d", n)
	}
	if h.nets.count() != 1 {
		t.Errorf("%d ports are left", h.nets.count())
	}
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, nil)
}

func TestRunCarriesAContainerFromCreateToDelete(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { h.loops.Run(ctx); close(ended) }()
	id := h.create("web")
	h.eventually(func() bool { return h.assignment(host.ID, id) != nil })
	h.done(id, domain.Running)
	h.must(h.delete(id, control.DeleteRequest{Stop: true}))
	hostID, r := h.reportOf(id, domain.PhaseReleased)
	h.send(hostID, r)
	h.eventually(func() bool { return h.gone(id) })
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the loops do not end")
	}
	if h.meter.count("prepare done") != 1 || h.meter.count("release done") != 1 || h.meter.count("prepare steps") == 0 {
		t.Errorf("measured %v", h.meter.counts)
	}
}

func (h *house) eventually(is func() bool) {
	h.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatal("it did not happen in 10 seconds")
		}
	}
}
