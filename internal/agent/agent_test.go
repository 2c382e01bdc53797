package agent_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

func TestCreateAndRun(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	h.order(domain.VerbCreate, run, up, func(a *domain.Assignment) {
		a.Spec.Hostname = "test"
		a.Nics[0].DNS = []string{"10.0.0.1"}
	})
	r := h.done(domain.PhaseDone)
	if r.Seen == nil || r.Seen.Status != domain.Running || r.Seen.EngineID == "" || r.Seen.StartedAt.IsZero() {
		t.Errorf("seen is %+v", r.Seen)
	}
	if !slices.Equal(r.Seen.NicsPlugged, []string{"p1"}) {
		t.Errorf("plugged are %v", r.Seen.NicsPlugged)
	}
	for name, want := range map[string]string{"hosts": "localhost", "hostname": "test\n", "resolv.conf": "nameserver 10.0.0.1\n"} {
		content, err := os.ReadFile(filepath.Join(h.state, "containers", "c1", name))
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s holds %q, %v", name, content, err)
		}
	}
}

// TestCreateAsksNothingTwice holds the budget of a create: the engine calls that
// anybody would need, and not one more.
func TestCreateAsksNothingTwice(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.engine.images["cirros"] = true
	h.begin()
	h.await("the adoption", 0, func() bool { return h.control.lastBeat().Sequence > 0 && h.engine.count("list") == 1 })
	h.engine.mu.Lock()
	h.engine.calls = nil
	h.engine.mu.Unlock()
	var calls []string
	h.order(domain.VerbCreate, run, up, func(a *domain.Assignment) { a.Spec.PullPolicy = domain.PullIfNotPresent })
	h.done(domain.PhaseDone)
	h.engine.mu.Lock()
	calls = append(calls, h.engine.calls...)
	h.engine.mu.Unlock()
	upTo := slices.Index(calls, "start")
	before := slices.Sorted(slices.Values(calls[:upTo+1]))
	if want := []string{"create", "ensure", "present", "stage", "start"}; !slices.Equal(before, want) {
		t.Errorf("a create made the calls %v, want %v", calls, want)
	}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	h.order(domain.VerbCreate)
	if r := h.done(domain.PhaseDone); r.Seen.Status != domain.Created {
		t.Errorf("created is %s", r.Seen.Status)
	}
	steps := []struct {
		verb domain.Verb
		want domain.Want
		seen domain.Status
	}{
		{domain.VerbStart, domain.Want{Running: true}, domain.Running},
		{domain.VerbPause, domain.Want{Running: true, Paused: true}, domain.Paused},
		{domain.VerbUnpause, domain.Want{Running: true}, domain.Running},
		{domain.VerbReboot, domain.Want{Running: true}, domain.Running},
		{domain.VerbUpdate, domain.Want{Running: true}, domain.Running},
		{domain.VerbStop, domain.Want{}, domain.Stopped},
		{domain.VerbStart, domain.Want{Running: true}, domain.Running},
		{domain.VerbKill, domain.Want{Running: true}, domain.Stopped},
	}
	for _, step := range steps {
		h.order(step.verb, func(a *domain.Assignment) { a.Want = step.want })
		r := h.done(domain.PhaseDone)
		if r.Seen == nil || r.Seen.Status != step.seen || h.engine.status("c1") != step.seen {
			t.Fatalf("after %s control saw %+v, the engine has %s", step.verb, r.Seen, h.engine.status("c1"))
		}
	}
	if n := h.control.count("c1", domain.PhaseBegun); n != 1 || h.engine.count("kill") != 1 {
		t.Errorf("kill was begun %d times and sent %d times", n, h.engine.count("kill"))
	}
	h.order(domain.VerbDelete, absent, stopFirst)
	h.done(domain.PhaseReleased)
	h.clean()
	h.await("the rules to be fitted", time.Second, func() bool { return h.nets.syncs() > 1 })
}

// TestRulesAreFittedAgain has nobody tell the agent that the host's firewall was loaded anew.
func TestRulesAreFittedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.control.setDown(true)
	h.begin()
	start := h.clock.Now()
	h.await("an hour to pass", time.Minute, func() bool { return h.clock.Now().Sub(start) > time.Hour })
	if h.nets.syncs() != 0 {
		t.Fatal("the rules were fitted to nothing before it was known what is in use")
	}
	h.control.setDown(false)
	h.await("control to answer", time.Second, func() bool { return h.nets.syncs() > 0 })
	h.running()
	before := h.nets.syncs()
	h.await("the rules to be fitted again", 10*time.Second, func() bool { return h.nets.syncs() > before+3 })
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	old, _ := h.engine.find("c1", false)
	h.order(domain.VerbRebuild, second, fresh, run)
	h.done(domain.PhaseDone)
	rebuilt, _ := h.engine.find("c1", false)
	if rebuilt.EngineID == old.EngineID || rebuilt.Generation != 2 || rebuilt.State.Status != domain.Running {
		t.Errorf("rebuilt is %+v", rebuilt)
	}
	h.engine.fail("pull", domain.NewFault(domain.NotFound, "image-not-found", "Image gone could not be found"))
	h.order(domain.VerbRebuild, fresh, run, func(a *domain.Assignment) { a.Generation = 3 })
	r := h.done(domain.PhaseFailed)
	if h.engine.status("c1") != domain.Running {
		t.Error("a rebuild whose image cannot be had cost the container")
	}
	if r.Seen == nil || r.Seen.Status != domain.Running || r.Seen.EngineID != rebuilt.EngineID {
		t.Errorf("the report tells of %+v, not of the former container", r.Seen)
	}
	h.engine.fail("start", domain.NewFault(domain.Invalid, "invalid", "no such command"))
	h.order(domain.VerbRebuild, fresh, run, func(a *domain.Assignment) { a.Generation = 4 })
	if r := h.done(domain.PhaseFailed); r.Seen != nil {
		t.Errorf("nothing is left, but the report tells of %+v", r.Seen)
	}
}

func TestPortNotYetActive(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	want := h.order(domain.VerbCreate, run, up, notReady)
	h.await("the port to be told", 0, func() bool {
		r, ok := h.control.last("c1", domain.PhaseProgress)
		return ok && r.Seen != nil && slices.Equal(r.Seen.NicsPlugged, []string{"p1"})
	})
	if h.engine.count("start") != 0 {
		t.Fatal("a process started before its port was active")
	}
	want.Nics = []domain.Nic{{PortID: "p1", Ready: true}}
	h.agent.Wake(h.control.assign(want))
	if r := h.done(domain.PhaseDone); r.Seen.Status != domain.Running || h.engine.count("create") != 1 {
		t.Errorf("seen is %+v after %d creations", r.Seen, h.engine.count("create"))
	}
}

func TestCreateFails(t *testing.T) {
	t.Parallel()
	fault := func(kind domain.FaultKind, message string) error { return domain.NewFault(kind, "x", "%s", message) }
	tests := []struct {
		name  string
		call  string
		err   error
		phase domain.ReportPhase
	}{
		{"image not found", "pull", fault(domain.NotFound, "Image cirros could not be found"), domain.PhaseFailed},
		{"registry refused", "pull", fault(domain.Forbidden, "the registry refused the credential"), domain.PhaseFailed},
		{"registry unreachable", "pull", fault(domain.Unavailable, "the registry cannot be reached"), domain.PhaseFailed},
		{"disk full", "create", fault(domain.Invalid, "no space left on device"), domain.PhaseFailed},
		{"command not found", "start", fault(domain.Invalid, "exec: nosuch: executable file not found"), domain.PhaseFailed},
		{"sandbox refused", "ensure", fault(domain.Invalid, "unknown runtime"), domain.PhaseFailed},
		{"engine down", "stage", errEngineDown, domain.PhaseRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t).begin()
			h.engine.fail(test.call, test.err)
			h.order(domain.VerbCreate, run, up)
			r := h.done(test.phase)
			if r.Message != domain.AsFault(test.err).Message || r.Seen != nil {
				t.Errorf("reported %q, seen %+v", r.Message, r.Seen)
			}
			h.clean()
			h.order(domain.VerbCreate, run, up)
			h.done(domain.PhaseDone) // the next request works
		})
	}
}

func TestNetworkFails(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.nets.faults = []error{domain.NewFault(domain.Conflict, "address-in-use", "the address is in use")}
	h.begin().order(domain.VerbCreate, run, up)
	if r := h.done(domain.PhaseFailed); r.Message != "the address is in use" {
		t.Errorf("reported %q", r.Message)
	}
	h.clean()
	if h.engine.count("start") != 0 {
		t.Error("a process started although its network failed")
	}
}

func TestUndoIsRetried(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.nets.stuck = []error{domain.NewFault(domain.Internal, "x", "busy"), domain.NewFault(domain.Internal, "x", "busy")}
	h.engine.fail("start", domain.NewFault(domain.Invalid, "x", "no such command"))
	h.begin().order(domain.VerbCreate, run, up)
	h.done(domain.PhaseFailed)
	h.await("the undo", 100*time.Millisecond, func() bool {
		_, left := h.engine.find("c1", true)
		_, err := os.Stat(filepath.Join(h.state, "containers", "c1")) // the files go last
		return !left && h.nets.plugs() == 0 && os.IsNotExist(err)
	})
	h.clean()
}

func TestUnknownRequirementIsRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	h.order(domain.VerbCreate, run, func(a *domain.Assignment) { a.Requires = []string{"teleport"} })
	if r := h.done(domain.PhaseRefused); !strings.Contains(r.Message, "teleport") {
		t.Errorf("reported %q", r.Message)
	}
	h.clean()
}

func TestWakesAreRepeatedAndOld(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	for range 5 {
		h.agent.Wake(1)
	}
	same := h.control.current("c1")
	same.Op = &domain.Op{ActionID: h.op, Epoch: h.op * 10, Verb: domain.VerbCreate, Args: domain.ActionArgs{Run: true}}
	h.agent.Wake(h.control.assign(same)) // the same action again, as if the report were on its way
	h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want = domain.Want{} })
	h.done(domain.PhaseDone)
	if h.engine.count("start") != 1 || h.control.count("c1", domain.PhaseDone) != 2 {
		t.Errorf("%d starts, told %v", h.engine.count("start"), h.control.told("c1"))
	}
}

func TestStaleEpoch(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.control.setDown(true)
	h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want = domain.Want{} }) // not read: control is down
	// Control gives the action to a new epoch before the host could read the old one.
	renewed := h.control.current("c1")
	renewed.Op.Epoch++
	rev := h.control.assign(renewed)
	h.control.setDown(false)
	h.agent.Wake(rev)
	h.await("the stop", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseDone) == 2 })
	if r, _ := h.control.last("c1", domain.PhaseDone); r.Epoch != renewed.Op.Epoch {
		t.Errorf("reported epoch %d, want %d", r.Epoch, renewed.Op.Epoch)
	}
}

// TestRevisionOfAnotherHost has a container seen under the number that its former host
// counted to, before it is shown here under this host's own, lower one.
func TestRevisionOfAnotherHost(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	want := firstOrder()
	h.control.keep(want, 500)
	h.begin()
	h.await("the first reading", 0, func() bool { return h.control.readings() > 0 })
	h.order(domain.VerbCreate, run, up)
	h.done(domain.PhaseDone)
}

func TestControlDownAndBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.engine.images["cirros"] = true
	gate := make(chan struct{})
	h.hands = gatedHands(gate, "start")
	h.begin().order(domain.VerbCreate, run, up)
	h.await("the object", 0, func() bool { return h.engine.count("create") == 1 })
	h.control.setDown(true)
	close(gate)
	h.await("the start", 0, func() bool { return h.engine.status("c1") == domain.Running })
	h.control.setDown(false)
	h.await("the report", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseDone) == 1 })
}

func TestLostAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.control.mu.Lock()
	h.control.silent = true
	h.control.mu.Unlock()
	h.order(domain.VerbDelete, absent)
	h.await("the release", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseReleased) == 1 })
	h.control.mu.Lock()
	h.control.silent = false
	h.control.mu.Unlock()
	h.await("the container to be forgotten", 100*time.Millisecond, func() bool {
		h.nets.mu.Lock()
		defer h.nets.mu.Unlock()
		return len(h.nets.fitted) > 0 && len(h.nets.fitted[len(h.nets.fitted)-1]) == 0
	})
	h.clean()
}

// A share of a gigabyte stays with the containers: what is kept is whole.
func TestAShareOfTheDiskIsKeptForImages(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	h.await("a beat", 100*time.Millisecond, func() bool { return h.control.lastBeat().Inventory.EngineUp })
	if disk := h.control.lastBeat().Inventory.DiskGB; disk != 81 {
		t.Errorf("of 101 GB, a fifth of which is for images, %d are offered", disk)
	}
	h.clean()
}

func TestEngineDownAndBack(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.setDown(true)
	h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want = domain.Want{} })
	h.await("a beat that tells", 100*time.Millisecond, func() bool { return h.control.lastBeat().Inventory.EngineReason != "" })
	h.engine.setDown(false)
	h.await("the stop", 100*time.Millisecond, func() bool { return h.engine.status("c1") == domain.Stopped })
	h.done(domain.PhaseDone)

	h.engine.setDown(true)
	h.order(domain.VerbStart, up)
	h.await("the end of patience", time.Second, func() bool { return h.control.count("c1", domain.PhaseFailed) == 1 })
}

// TestEngineLostInACreate loses the engine while it makes the sandbox: the create waits for
// it to return, because another host would not take away what may stand here.
func TestEngineLostInACreate(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	h.engine.fail("stage", domain.NewFault(domain.Unavailable, agent.CodeLost, "the container engine does not answer"))
	h.engine.fail("inspect", errEngineDown)
	h.order(domain.VerbCreate, run, up)
	h.await("the process", 100*time.Millisecond, func() bool { return h.engine.status("c1") == domain.Running })
	h.done(domain.PhaseDone)
	if n := h.control.count("c1", domain.PhaseRefused); n != 0 {
		t.Errorf("the create was refused %d times", n)
	}
}

func TestEventsAfterTheStreamBroke(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.setDown(true)
	h.engine.setDown(false)
	h.engine.mu.Lock()
	watch := h.engine.watch
	h.engine.mu.Unlock()
	if watch == nil {
		h.engine.exit("c1", 3) // nobody listens: only the new listing can tell
	}
	h.await("the end to be told", 100*time.Millisecond, func() bool {
		r, ok := h.control.last("c1", domain.PhaseObserved)
		return ok && r.Seen.Status == domain.Stopped && *r.Seen.ExitCode == 3
	})
}

func TestExitIsObserved(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.exit("c1", 7)
	h.await("the exit", 0, func() bool {
		r, ok := h.control.last("c1", domain.PhaseObserved)
		return ok && r.Seen.Status == domain.Stopped && *r.Seen.ExitCode == 7
	})
	if h.engine.count("start") != 1 {
		t.Error("a container without a policy was restarted")
	}
}

func TestLostObject(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.lose(isMember)
	h.await("the loss", 0, func() bool { return h.control.count("c1", domain.PhaseMissing) == 1 })
	h.order(domain.VerbStart, up)
	if r := h.done(domain.PhaseMissing); !strings.Contains(r.Message, "No such container") {
		t.Errorf("reported %q", r.Message)
	}
	if h.engine.count("create") != 1 {
		t.Error("a lost object was made again")
	}
}

func TestHolderKilled(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	before, _ := h.engine.find("c1", true)
	h.engine.killHolder("c1")
	h.await("a new sandbox with the old port", 0, func() bool {
		now, ok := h.engine.find("c1", true)
		return ok && now.EngineID != before.EngineID && h.nets.holds("c1", now.NetNS) && h.engine.status("c1") == domain.Running
	})
	if h.engine.count("stop") != 1 || h.engine.count("start") != 2 {
		t.Errorf("%d stops and %d starts", h.engine.count("stop"), h.engine.count("start"))
	}
}

func TestReconnectTellsAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	before := h.control.count("c1", domain.PhaseObserved)
	h.control.setDown(true)
	h.await("a lost beat", 100*time.Millisecond, func() bool { return h.clock.Now().Sub(noon) > 30*time.Second })
	h.control.setDown(false)
	h.await("the same again", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseObserved) > before })
}

func TestOrphansAreToldAndLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.end()
	h.control.vanish("c1")
	h.begin()
	h.await("the orphan", time.Second, func() bool { return slices.Equal(h.control.lastBeat().Orphans, []string{"c1"}) })
	if h.engine.status("c1") != domain.Running {
		t.Error("an orphan was touched")
	}
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.fail("remove", domain.NewFault(domain.Internal, "x", "device busy"))
	h.order(domain.VerbDelete, absent, func(a *domain.Assignment) { a.Op.ActionID, a.Op.Epoch = 0, 0 })
	h.await("the release", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseReleased) == 1 })
	h.clean()
}

func TestFailedDeleteIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.fail("remove", domain.NewFault(domain.Internal, "x", "device busy"))
	h.order(domain.VerbDelete, absent)
	if r := h.done(domain.PhaseFailed); r.Message != "device busy" {
		t.Errorf("reported %q", r.Message)
	}
	h.order(domain.VerbDelete, absent) // control tries again
	h.done(domain.PhaseReleased)
	h.clean()
}

func TestLongGraceIsNoSilence(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	gate := make(chan struct{})
	h.hands = gatedHands(gate, plan.StepStop)
	h.begin().running()
	grace := 600
	h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want, a.Op.Args.TimeoutSeconds = domain.Want{}, &grace })
	h.await("a sign of life", time.Second, func() bool {
		r, ok := h.control.last("c1", domain.PhaseProgress)
		return ok && r.ActionID == h.op && r.TaskState == domain.ContainerStopping
	})
	close(gate)
	h.done(domain.PhaseDone)
}

func TestRunNeedsItsParts(t *testing.T) {
	t.Parallel()
	if err := agent.New(agent.Deps{}).Run(t.Context()); err == nil {
		t.Error("an agent without an engine runs")
	}
}
