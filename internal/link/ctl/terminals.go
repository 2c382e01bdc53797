package ctl

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/terminal"
)

type terminals struct{ calls }

func (t terminals) ExecCreate(ctx context.Context, id domain.ContainerID, cmd []string, tty bool) (string, error) {
	reply, err := ask(ctx, t.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ExecCreateRequest) (*linkv1.ExecCreateReply, error) {
		return n.ExecCreate(ctx, r)
	}, &linkv1.ExecCreateRequest{HostId: t.host.ID, Container: string(id), Command: cmd, Tty: tty})
	return reply.GetExecId(), err
}

func (t terminals) ExecResize(ctx context.Context, id domain.ContainerID, execID string, w, h int) error {
	_, err := ask(ctx, t.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ResizeRequest) (*linkv1.ResizeReply, error) {
		return n.ExecResize(ctx, r)
	}, &linkv1.ResizeRequest{HostId: t.host.ID, Container: string(id), ExecId: execID, Width: int64(w), Height: int64(h)})
	return err
}

func (t terminals) Resize(ctx context.Context, id domain.ContainerID, w, h int) error {
	_, err := ask(ctx, t.calls, func(n linkv1.NodeClient, ctx context.Context, r *linkv1.ResizeRequest) (*linkv1.ResizeReply, error) {
		return n.Resize(ctx, r)
	}, &linkv1.ResizeRequest{HostId: t.host.ID, Container: string(id), Width: int64(w), Height: int64(h)})
	return err
}

// Open returns once the host has joined the terminal. ctx is the life of the stream.
func (t terminals) Open(ctx context.Context, id domain.ContainerID, execID string) (control.Stream, error) {
	client, err := t.nodes.client(t.host)
	if err != nil {
		return nil, err
	}
	join := &linkv1.TerminalJoin{HostId: t.host.ID, Container: string(id), ExecId: execID}
	return terminal.Join(ctx, client, join, t.host.Name)
}
