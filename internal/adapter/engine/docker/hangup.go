package docker

import (
	"context"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

const (
	// hangUpBound bounds the end of a process whose user went away.
	hangUpBound = 5 * time.Second
	// hangUpGrace is how long the process may take to end by itself.
	hangUpGrace = 2 * time.Second
)

// hangUp ends the process of an exec session whose stream was closed before the
// process had ended: the engine alone would leave it running with nobody to talk to.
// It gets what a terminal that is hung up gives, and then no choice. The engine is
// asked before each signal, so that none goes to a later process of that number.
func (e *Engine) hangUp(id string) {
	// A life of its own, because the call that the stream belonged to is over.
	ctx, cancel := context.WithTimeout(context.Background(), hangUpBound)
	defer cancel()
	if !e.signalExec(ctx, id, unix.SIGHUP) {
		return
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(hangUpGrace)
	defer late.Stop()
	for {
		select {
		case <-tick.C:
			if !e.signalExec(ctx, id, 0) {
				return
			}
		case <-late.C:
			e.signalExec(ctx, id, unix.SIGKILL)
			return
		case <-ctx.Done():
			return
		}
	}
}

// signalExec signals the process of a session that runs; false if none does.
func (e *Engine) signalExec(ctx context.Context, id string, signal unix.Signal) bool {
	info, err := e.api.ExecInspect(ctx, id, client.ExecInspectOptions{})
	if err != nil || !info.Running || info.PID <= 0 {
		return false
	}
	return unix.Kill(info.PID, signal) == nil
}
