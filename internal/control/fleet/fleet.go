// Package fleet holds the use cases on hosts: what their agents tell and ask, and
// what an operator switches.
package fleet

import (
	"log/slog"
	"time"

	"github.com/go-zun/zun/internal/control"
)

// Deps are what the use cases stand on. Every field is required.
type Deps struct {
	Control    *control.Control
	Networking control.Networking
	Secrets    control.Secrets
	Clock      func() time.Time
	Log        *slog.Logger
}

// Fleet are the use cases. It keeps no state but what it hears.
type Fleet struct {
	control    *control.Control
	networking control.Networking
	secrets    control.Secrets
	clock      func() time.Time
	log        *slog.Logger
	hearing    *hearing
	strangers  *strangers
}

// New returns the use cases over d.
func New(d Deps) *Fleet {
	return &Fleet{
		control: d.Control, networking: d.Networking, secrets: d.Secrets,
		clock: d.Clock, log: d.Log, hearing: &hearing{}, strangers: &strangers{told: map[string][]string{}},
	}
}
