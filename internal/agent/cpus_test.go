package agent_test

import (
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// neighbour assigns another container that has cpus for itself, and its delete once it
// is to go.
func (h *host) neighbour(cpus string, gone bool) {
	h.t.Helper()
	h.op++
	want := domain.Assignment{
		Container: "c2", Generation: 1, Spec: domain.Spec{Image: "cirros"}, Nics: []domain.Nic{{PortID: "p2", Ready: true}}, Want: domain.Want{Running: true},
		CPUSet: domain.CPUSet{CPUs: cpus, MemoryNodes: "0"},
		Op:     &domain.Op{ActionID: h.op, Epoch: 1, Verb: domain.VerbCreate, Args: domain.ActionArgs{Run: true}, AcceptedAt: h.clock.Now()},
	}
	phase := domain.PhaseDone
	if gone {
		want.EverCreated, want.Want, want.Op.Verb, phase = true, domain.Want{Absent: true}, domain.VerbDelete, domain.PhaseReleased
	}
	h.agent.Wake(h.control.assign(want))
	h.await("the neighbour", 0, func() bool {
		r, ok := h.control.last("c2", phase)
		return ok && r.ActionID == h.op
	})
}

func (h *host) runsOn(cpus string) {
	h.t.Helper()
	h.await("c1 to run on "+cpus, 10*time.Millisecond, func() bool {
		o, _ := h.engine.find("c1", false)
		return o.CPUSet.CPUs == cpus
	})
}

func TestWhoSharesLeavesTheCPUsThatAreDedicated(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.runsOn("") // nobody has asked it anywhere
	h.neighbour("2-3", false)
	h.runsOn("0-1")
	if o, _ := h.engine.find("c2", false); o.CPUSet != (domain.CPUSet{CPUs: "2-3", MemoryNodes: "0"}) {
		t.Errorf("the neighbour was made on %+v", o.CPUSet)
	}
	asked := h.engine.count("confine")
	h.order(domain.VerbStop)
	h.done(domain.PhaseDone)
	h.end()
	h.begin() // knows nothing but what control and the engine tell
	h.order(domain.VerbStart, up)
	h.done(domain.PhaseDone)
	if again := h.engine.count("confine"); again != asked {
		t.Errorf("it was moved %d times more to where it is", again-asked)
	}
	h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want = domain.Want{} })
	h.done(domain.PhaseDone)
	h.neighbour("2-3", true)
	h.order(domain.VerbStart, up)
	h.done(domain.PhaseDone)
	h.runsOn(allCPUs)
	if h.engine.status("c1") != domain.Running {
		t.Errorf("it is %s", h.engine.status("c1"))
	}
}

func TestAMoveThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.engine.fail("confine", domain.NewFault(domain.Internal, "x", "cannot allocate"))
	h.neighbour("1", false)
	h.await("the second try", 100*time.Millisecond, func() bool { return h.engine.count("confine") == 2 })
	h.runsOn("0,2-3")
}

func TestAllCPUsAreNeverTakenFromThoseWhoShare(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin().running()
	h.neighbour("0-3", false)
	h.order(domain.VerbReboot, up)
	h.done(domain.PhaseDone)
	if n := h.engine.count("confine"); n != 0 {
		t.Errorf("who shares was moved %d times, and there is nowhere to go", n)
	}
}
