package docker

import (
	"context"
	"errors"
	"io/fs"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/adapter/engine/docker/logfile"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// OpenJournal implements agent.Journaler. It reads the engine's files, which takes an
// engine on this machine that keeps logs in the form "json-file".
func (e *Engine) OpenJournal(ctx context.Context, o agent.Object) (journal.Reader, error) {
	info, err := e.api.ContainerInspect(ctx, o.EngineID, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fault(err)
	}
	c := info.Container
	if c.HostConfig == nil || c.HostConfig.LogConfig.Type != "json-file" {
		return nil, domain.NewFault(domain.Unsupported, "unsupported", "the engine keeps the log of container %s in a form that cannot be followed", o.Container)
	}
	r, err := logfile.Open(c.LogPath)
	switch {
	case err == nil:
		return r, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, domain.WrapFault(err, domain.Unavailable, "log-unavailable", "the log of container %s cannot be read at the moment", o.Container)
	default:
		return nil, domain.WrapFault(err, domain.Unsupported, "unsupported", "this host's agent cannot read the engine's log of container %s", o.Container)
	}
}
