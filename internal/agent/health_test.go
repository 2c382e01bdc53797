package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent/restart"
	"github.com/go-zun/zun/internal/domain"
)

// checked gives c1 a health check that is made every second and need fail only once.
func checked(test string, heals bool) func(*domain.Assignment) {
	return func(a *domain.Assignment) {
		a.Spec.Healthcheck = &domain.Healthcheck{Test: test, Interval: 1, Retries: 1}
		a.Spec.AutoHeal = heals
	}
}

func (h *host) seen(what string, cond func(*domain.Observation) bool) {
	h.t.Helper()
	h.await(what, 0, func() bool {
		r, ok := h.control.last("c1", domain.PhaseObserved)
		return ok && r.Seen != nil && cond(r.Seen)
	})
}

func TestHealthIsShown(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running(checked("true", true))
	if r, _ := h.control.last("c1", domain.PhaseDone); !strings.HasSuffix(r.Seen.Detail, " (health: starting)") {
		t.Errorf("at first the detail is %q", r.Seen.Detail)
	}
	h.seen("the health", func(o *domain.Observation) bool {
		return o.Health == "healthy" && strings.HasSuffix(o.Detail, " (healthy)") && o.Restarts == 0
	})
}

func TestUnhealthyIsBegunAnew(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running(checked("false", true))
	h.seen("the restart", func(o *domain.Observation) bool { return o.Restarts == 1 && o.Status == domain.Running })
}

func TestUnhealthyIsOnlyShownWithoutAutoHeal(t *testing.T) {
	t.Parallel()
	h := fakeHost(t).running(checked("false", false))
	h.seen("the ill health", func(o *domain.Observation) bool {
		return o.Health == "unhealthy" && o.Status == domain.Running && o.Restarts == 0
	})
}

func TestHealBacksOff(t *testing.T) {
	t.Parallel()
	tally := restart.Tally{}
	for _, want := range []time.Duration{100, 200, 400} {
		if tally = restart.Heal(tally, time.Second); tally.Delay != want*time.Millisecond {
			t.Errorf("restart %d waits %s", tally.Count, tally.Delay)
		}
	}
	if tally = restart.Heal(tally, time.Minute); tally.Count != 4 || tally.Delay != 100*time.Millisecond {
		t.Errorf("after a healthy run: %+v", tally)
	}
}
