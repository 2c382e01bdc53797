package agent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

// crash is one action during which the agent ends.
type crash struct {
	verb  domain.Verb
	order []func(*domain.Assignment)
	kinds []plan.StepKind
	from  []domain.Verb // what was done before
	phase domain.ReportPhase
	state domain.Status // at the end; empty: nothing stands
}

func crashes() []crash {
	return []crash{
		{
			verb: domain.VerbCreate, order: []func(*domain.Assignment){run, up}, phase: domain.PhaseDone, state: domain.Running,
			kinds: []plan.StepKind{plan.StepImage, plan.StepSandbox, plan.StepFiles, plan.StepNet, plan.StepCreate, plan.StepStart},
		},
		{
			verb: domain.VerbStop, order: []func(*domain.Assignment){down}, phase: domain.PhaseDone, state: domain.Stopped,
			kinds: []plan.StepKind{plan.StepStop}, from: []domain.Verb{domain.VerbCreate},
		},
		{
			verb: domain.VerbStart, order: []func(*domain.Assignment){up}, phase: domain.PhaseDone, state: domain.Running,
			kinds: []plan.StepKind{plan.StepFiles, plan.StepStart}, from: []domain.Verb{domain.VerbCreate, domain.VerbStop},
		},
		{
			verb: domain.VerbReboot, order: []func(*domain.Assignment){up}, phase: domain.PhaseDone, state: domain.Running,
			kinds: []plan.StepKind{plan.StepStop, plan.StepFiles, plan.StepStart}, from: []domain.Verb{domain.VerbCreate},
		},
		{
			verb: domain.VerbPause, order: []func(*domain.Assignment){up, frozen}, phase: domain.PhaseDone, state: domain.Paused,
			kinds: []plan.StepKind{plan.StepPause}, from: []domain.Verb{domain.VerbCreate},
		},
		{
			verb: domain.VerbUnpause, order: []func(*domain.Assignment){up, thawed}, phase: domain.PhaseDone, state: domain.Running,
			kinds: []plan.StepKind{plan.StepUnpause}, from: []domain.Verb{domain.VerbCreate, domain.VerbPause},
		},
		{
			verb: domain.VerbUpdate, phase: domain.PhaseDone, state: domain.Running,
			kinds: []plan.StepKind{plan.StepUpdate}, from: []domain.Verb{domain.VerbCreate},
		},
		{
			verb: domain.VerbRebuild, order: []func(*domain.Assignment){up, run, second, fresh}, phase: domain.PhaseDone, state: domain.Running,
			kinds: []plan.StepKind{plan.StepImage, plan.StepRemove, plan.StepCreate, plan.StepStart}, from: []domain.Verb{domain.VerbCreate},
		},
		{
			verb: domain.VerbDelete, order: []func(*domain.Assignment){absent, stopFirst}, phase: domain.PhaseReleased,
			kinds: []plan.StepKind{plan.StepStop, plan.StepRemove, plan.StepUnplug, plan.StepDissolve, plan.StepForget},
			from:  []domain.Verb{domain.VerbCreate},
		},
	}
}

func down(a *domain.Assignment)   { a.Want = domain.Want{} }
func thawed(a *domain.Assignment) { a.Want.Paused = false }

// TestAdoption ends the agent in the middle of every step of every action, before
// and after its effect; the next run reaches what an uninterrupted one does.
func TestAdoption(t *testing.T) {
	t.Parallel()
	for _, c := range crashes() {
		for _, kind := range c.kinds {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/after=%v", c.verb, kind, after), func(t *testing.T) {
					t.Parallel()
					c.play(t, kind, after)
				})
			}
		}
	}
}

func (c crash) play(t *testing.T, kind plan.StepKind, after bool) {
	t.Helper()
	h := newHost(t).begin()
	for _, verb := range c.from {
		h.prepare(verb)
	}
	h.restartCrashing(kind, after)
	h.order(c.verb, c.order...)
	h.crashed()
	starts := h.engine.count("start")

	h.hands = nil
	h.begin()
	h.done(c.phase)
	if c.state == "" {
		h.clean()
		return
	}
	if got := h.engine.status("c1"); got != c.state {
		t.Errorf("the end state is %s, want %s", got, c.state)
	}
	if kind == plan.StepStart && after && h.engine.count("start") != starts {
		t.Error("the process was started twice")
	}
}

// prepare brings c1 into the state that verb leads to.
func (h *host) prepare(verb domain.Verb) {
	h.t.Helper()
	switch verb {
	case domain.VerbCreate:
		h.running()
		return
	case domain.VerbStop:
		h.order(verb, down)
	default:
		h.order(verb, frozen)
	}
	h.done(domain.PhaseDone)
}

// restartCrashing begins a new agent that will end at the first step of kind.
func (h *host) restartCrashing(kind plan.StepKind, after bool) {
	h.t.Helper()
	h.end()
	h.crash = make(chan struct{})
	h.hands = crashingHands(kind, after, func() { h.control.setDown(true) }, h.crash)
	h.begin()
}

// crashed waits until the agent stands at its crash, and ends it.
func (h *host) crashed() {
	h.t.Helper()
	h.await("the crash", 0, func() bool {
		select {
		case <-h.crash:
			return true
		default:
			return false
		}
	})
	h.end()
	h.control.setDown(false)
}

func TestKillIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		h := newHost(t).begin().running()
		h.restartCrashing(plan.StepKill, after)
		h.order(domain.VerbKill)
		h.crashed()
		sent := h.engine.count("kill")
		h.hands = nil
		h.begin()
		h.done(domain.PhaseFailed)
		if h.engine.count("kill") != sent {
			t.Errorf("after=%v: the signal was sent again", after)
		}
	}
}

// TestSandboxReplacementSurvivesCrash ends the agent while it replaces a sandbox.
// Once the new sandbox lives, or while the process still runs, the next run brings
// the process back; in the moments between, it is honestly told as stopped.
func TestSandboxReplacementSurvivesCrash(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind  plan.StepKind
		after bool
		state domain.Status
	}{
		{plan.StepStop, false, domain.Running},
		{plan.StepStop, true, domain.Stopped},
		{plan.StepUnplug, true, domain.Stopped},
		{plan.StepSandbox, false, domain.Stopped},
		{plan.StepSandbox, true, domain.Running},
		{plan.StepNet, false, domain.Running},
		{plan.StepNet, true, domain.Running},
		{plan.StepStart, false, domain.Running},
		{plan.StepStart, true, domain.Running},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s/after=%v", test.kind, test.after), func(t *testing.T) {
			t.Parallel()
			h := newHost(t).begin().running()
			h.restartCrashing(test.kind, test.after)
			h.await("the adoption", 0, func() bool { return h.control.count("c1", domain.PhaseObserved) > 0 })
			h.clock.step(time.Second)
			h.engine.killHolder("c1")
			h.crashed()
			told := h.control.count("c1", domain.PhaseObserved)
			h.hands = nil
			h.begin()
			h.await("the state to be told", 100*time.Millisecond, func() bool {
				r, _ := h.control.last("c1", domain.PhaseObserved)
				return h.control.count("c1", domain.PhaseObserved) > told && r.Seen.Status == test.state
			})
			box, lives := h.engine.find("c1", true)
			if test.state == domain.Running && (!lives || !h.nets.holds("c1", box.NetNS)) {
				t.Error("the process runs without its network")
			}
		})
	}
}

func TestAdoptionOfMany(t *testing.T) {
	t.Parallel()
	const many = 1000
	h := newHost(t)
	for i := range many {
		id := domain.ContainerID(fmt.Sprintf("c%d", i))
		h.engine.mu.Lock()
		h.engine.add(agent.Object{Container: id, Sandbox: true, State: domain.Observation{Status: domain.Running}})
		h.engine.add(agent.Object{Container: id, Generation: 1, State: domain.Observation{Status: domain.Running}})
		h.engine.mu.Unlock()
		h.control.assign(domain.Assignment{Container: id, Generation: 1, EverCreated: true, Want: domain.Want{Running: true}})
	}
	begin := time.Now()
	h.begin()
	h.await("all to be told", 0, func() bool {
		h.control.mu.Lock()
		defer h.control.mu.Unlock()
		return len(h.control.reports) == many
	})
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("adopting %d containers took %s", many, took)
	}
	if n := h.engine.count("inspect"); n != 0 {
		t.Errorf("adoption asked the engine %d times for what the list had told", n)
	}
}

func TestGracefulEnd(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	gate := make(chan struct{})
	h.hands = gatedHands(gate, plan.StepCreate)
	h.begin().order(domain.VerbCreate, run, up)
	h.await("the sandbox", 0, func() bool { return h.engine.count("ensure") == 1 && h.nets.plugs() == 1 })
	ended := make(chan struct{})
	end := h.end
	go func() { // the step under way is let through only once the agent was asked to end
		defer close(ended)
		end()
	}()
	close(gate)
	<-ended
	if len(h.control.told("c1")) > 0 && h.engine.count("start") == 0 {
		t.Errorf("an end was told of an action left half done: %v", h.control.told("c1"))
	}
	h.hands = nil
	h.begin()
	h.done(domain.PhaseDone)
	if h.engine.status("c1") != domain.Running {
		t.Error("the next run did not finish the action")
	}
}

// TestControlRestored has control go on from an older copy of its database, which the host
// notices by a beat or, if it was just trying to read, by the answer to that.
func TestControlRestored(t *testing.T) {
	t.Parallel()
	for name, reads := range map[string]bool{"told by a beat": false, "found by reading": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t).begin().running()
			h.control.setDown(true)
			h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want = domain.Want{} })
			copied := h.control.save() // in which the stop is still to be done
			h.control.setDown(false)
			h.await("the stop", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseDone) == 2 })
			read := h.control.readings()
			h.agent.Wake(h.control.assign(h.control.current("c1")))
			h.await("a later reading", 100*time.Millisecond, func() bool { return h.control.readings() > read })

			h.control.setDown(true)
			tried := h.control.attempts()
			h.agent.Wake(copied.revision + 2) // of what the copy does not know; to read it fails
			h.await("a reading that fails", 100*time.Millisecond, func() bool { return h.control.attempts() > tried })
			h.control.restore(copied, reads)
			h.await("the stop to be told again", 100*time.Millisecond, func() bool { return h.control.count("c1", domain.PhaseDone) == 3 })
		})
	}
}
