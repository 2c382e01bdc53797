package domain

import (
	"fmt"
	"time"
)

// DetailOf returns the human text that the API shows beside a status seen by an
// engine, spelled as the contract spells it ("Up 4 seconds", "Exited(0) 2 mins ago ").
// It depends on now, so it is computed when shown and need not be stored.
func DetailOf(o Observation, now time.Time) string {
	switch o.Status {
	case Running:
		return "Up " + span(now.Sub(o.StartedAt)) + healthDetail(o.Health)
	case Paused:
		return "Up " + span(now.Sub(o.StartedAt)) + " (paused)"
	case Stopped:
		return exitDetail(o, now)
	case Created, Restarting, Dead:
		return string(o.Status)
	default:
		return ""
	}
}

// healthDetail says what the health check found, in the engines' own words.
func healthDetail(health string) string {
	switch health {
	case "":
		return ""
	case "starting":
		return " (health: starting)"
	default:
		return " (" + health + ")"
	}
}

func exitDetail(o Observation, now time.Time) string {
	code := 0
	if o.ExitCode != nil {
		code = *o.ExitCode
	}
	detail := fmt.Sprintf("Exited(%d) %s ago ", code, span(now.Sub(o.FinishedAt)))
	if o.Reason != "" {
		detail += "(" + o.Reason + ")"
	}
	return detail
}

// span names a length of time by its largest whole unit.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%d mins", d/time.Minute)
	default:
		return fmt.Sprintf("%d seconds", max(d, 0)/time.Second)
	}
}
