package app

import (
	"context"
	"errors"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/inproc"
)

// The names under which the two wings of an all-in-one find each other.
const (
	controlInside = "control"
	agentInside   = "agent"
)

// AllInOne runs control and agent in one process until ctx ends. They speak the
// same contract with the same TLS as two processes do, over memory.
func AllInOne(ctx context.Context, c config.Config, log *slog.Logger) (err error) {
	c = consolesHere(c)
	listener, err := listenFront(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	store, err := openStore(ctx, c, log, true)
	if err != nil {
		return err
	}
	inside, m := inproc.NewNetwork(), newMetrics()
	b, err := newBrain(ctx, c, log, store, inside.Dial, m)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	defer func() { err = errors.Join(err, b.close()) }()
	door, err := newDoor(c, b, m, log)
	if err != nil {
		return err
	}
	console, err := newConsole(c, b.insides, newConsoleMetrics(m.registry), log)
	if err != nil {
		return err
	}
	controlEar, agentEar := inside.Listen(controlInside), inside.Listen(agentInside)
	vault, err := inproc.Admit(ctx, b.authority, ctl.Admission{HostName: c.Agent.Host, Address: agentInside, Zone: c.Defaults.Zone})
	if err != nil {
		return err
	}
	link, err := linkOfHost(c, vault, agentInside, []string{controlInside}, inside.Dial, log)
	if err != nil {
		return err
	}
	defer link.Close()

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.serveAgents(ctx, controlEar) })
	group.Go(func() error { return b.runLoops(ctx) })
	group.Go(func() error { return giveMemoryBack(ctx) })
	group.Go(func() error { return runHands(ctx, c, link, agentEar, watch{log, newImageFigures(m.registry), true}) })
	group.Go(func() error { return console.Run(ctx) })
	group.Go(func() error { return runDoor(ctx, c, listener, besideAPI(c, console, door), log) })
	return group.Wait()
}
