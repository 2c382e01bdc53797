package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/channel"
)

// API runs the control side until ctx ends. Any number of replicas may run on one
// database.
func API(ctx context.Context, c config.Config, log *slog.Logger) (err error) {
	if c.WebSocket.InsideAPI {
		c = consolesHere(c)
	}
	listener, err := listenFront(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	agents, err := listenAgents(ctx, c.API.LinkAddress)
	if err != nil {
		return err
	}
	defer func() { _ = agents.Close() }()
	store, err := openStore(ctx, c, log, false)
	if err != nil {
		return err
	}
	m := newMetrics()
	b, err := newBrain(ctx, c, log, store, channel.TCP(), m)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	defer func() { err = errors.Join(err, b.close()) }()
	door, err := newDoor(c, b, m, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if c.WebSocket.InsideAPI {
		console, err := newConsole(c, b.insides, newConsoleMetrics(m.registry), log)
		if err != nil {
			return err
		}
		door = besideAPI(c, console, door)
		group.Go(func() error { return console.Run(ctx) })
	}
	group.Go(func() error { return b.serveAgents(ctx, agents) })
	group.Go(func() error { return b.runLoops(ctx) })
	group.Go(func() error { return giveMemoryBack(ctx) })
	group.Go(func() error { return runDoor(ctx, c, listener, door, log) })
	return group.Wait()
}

func listenAgents(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for agents on [api] link_address: %w", err)
	}
	return l, nil
}
