package agent_test

import (
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// policied gives c1 a restart policy.
func policied(name string, retries int) func(*domain.Assignment) {
	return func(a *domain.Assignment) { a.Spec.Restart = domain.RestartPolicy{Name: name, MaxRetries: retries} }
}

// restarted waits for the n-th start and returns when it was.
func (h *host) restarted(n int) time.Time {
	h.t.Helper()
	h.await("a restart", 10*time.Millisecond, func() bool { return h.engine.count("start") == n && h.engine.status("c1") == domain.Running })
	o, _ := h.engine.find("c1", false)
	return o.State.StartedAt
}

func TestAlwaysRestartsWithBackoff(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("always", 0))
	for i, delay := range []time.Duration{100, 200, 400, 800} {
		ended := h.clock.Now()
		h.engine.exit("c1", 0)
		h.await("the wait to be told", 0, func() bool {
			r, ok := h.control.last("c1", domain.PhaseObserved)
			return ok && r.Seen.Status == domain.Restarting
		})
		at := h.restarted(i + 2)
		if waited := at.Sub(ended); waited < delay*time.Millisecond || waited > delay*time.Millisecond+100*time.Millisecond {
			t.Errorf("restart %d came after %s, want %s ms", i+1, waited, delay)
		}
		h.await("the restart to be told", 0, func() bool {
			r, ok := h.control.last("c1", domain.PhaseObserved)
			return ok && r.Seen.Status == domain.Running && r.Seen.Restarts == i+1
		})
	}
	h.clock.step(11 * time.Second) // a healthy run begins the back-off anew
	ended := h.clock.Now()
	h.engine.exit("c1", 0)
	if waited := h.restarted(6).Sub(ended); waited > 300*time.Millisecond {
		t.Errorf("after a healthy run the restart came after %s", waited)
	}
}

func TestOnFailureStopsAfterItsRetries(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("on-failure", 2))
	for i := range 2 {
		h.engine.exit("c1", 1)
		h.restarted(i + 2)
	}
	h.engine.exit("c1", 1)
	h.await("the end to be told", time.Millisecond, func() bool {
		r, _ := h.control.last("c1", domain.PhaseObserved)
		return r.Seen.Status == domain.Stopped
	})
	h.clock.step(10 * time.Minute)
	if n := h.engine.count("start"); n != 3 {
		t.Errorf("started %d times, want 3", n)
	}
}

func TestOnFailureLeavesSuccessAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("on-failure", 2))
	h.engine.exit("c1", 0)
	h.await("the end to be told", time.Millisecond, func() bool {
		r, ok := h.control.last("c1", domain.PhaseObserved)
		return ok && r.Seen.Status == domain.Stopped
	})
	if n := h.engine.count("start"); n != 1 {
		t.Errorf("started %d times, want once", n)
	}
}

func TestExplicitEndIsNotUndone(t *testing.T) {
	t.Parallel()
	ends := map[domain.Verb]domain.Want{
		domain.VerbStop: {},
		domain.VerbKill: {Running: true}, // control cannot know beforehand what a signal does
	}
	for verb, want := range ends {
		t.Run(string(verb), func(t *testing.T) {
			t.Parallel()
			h := newHost(t).begin().running(policied("always", 0))
			h.order(verb, func(a *domain.Assignment) { a.Want = want })
			h.done(domain.PhaseDone)
			before := h.clock.Now()
			h.await("time to pass", time.Second, func() bool { return h.clock.Now().Sub(before) > 2*time.Minute })
			if n := h.engine.count("start"); n != 1 {
				t.Errorf("started %d times, want once", n)
			}
			h.order(domain.VerbStart, up)
			h.done(domain.PhaseDone)
			h.engine.exit("c1", 0)
			h.restarted(3) // a start on request makes the policy count again
		})
	}
}

func TestPolicyCatchesUpAtAdoption(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("unless-stopped", 0))
	h.end()
	h.engine.exit("c1", 0)
	h.clock.step(time.Hour)
	h.begin()
	h.restarted(2)
}

func TestPolicyAfterTheHostBooted(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("always", 0))
	h.end()
	h.engine.exit("c1", 137)
	h.engine.killHolder("c1")
	h.begin()
	h.restarted(2)
	box, _ := h.engine.find("c1", true)
	if !h.nets.holds("c1", box.NetNS) {
		t.Error("the process is back without its network")
	}
}

func TestFailingRestartIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("always", 0))
	h.engine.fail("start", domain.NewFault(domain.Internal, "x", "cgroup busy"), domain.NewFault(domain.Internal, "x", "cgroup busy"))
	h.engine.exit("c1", 1)
	h.restarted(4)
}

// TestPolicyAfterTheClockWentBack ends a process at a moment that has not come yet, as
// it looks once a clock that was ahead is set right.
func TestPolicyAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running(policied("always", 0))
	h.engine.ahead(time.Hour)
	ended := h.clock.Now()
	h.engine.exit("c1", 0)
	h.await("a restart", 10*time.Millisecond, func() bool { return h.engine.count("start") == 2 })
	if waited := h.clock.Now().Sub(ended); waited < 100*time.Millisecond || waited > time.Minute {
		t.Errorf("the restart came after %s, want 100ms", waited)
	}
}

// TestHolderKilledBeforeAnAction has the sandbox die while the agent is away, and an action
// that needs none be the first that it reads: nothing else would have it look once more.
func TestHolderKilledBeforeAnAction(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	before, _ := h.engine.find("c1", true)
	h.end()
	h.engine.killHolder("c1")
	h.order(domain.VerbAddGroup)
	h.begin()
	h.done(domain.PhaseDone)
	h.await("a new sandbox with the old port", 0, func() bool {
		now, ok := h.engine.find("c1", true)
		return ok && now.EngineID != before.EngineID && h.nets.holds("c1", now.NetNS) && h.engine.status("c1") == domain.Running
	})
}

// TestFailedRebuildWaitsForControl has the engine tell something of a container whose rebuild
// failed, before control said that its former generation stands.
func TestFailedRebuildWaitsForControl(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.fail("pull", domain.NewFault(domain.NotFound, "image-not-found", "Image gone could not be found"))
	h.order(domain.VerbRebuild, second, fresh, run)
	h.done(domain.PhaseFailed)
	h.engine.mu.Lock()
	h.engine.changed("c1")
	h.engine.mu.Unlock()
	h.control.setDown(true) // who was cut off looks at all that he has
	h.await("a lost beat", 100*time.Millisecond, func() bool { return h.clock.Now().Sub(noon) > 30*time.Second })
	h.end()
	if h.engine.status("c1") != domain.Running {
		t.Error("the former container was removed")
	}
}
