// Package calls carries out the direct calls to a host: they look into the engine, or run
// beside the container's own process, and pass the queue by.
package calls

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/parcel"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Calls find the container's present object and hand the call to the engine's optional
// capability; an engine without it gives Unsupported, a container without an object
// NotFound.
type Calls struct {
	agent   *agent.Agent
	parcels parcel.Room
}

// New returns the calls to the host of a; archives on their way in lie in parcels. They
// may be made from any goroutine.
func New(a *agent.Agent, parcels parcel.Room) *Calls { return &Calls{agent: a, parcels: parcels} }

// Observe asks the engine now.
func (c *Calls) Observe(ctx context.Context, id domain.ContainerID) (domain.Observation, error) {
	o, err := c.agent.AskMember(ctx, id)
	return o.State, err
}

// ExecRun runs a command to its end. Output is cut at the agent's bound; Timeout
// when ctx's deadline comes first.
func (c *Calls) ExecRun(ctx context.Context, id domain.ContainerID, cmd []string) (domain.ExecResult, error) {
	execer, o, err := capability[agent.Execer](ctx, c.agent, id, "run commands")
	if err != nil {
		return domain.ExecResult{}, err
	}
	return execer.ExecRun(ctx, o, cmd, c.agent.ExecOutput())
}

// Logs reads the output so far into sink.
func (c *Calls) Logs(ctx context.Context, id domain.ContainerID, q domain.LogQuery,
	sink func(stream domain.LogStream, chunk []byte) error) error {
	logger, o, err := capability[agent.Logger](ctx, c.agent, id, "read logs")
	if err != nil {
		return err
	}
	return logger.Logs(ctx, o, q, sink)
}

// Top lists the processes as ps with psArgs sees them.
func (c *Calls) Top(ctx context.Context, id domain.ContainerID, psArgs string) (domain.ProcessTable, error) {
	observer, o, err := capability[agent.Observer](ctx, c.agent, id, "list processes")
	if err != nil {
		return domain.ProcessTable{}, err
	}
	return observer.Top(ctx, o, psArgs)
}

// Stats samples the usage of resources.
func (c *Calls) Stats(ctx context.Context, id domain.ContainerID) (domain.Stats, error) {
	observer, o, err := capability[agent.Observer](ctx, c.agent, id, "measure usage")
	if err != nil {
		return domain.Stats{}, err
	}
	return observer.Stats(ctx, o)
}

// Terminals returns the interactive calls.
func (c *Calls) Terminals() *Terminals { return &Terminals{agent: c.agent} }

// Archives returns the file calls.
func (c *Calls) Archives() *Archives { return &Archives{agent: c.agent, parcels: c.parcels} }

// Terminals are exec sessions and the container's own terminal.
type Terminals struct {
	agent *agent.Agent
}

// ExecCreate prepares a session and returns the engine's id of it.
func (t *Terminals) ExecCreate(ctx context.Context, id domain.ContainerID, cmd []string, tty bool) (string, error) {
	execer, o, err := capability[agent.Execer](ctx, t.agent, id, "run commands")
	if err != nil {
		return "", err
	}
	return execer.ExecCreate(ctx, o, cmd, tty)
}

// ExecResize tells the session its terminal's size in characters.
func (t *Terminals) ExecResize(ctx context.Context, id domain.ContainerID, execID string, w, h int) error {
	execer, o, err := capability[agent.Execer](ctx, t.agent, id, "run commands")
	if err != nil {
		return err
	}
	return execer.ExecResize(ctx, o, execID, w, h)
}

// Resize tells the container its terminal's size in characters.
func (t *Terminals) Resize(ctx context.Context, id domain.ContainerID, w, h int) error {
	attacher, o, err := capability[agent.Attacher](ctx, t.agent, id, "attach terminals")
	if err != nil {
		return err
	}
	return attacher.Resize(ctx, o, w, h)
}

// Open joins the session execID, or the container's own streams if it is empty.
// The caller closes the stream.
func (t *Terminals) Open(ctx context.Context, id domain.ContainerID, execID string) (agent.Stream, error) {
	if execID == "" {
		attacher, o, err := capability[agent.Attacher](ctx, t.agent, id, "attach terminals")
		if err != nil {
			return nil, err
		}
		return attacher.Attach(ctx, o)
	}
	execer, o, err := capability[agent.Execer](ctx, t.agent, id, "run commands")
	if err != nil {
		return nil, err
	}
	return execer.ExecOpen(ctx, o, execID)
}

// Archives streams files in and out as tar.
type Archives struct {
	agent   *agent.Agent
	parcels parcel.Room
}

// Get streams path as a tar into sink and describes it.
func (a *Archives) Get(ctx context.Context, id domain.ContainerID, path string, sink func(chunk []byte) error) (domain.PathStat, error) {
	archiver, o, err := capability[agent.Archiver](ctx, a.agent, id, "copy files")
	if err != nil {
		return domain.PathStat{}, err
	}
	return archiver.GetArchive(ctx, o, path, sink)
}

// Put unpacks the tar from source at path, once all of it is here: one that breaks off
// leaves nothing half made in the container.
func (a *Archives) Put(ctx context.Context, id domain.ContainerID, path string, source agent.Reader) error {
	archiver, o, err := capability[agent.Archiver](ctx, a.agent, id, "copy files")
	if err != nil {
		return err
	}
	archive, err := a.parcels.Receive(source)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	return failpoint.Around(failpoint.ArchivePut, func() error { return archiver.PutArchive(ctx, o, path, archive) })
}

// capability returns the engine as T together with the container's member. The
// ability is asked first, because it costs no call.
func capability[T any](ctx context.Context, a *agent.Agent, id domain.ContainerID, what string) (T, agent.Object, error) {
	able, ok := a.Engine().(T)
	if !ok {
		return able, agent.Object{}, domain.NewFault(domain.Unsupported, "unsupported", "this host's engine cannot %s", what)
	}
	o, err := a.KnownMember(ctx, id)
	return able, o, err
}
