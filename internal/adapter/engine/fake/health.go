package fake

import (
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/domain"
)

// What an engine takes where a health check names nothing.
const (
	usualInterval = 30 * time.Second
	usualRetries  = 3
)

// pace is how often a check is made, and how many must fail in a row.
func pace(h *domain.Healthcheck) (interval time.Duration, retries int) {
	interval, retries = time.Duration(h.Interval)*time.Second, h.Retries
	if interval <= 0 {
		interval = usualInterval
	}
	if retries <= 0 {
		retries = usualRetries
	}
	return interval, retries
}

// health is what the checks so far found. The command is tried in thought now, so its
// answer is taken as having been the same since the start.
func (e *Engine) health(r record, now time.Time) string {
	check, last := r.Spec.Healthcheck, r.last()
	if check == nil || check.Test == "" || last == nil {
		return ""
	}
	interval, retries := pace(check)
	made := int(now.Sub(last.StartedAt) / interval)
	if made < 1 {
		return "starting"
	}
	root, err := e.rootOf(r)
	if err != nil {
		return "unhealthy"
	}
	defer func() { _ = root.Close() }()
	ends, code := program.Foresee(r.machine(root, nil), []string{"sh", "-c", check.Test})
	switch {
	case ends >= 0 && code == 0:
		return "healthy"
	case made < retries:
		return "starting"
	default:
		return "unhealthy"
	}
}

// nextHealth is when health may next change by the clock alone; zero: never.
func (r *record) nextHealth(now time.Time) time.Time {
	check, last := r.Spec.Healthcheck, r.last()
	if check == nil || check.Test == "" || last == nil || !r.alive(now) {
		return time.Time{}
	}
	interval, retries := pace(check)
	for _, checks := range []int{1, retries} {
		if at := last.StartedAt.Add(time.Duration(checks) * interval); at.After(now) {
			return at
		}
	}
	return time.Time{}
}
