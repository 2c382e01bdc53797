package agent_test

import (
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/calls"
	"github.com/go-zun/zun/internal/agent/parcel"
	"github.com/go-zun/zun/internal/domain"
)

// fakeHost is a host on the fake engine, in real time.
func fakeHost(t *testing.T) *host {
	t.Helper()
	engine, err := fake.New(fake.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	h.other, h.time = engine, agent.SystemClock()
	return h.begin()
}

func TestLifeOnTheFakeEngine(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running()
	r, err := calls.New(h.agent, parcel.Room{}).ExecRun(t.Context(), "c1", []string{"echo", "hello"})
	if err != nil || string(r.Output) != "hello\n" {
		t.Errorf("exec: %+v, %v", r, err)
	}
	for _, step := range []struct {
		verb domain.Verb
		want domain.Want
		seen domain.Status
	}{
		{domain.VerbPause, domain.Want{Running: true, Paused: true}, domain.Paused},
		{domain.VerbUnpause, domain.Want{Running: true}, domain.Running},
		{domain.VerbReboot, domain.Want{Running: true}, domain.Running},
		{domain.VerbStop, domain.Want{}, domain.Stopped},
		{domain.VerbStart, domain.Want{Running: true}, domain.Running},
	} {
		h.order(step.verb, func(a *domain.Assignment) { a.Want = step.want })
		if r := h.done(domain.PhaseDone); r.Seen == nil || r.Seen.Status != step.seen || r.Seen.Detail == "" {
			t.Errorf("after %s control saw %+v", step.verb, r.Seen)
		}
	}
	h.order(domain.VerbDelete, absent)
	h.done(domain.PhaseReleased)
	h.clean()
}

func TestExitOnTheFakeEngine(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running(func(a *domain.Assignment) { a.Spec.Command = []string{"sh", "-c", "sleep 0.1; exit 3"} })
	h.await("the exit to be told", 0, func() bool {
		r, ok := h.control.last("c1", domain.PhaseObserved)
		return ok && r.Seen.Status == domain.Stopped && r.Seen.ExitCode != nil && *r.Seen.ExitCode == 3
	})
}

func TestUnknownCommandOnTheFakeEngine(t *testing.T) {
	t.Parallel()
	h := fakeHost(t)
	h.order(domain.VerbCreate, run, up, func(a *domain.Assignment) { a.Spec.Command = []string{"nosuch"} })
	if r := h.done(domain.PhaseFailed); !strings.Contains(r.Message, "nosuch") {
		t.Errorf("reported %q", r.Message)
	}
	h.clean()
}

func TestOutputIsFollowedOnTheFakeEngine(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running(func(a *domain.Assignment) {
		a.Spec.Command = []string{"sh", "-c", "echo one; sleep 0.2; echo two; sleep 100"}
	})
	records := make(chan domain.FollowRecord, 99)
	ended := make(chan error, 1)
	follow := func(restarts bool) {
		ended <- calls.New(h.agent, parcel.Room{}).Follow(t.Context(), "c1", domain.FollowQuery{Stdout: true, Stderr: true, Tail: -1, Restarts: restarts},
			func(batch []domain.FollowRecord) error {
				for _, r := range batch {
					records <- r
				}
				return nil
			})
	}
	next := func() string {
		r := <-records
		return string(r.Kind) + " " + string(r.Data) + r.Reason
	}
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := next(); got != w {
				t.Errorf("told %q, want %q", got, w)
			}
		}
	}
	go follow(false)
	expect("begin ", "line one\n", "line two\n")
	h.order(domain.VerbStop, func(a *domain.Assignment) { a.Want = domain.Want{} })
	h.done(domain.PhaseDone)
	expect("end exited")
	if err := <-ended; err != nil {
		t.Errorf("with the container it ends with %v", err)
	}
	go follow(true)
	expect("begin ", "line one\n", "line two\n")
	h.order(domain.VerbStart, up)
	h.done(domain.PhaseDone)
	expect("line one\n", "line two\n")
	h.order(domain.VerbDelete, absent)
	h.done(domain.PhaseReleased)
	expect("end deleted")
	if err := <-ended; err != nil {
		t.Errorf("of what is deleted it ends with %v", err)
	}
}

func TestFollowersAreToldThatTheAgentEnds(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running()
	ended := make(chan error, 1)
	begun := make(chan struct{}, 99)
	go func() {
		ended <- calls.New(h.agent, parcel.Room{}).Follow(t.Context(), "c1", domain.FollowQuery{Stdout: true}, func([]domain.FollowRecord) error {
			begun <- struct{}{}
			return nil
		})
	}()
	<-begun
	h.end()
	if err := <-ended; !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("it ended with %v", err)
	}
}
