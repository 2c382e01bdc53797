//go:build integration

package fuzz

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// states is a set of statuses that a container may have.
type states map[string]bool

func of(words ...string) states {
	s := states{}
	for _, w := range words {
		s[w] = true
	}
	return s
}

func (s states) and(words ...string) states {
	more := maps.Clone(s)
	for _, w := range words {
		more[w] = true
	}
	return more
}

func (s states) String() string { return strings.Join(slices.Sorted(maps.Keys(s)), " or ") }

// admissible tells in which statuses a container may rest after what was done to it,
// told by its own records. Where several outcomes are possible it admits each: a
// signal may have ended the process or not, a process may have ended by itself, and
// what failed may have left things as they were.
func admissible(r row, done []action, upset bool) states {
	s := of("Error") // placed nowhere: there is not even a create on record
	for _, a := range done {
		s = step(s, a)
	}
	mortal := strings.Contains(r.command, `"2"`) // the program that ends by itself
	phoenix := strings.Contains(r.restart, "always")
	if upset || mortal {
		s = s.and("Stopped", "Error")
	}
	if upset && (truth(r.autoHeal) || phoenix) {
		s = s.and("Running", "Created", "Paused")
	}
	if phoenix && s["Stopped"] {
		s = s.and("Running", "Paused")
	}
	return s
}

// step is one action that ended: done, failed or canceled.
func step(s states, a action) states {
	var args struct{ Run bool }
	_ = json.Unmarshal([]byte(a.args), &args)
	made := "Created"
	if args.Run {
		made = "Running"
	}
	if a.state == "canceled" {
		return s
	}
	failed := a.state == "failed"
	switch a.verb {
	case "create":
		if failed {
			return of("Error")
		}
		return of(made)
	case "start", "reboot", "unpause":
		if failed {
			return s.and("Error", "Running", "Stopped", "Paused") // the engine may have done it all the same
		}
		return of("Running")
	case "stop":
		if failed {
			return s.and("Running", "Stopped")
		}
		return of("Stopped")
	case "pause":
		if failed {
			return s.and("Running", "Paused", "Stopped")
		}
		return of("Paused")
	case "kill":
		return s.and("Running", "Stopped")
	case "rebuild":
		if failed {
			return s.and("Error", "Stopped", "Running", "Paused", "Created")
		}
		return of(made)
	default:
		return s
	}
}
