package ctl

import (
	"context"
	"errors"
	"io"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/wire"
)

type output struct{ calls }

func (o output) Logs(ctx context.Context, id domain.ContainerID, q domain.LogQuery, sink control.LogSink) error {
	client, err := o.nodes.client(o.host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx) // a sink that fails must end the host's reading too
	defer cancel()
	req := wire.FromLogQuery(q)
	req.HostId, req.Container = o.host.ID, string(id)
	stream, err := client.Logs(ctx, req)
	if err != nil {
		return wire.HostError(err, o.host.Name)
	}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return wire.HostError(err, o.host.Name)
		}
		if err := sink(domain.LogStream(chunk.GetStream()), chunk.GetData()); err != nil {
			return err
		}
	}
}

// Follow implements control.Output. While sink does not return the host is held back
// by the window of the stream.
func (o output) Follow(ctx context.Context, id domain.ContainerID, q domain.FollowQuery, sink control.FollowSink) error {
	client, err := o.nodes.client(o.host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx) // a sink that fails must end the host's reading too
	defer cancel()
	req := &linkv1.FollowRequest{HostId: o.host.ID, Container: string(id), Query: wire.FromFollowQuery(q)}
	stream, err := client.Follow(ctx, req)
	if err != nil {
		return wire.HostError(err, o.host.Name)
	}
	ended := false
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && ended:
			return nil
		case errors.Is(err, io.EOF):
			return wire.BrokeOff("log", o.host.Name)
		case err != nil:
			return wire.HostError(err, o.host.Name)
		}
		batch := wire.ToFollowRecords(m)
		if len(batch) == 0 {
			continue
		}
		ended = batch[len(batch)-1].Kind == domain.FollowEnd
		if err := sink(batch); err != nil {
			return err
		}
	}
}
