// Package books holds the use cases that read and keep the books beside the
// containers: limits and usage, registries, and the records of what happened.
package books

import "github.com/go-zun/zun/internal/control"

// Deps are what the use cases stand on. Every field is required.
type Deps struct {
	Control *control.Control
	Secrets control.Secrets
}

// Books are the use cases.
type Books struct {
	control *control.Control
	secrets control.Secrets
}

// New returns the use cases over d.
func New(d Deps) *Books { return &Books{control: d.Control, secrets: d.Secrets} }
