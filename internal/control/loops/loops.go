package loops

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/fleet"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what the loops stand on. Every field but Groups and Volumes is required.
type Deps struct {
	Control    *control.Control
	Placing    *placing.Placing
	Fleet      *fleet.Fleet
	Networking control.Networking
	Groups     control.Groups  // nil: there are no security groups
	Volumes    control.Volumes // nil: there is no volume service
	Nodes      control.Nodes
	Meter      Meter
	Log        *slog.Logger
	Owner      string // names this replica in leases; unique among replicas
}

// Loops are the background jobs of the control plane.
type Loops struct {
	control    *control.Control
	placing    *placing.Placing
	fleet      *fleet.Fleet
	networking control.Networking
	groups     control.Groups
	volumes    control.Volumes
	edition    string               // of the groups, as Regroup last brought it to all hosts
	ungrouped  []domain.ContainerID // those that wait for that edition
	nodes      control.Nodes
	meter      Meter
	log        *slog.Logger
	owner      string
}

// New returns the loops over d.
func New(d Deps) *Loops {
	return &Loops{
		control: d.Control, placing: d.Placing, fleet: d.Fleet, networking: d.Networking, groups: d.Groups, volumes: d.Volumes,
		nodes: d.Nodes, meter: d.Meter, log: d.Log, owner: d.Owner,
	}
}

const (
	batch     = 32               // most that one step of a leasing loop takes
	leaseTime = 20 * time.Second // longer than any call made under the lease, short enough after a crash
	callTime  = 10 * time.Second // of one call to the network service or a host
)

// Jobs lists the loops.
func (l *Loops) Jobs() []Job {
	bells := l.control.Bells()
	return []Job{
		{Name: "prepare", Step: l.Prepare, Every: time.Second, Bell: bells.Prepare, Batch: batch, Workers: 2},
		{Name: "release", Step: l.Release, Every: time.Second, Bell: bells.Release, Batch: batch, Workers: 2},
		{Name: "overdue", Step: l.Overdue, Every: 10 * time.Second, Batch: batch},
		{Name: "expire", Step: l.Expire, Every: 10 * time.Second},
		{Name: "settle", Step: l.Settle, Every: 10 * time.Second},
		{Name: "autoremove", Step: l.Autoremove, Every: 30 * time.Second, Bell: bells.Autoremove},
		{Name: "heal", Step: l.Heal, Every: 30 * time.Second, Bell: bells.Heal},
		{Name: "fetch", Step: l.Fetch, Every: 10 * time.Second, Bell: bells.Fetch, Batch: 1, Workers: 4, Bound: l.control.Options().ActionTotal + time.Minute},
		{Name: "regroup", Step: l.Regroup, Every: 2 * time.Second},
		{Name: "sweep", Step: l.Sweep, Every: time.Minute},
	}
}

// Run runs every loop until ctx ends and returns when all have returned.
func (l *Loops) Run(ctx context.Context) {
	runner{meter: l.meter, log: l.log}.run(ctx, l.Jobs())
}

// mandate is a leased action with its container as it was then.
type mandate struct {
	domain.Action
	row domain.Container
}

// lease takes up to a batch of actions in state, and reads all their containers at once.
// It keeps no row of a container: held looks again where something is decided.
func (l *Loops) lease(ctx context.Context, state domain.ActionState) (mandates []mandate, err error) {
	claim := control.LeaseClaim{Owner: l.owner, TTL: leaseTime, States: []domain.ActionState{state}, Limit: batch}
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		mandates = nil
		actions, err := t.Actions().Lease(ctx, claim)
		if err != nil || len(actions) == 0 {
			return err
		}
		query := control.ContainerQuery{Scope: control.Everything()}
		for _, a := range actions {
			query.IDs = append(query.IDs, a.Container)
		}
		rows, err := t.Containers().List(ctx, query)
		for _, a := range actions {
			at := slices.IndexFunc(rows, func(row domain.Container) bool { return row.ID == a.Container })
			if at >= 0 {
				mandates = append(mandates, mandate{a, rows[at]})
			}
		}
		return err
	})
	return mandates, wrap("lease "+string(state)+" actions", err)
}

// held returns the container of a leased action as it is now; false if the action
// is no longer ours to carry on: canceled, ended, or leased by another.
func held(ctx context.Context, tx control.Tx, a domain.Action) (domain.Container, bool, error) {
	// The container first, as everywhere: its row is what serialises all that happens
	// to one container.
	row, err := tx.Containers().Get(ctx, control.Everything(), a.Container)
	if domain.IsKind(err, domain.NotFound) {
		return row, false, nil
	}
	if err != nil {
		return row, false, err
	}
	now, err := tx.Actions().Get(ctx, a.ID)
	if domain.IsKind(err, domain.NotFound) {
		return row, false, nil
	}
	return row, err == nil && now.Epoch == a.Epoch && now.State == a.State, err
}

// list reads all containers in one of the statuses; more narrows the query.
func (l *Loops) list(ctx context.Context, query control.ContainerQuery, statuses ...domain.Status) (rows []domain.Container, err error) {
	query.Scope = control.Everything()
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		rows = nil
		for _, status := range statuses {
			word := string(status)
			query.Filters.Status = &word
			page, err := tx.Containers().List(ctx, query)
			if err != nil {
				return err
			}
			rows = append(rows, page...)
		}
		return nil
	})
	return rows, wrap("list containers", err)
}
