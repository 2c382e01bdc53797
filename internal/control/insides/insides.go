// Package insides holds the use cases that reach into a running container: its output,
// processes, terminals and files. They read or end within the request and pass the
// queue of actions by.
package insides

import (
	"context"
	"strings"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what the use cases stand on. Every field is required.
type Deps struct {
	Control *control.Control
	Nodes   control.Nodes
}

// Insides are the use cases.
type Insides struct {
	control *control.Control
	nodes   control.Nodes
}

// New returns the use cases over d.
func New(d Deps) *Insides { return &Insides{control: d.Control, nodes: d.Nodes} }

// reach finds the container, judges verb on its present status, and returns the
// calls to its host. These calls read or end within the request, so they pass the
// queue by; a host that is down is Unavailable at once.
func (i *Insides) reach(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb) (row domain.Container, calls control.Calls, err error) {
	var host domain.Host
	err = i.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		if row, err = control.Find(ctx, tx, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		if err := domain.CheckAllowed(verb, row.ID, row.Status); err != nil {
			return err
		}
		if !row.EverCreated {
			return control.Uncreated()
		}
		host, err = control.HostOf(ctx, tx, i.control.Options(), row)
		return err
	})
	if err != nil {
		return row, nil, err
	}
	return row, i.nodes.Calls(host), nil
}

// answered turns what a host answered into what the user reads: an engine that
// does not know the container is a Conflict, a host that is late a Timeout.
func answered(ctx context.Context, row domain.Container, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, domain.IsKind(err, domain.Timeout):
		return domain.WrapFault(err, domain.Timeout, "timeout", "The host of container %s did not answer in time.", row.ID)
	case domain.IsKind(err, domain.NotFound):
		return domain.WrapFault(err, domain.Conflict, "conflict", "Cannot act on container in '%s' state", row.Status)
	default:
		return err
	}
}

// Logs streams the container's output into sink.
func (i *Insides) Logs(ctx context.Context, actor domain.Actor, ref control.Ref, q domain.LogQuery, sink control.LogSink) error {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbLogs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().StreamTimeout)
	defer cancel()
	return answered(ctx, row, calls.Output().Logs(ctx, row.ID, q, sink))
}

// ExecRun runs a command to its end, at most ExecuteTimeout long. It is never sent
// twice.
func (i *Insides) ExecRun(ctx context.Context, actor domain.Actor, ref control.Ref, command []string) (domain.ExecResult, error) {
	if err := domain.CheckCommand(command); err != nil {
		return domain.ExecResult{}, err
	}
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbExecute)
	if err != nil {
		return domain.ExecResult{}, err
	}
	bound, cancel := context.WithTimeout(ctx, i.control.Options().ExecuteTimeout)
	defer cancel()
	result, err := calls.ExecRun(bound, row.ID, command)
	if err != nil && (bound.Err() != nil || domain.IsKind(err, domain.Timeout)) {
		return result, domain.WrapFault(err, domain.Conflict, "conflict", "Timeout on executing command: %s", strings.Join(command, " "))
	}
	return result, answered(bound, row, err)
}

// Top lists the processes of a container.
func (i *Insides) Top(ctx context.Context, actor domain.Actor, ref control.Ref, psArgs string) (domain.ProcessTable, error) {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbTop)
	if err != nil {
		return domain.ProcessTable{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().ResponseTimeout)
	defer cancel()
	table, err := calls.Top(ctx, row.ID, psArgs)
	return table, answered(ctx, row, err)
}

// Stats samples the usage of a container.
func (i *Insides) Stats(ctx context.Context, actor domain.Actor, ref control.Ref) (domain.Container, domain.Stats, error) {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbStats)
	if err != nil {
		return row, domain.Stats{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().ResponseTimeout)
	defer cancel()
	stats, err := calls.Stats(ctx, row.ID)
	return row, stats, answered(ctx, row, err)
}
