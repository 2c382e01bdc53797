package ctl

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

// calls are the direct calls to one host.
type calls struct {
	nodes *Nodes
	host  domain.Host
}

func (c calls) about(id domain.ContainerID) *linkv1.ContainerRequest {
	return &linkv1.ContainerRequest{HostId: c.host.ID, Container: string(id)}
}

// ask makes one bounded call to the host of c and names the host in its faults.
func ask[Req, Reply any](ctx context.Context, c calls, method func(linkv1.NodeClient, context.Context, Req) (Reply, error), req Req) (Reply, error) {
	var none Reply
	client, err := c.nodes.client(c.host)
	if err != nil {
		return none, err
	}
	ctx, cancel := c.nodes.timing.Bounded(ctx)
	defer cancel()
	reply, err := method(client, ctx, req)
	if err != nil {
		return none, wire.HostError(err, c.host.Name)
	}
	return reply, nil
}

func (c calls) Observe(ctx context.Context, id domain.ContainerID) (domain.Observation, error) {
	reply, err := ask(ctx, c, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ContainerRequest) (*linkv1.ObserveReply, error) {
		return n.Observe(ctx, r)
	}, c.about(id))
	return wire.ToObservation(reply.GetObservation()), err
}

// ExecRun is bounded by the caller's ctx alone: how long a command may run is a
// matter of the service's options, not of the link.
func (c calls) ExecRun(ctx context.Context, id domain.ContainerID, cmd []string) (domain.ExecResult, error) {
	client, err := c.nodes.client(c.host)
	if err != nil {
		return domain.ExecResult{}, err
	}
	reply, err := client.ExecRun(ctx, &linkv1.ExecRunRequest{HostId: c.host.ID, Container: string(id), Command: cmd})
	if err != nil {
		return domain.ExecResult{}, wire.HostError(err, c.host.Name)
	}
	return wire.ToExecResult(reply), nil
}

func (c calls) Top(ctx context.Context, id domain.ContainerID, psArgs string) (domain.ProcessTable, error) {
	reply, err := ask(ctx, c, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.TopRequest) (*linkv1.TopReply, error) {
		return n.Top(ctx, r)
	}, &linkv1.TopRequest{HostId: c.host.ID, Container: string(id), PsArgs: psArgs})
	return wire.ToProcessTable(reply), err
}

func (c calls) Stats(ctx context.Context, id domain.ContainerID) (domain.Stats, error) {
	reply, err := ask(ctx, c, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ContainerRequest) (*linkv1.StatsReply, error) {
		return n.Stats(ctx, r)
	}, c.about(id))
	return wire.ToStats(reply), err
}

func (c calls) Output() control.Output { return output{c} }

func (c calls) Terminals() control.Terminals { return terminals{c} }

func (c calls) Archives() control.Archives { return archives{c} }
