package docker

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
)

// TestHealthIsWhatTheChecksFound holds that an engine which ended its checks, as it does
// for a pause and then says unhealthy, is not believed: checks that failed are.
func TestHealthIsWhatTheChecksFound(t *testing.T) {
	began := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	check := func(after time.Duration, code int) *container.HealthcheckResult {
		return &container.HealthcheckResult{Start: began.Add(after), ExitCode: code}
	}
	earlier, good, bad := check(-time.Second, 0), check(time.Second, 0), check(2*time.Second, 1)
	for name, tt := range map[string]struct {
		health  *container.Health
		retries int
		want    string
	}{
		"no check":                      {nil, 0, ""},
		"switched off":                  {&container.Health{Status: container.NoHealthcheck}, 0, ""},
		"not tried yet":                 {&container.Health{Status: container.Starting}, 2, "starting"},
		"well":                          {&container.Health{Status: container.Healthy, Log: []*container.HealthcheckResult{good}}, 2, "healthy"},
		"ill":                           {&container.Health{Status: container.Unhealthy, FailingStreak: 2, Log: []*container.HealthcheckResult{good, bad, bad}}, 2, "unhealthy"},
		"ill by the usual number":       {&container.Health{Status: container.Unhealthy, FailingStreak: 3, Log: []*container.HealthcheckResult{bad, bad, bad}}, 0, "unhealthy"},
		"ended while well":              {&container.Health{Status: container.Unhealthy, Log: []*container.HealthcheckResult{good}}, 2, "healthy"},
		"ended before it was ill":       {&container.Health{Status: container.Unhealthy, FailingStreak: 2, Log: []*container.HealthcheckResult{good, bad, bad}}, 0, "healthy"},
		"ended before any check":        {&container.Health{Status: container.Unhealthy}, 1, "starting"},
		"ended, well in the run before": {&container.Health{Status: container.Unhealthy, FailingStreak: 1, Log: []*container.HealthcheckResult{earlier, bad}}, 2, "starting"},
	} {
		c := container.InspectResponse{
			Config: &container.Config{Healthcheck: &container.HealthConfig{Retries: tt.retries}},
			State:  &container.State{Running: true, StartedAt: began.Format(time.RFC3339Nano), Health: tt.health},
		}
		if got := observationOf(c, began.Add(time.Minute)).Health; got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
