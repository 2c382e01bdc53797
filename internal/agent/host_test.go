package agent_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/steps"
	"github.com/go-zun/zun/internal/agent/stock"
	"github.com/go-zun/zun/internal/domain"
)

// host is one machine in a test: an engine, networks, a control, and an agent that
// can be ended and begun again.
type host struct {
	t       *testing.T
	clock   *stepClock
	engine  *scriptedEngine
	nets    *scriptedNets
	control *scriptedControl
	state   string
	other   agent.Engine                  // nil: the scripted one
	time    agent.Clock                   // nil: the stepped one
	hands   func(agent.Hands) agent.Hands // nil: as they are

	agent *agent.Agent
	end   func()
	crash chan struct{}
	op    int64
}

func newHost(t *testing.T) *host {
	t.Helper()
	clock, nets := newStepClock(), newScriptedNets()
	h := &host{t: t, clock: clock, nets: nets, engine: newScriptedEngine(clock, nets), control: newScriptedControl(), state: t.TempDir()}
	t.Cleanup(func() {
		if h.end != nil {
			h.end()
		}
		for _, rule := range h.engine.broken {
			t.Error(rule)
		}
	})
	return h
}

// begin starts an agent on the host.
func (h *host) begin() *host {
	h.t.Helper()
	var engine agent.Engine = h.engine
	if h.other != nil {
		engine = h.other
	}
	var clock agent.Clock = h.clock
	if h.time != nil {
		clock = h.time
	}
	images, err := stock.New(stock.Deps{
		Engine: engine, Path: filepath.Join(h.state, "images.json"), Rules: stock.Rules{PublicFor: time.Hour},
		Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	var hands agent.Hands = steps.New(steps.Deps{Engine: engine, Images: images, Nets: h.nets, CPUs: allCPUs, StateDir: h.state})
	if h.hands != nil {
		hands = h.hands(hands)
	}
	h.agent = agent.New(agent.Deps{
		Engine: engine, Nets: h.nets, Control: h.control, Steps: hands, Clock: clock,
		Log:     slog.New(slog.NewTextHandler(logWriter{h.t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Options: agent.Options{HostID: "host-1", BootID: "boot-1", ImageDiskShare: 0.2, CPUs: allCPUs},
	})
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.agent.Run(ctx) }()
	h.end = sync.OnceFunc(func() {
		cancel()
		h.await("the agent to end", time.Second, func() bool { return len(ended) == 1 })
		if err := <-ended; err != nil {
			h.t.Errorf("run: %v", err)
		}
	})
	return h
}

// allCPUs are those of the machine.
const allCPUs = "0-3"

// logWriter writes the agent's log into the test's.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Logf("%s", line[:len(line)-1])
	return len(line), nil
}

// await polls until cond holds. Each poll steps the clock by tick.
func (h *host) await(what string, tick time.Duration, cond func() bool) {
	h.t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	tooLong := time.NewTimer(10 * time.Second)
	defer tooLong.Stop()
	for !cond() {
		select {
		case <-poll.C:
			if tick > 0 {
				h.clock.step(tick)
			}
		case <-tooLong.C:
			h.t.Fatalf("waited too long for %s; control heard %v", what, h.control.told("c1"))
		}
	}
}

// What an order may change of an assignment.
func fresh(a *domain.Assignment)     { a.EverCreated = false }
func run(a *domain.Assignment)       { a.Op.Args.Run = true }
func absent(a *domain.Assignment)    { a.Want.Absent = true }
func up(a *domain.Assignment)        { a.Want.Running = true }
func frozen(a *domain.Assignment)    { a.Want.Paused = true }
func second(a *domain.Assignment)    { a.Generation = 2 }
func stopFirst(a *domain.Assignment) { a.Op.Args.Stop = true }
func notReady(a *domain.Assignment)  { a.Nics[0].Ready = false }

// firstOrder is the assignment of a container that was never made.
func firstOrder() domain.Assignment {
	return domain.Assignment{
		Container: "c1", Generation: 1, Nics: []domain.Nic{{PortID: "p1", Ready: true}},
		Spec: domain.Spec{Image: "cirros", Command: []string{"sleep", "60"}},
	}
}

// order assigns an action on c1 and wakes the agent.
func (h *host) order(verb domain.Verb, changes ...func(*domain.Assignment)) domain.Assignment {
	h.t.Helper()
	h.op++
	want := h.control.current("c1")
	if want.Container == "" {
		want = firstOrder()
	}
	want.Op = &domain.Op{ActionID: h.op, Epoch: h.op * 10, Verb: verb, AcceptedAt: h.clock.Now(), RequestID: "req-1"}
	want.Nics = slices.Clone(want.Nics) // the agent reads those of before
	for _, change := range changes {
		change(&want)
	}
	h.agent.Wake(h.control.assign(want))
	return want
}

// done waits until the action of order was reported in phase.
func (h *host) done(phase domain.ReportPhase) domain.Report {
	h.t.Helper()
	var r domain.Report
	h.await(string(phase), 0, func() bool {
		last, ok := h.control.last("c1", phase)
		r = last
		return ok && last.ActionID == h.op
	})
	return r
}

// running makes c1 run.
func (h *host) running(changes ...func(*domain.Assignment)) *host {
	h.t.Helper()
	h.order(domain.VerbCreate, append([]func(*domain.Assignment){run, up}, changes...)...)
	h.done(domain.PhaseDone)
	return h
}

// clean fails the test if anything of c1 is left.
func (h *host) clean() {
	h.t.Helper()
	if _, ok := h.engine.find("c1", false); ok {
		h.t.Error("a member is left")
	}
	if _, ok := h.engine.find("c1", true); ok {
		h.t.Error("a sandbox is left")
	}
	if n := h.nets.plugs(); n != 0 {
		h.t.Errorf("%d interfaces are left", n)
	}
	if _, err := os.Stat(filepath.Join(h.state, "containers", "c1")); !os.IsNotExist(err) {
		h.t.Errorf("files are left: %v", err)
	}
}
