// Package containers holds the use cases on plain containers: what their users ask for is
// judged and accepted here, and made true by the loops and the agents.
package containers

import (
	"context"
	"log/slog"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what the use cases stand on. Every field but Groups and Volumes is required.
type Deps struct {
	Control    *control.Control
	Placing    *placing.Placing
	Networking control.Networking
	Groups     control.Groups  // nil: the network service has no security groups
	Volumes    control.Volumes // nil: there is no volume service
	Log        *slog.Logger
}

// Containers are the use cases.
type Containers struct {
	control    *control.Control
	placing    *placing.Placing
	networking control.Networking
	groups     control.Groups
	volumes    control.Volumes
	log        *slog.Logger
}

// New returns the use cases over d.
func New(d Deps) *Containers {
	return &Containers{
		control: d.Control, placing: d.Placing, networking: d.Networking,
		groups: d.Groups, volumes: d.Volumes, log: d.Log,
	}
}

// Get returns one container from the database; hosts push what changes.
func (c *Containers) Get(ctx context.Context, actor domain.Actor, ref control.Ref) (row domain.Container, err error) {
	err = c.control.Glance(ctx, func(ctx context.Context, tx control.Tx) error {
		row, err = control.Find(ctx, tx, actor, ref, domain.KindContainer)
		return err
	})
	return row, err
}

// List returns a page of the plain containers that the actor asked for.
func (c *Containers) List(ctx context.Context, actor domain.Actor, q control.ListRequest) (rows []domain.Container, err error) {
	query := control.ContainerQuery{
		Scope:   control.Scope{ProjectID: actor.ProjectID, AllProjects: q.AllProjects},
		Filters: q.Filters, Page: q.Page,
	}
	err = c.control.Glance(ctx, func(ctx context.Context, tx control.Tx) error {
		rows, err = tx.Containers().List(ctx, query)
		return err
	})
	return rows, err
}
