package docker

import (
	"context"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

type sandboxes struct{ e *Engine }

// Ensure implements agent.Sandboxes. Where no hostname and no runtime is asked for,
// one in stock is taken by giving it the container's name, which the engine does
// atomically; making one takes most of the time that a start costs.
func (s sandboxes) Ensure(ctx context.Context, want agent.SandboxSpec) (agent.Object, error) {
	name := sandboxName(want.Container)
	existing, err := s.e.inspect(ctx, name)
	switch {
	case err == nil && existing.PID != 0 && existing.Container == want.Container:
		return existing, nil
	case err == nil && existing.Container != want.Container:
		return agent.Object{}, domain.NewFault(domain.Conflict, "name-clash", "The container engine of the host has another container called %s.", name)
	case err == nil:
		return s.e.revive(ctx, existing)
	case !domain.IsKind(err, domain.NotFound):
		return agent.Object{}, err
	}
	if want.Hostname == "" && want.Runtime == "" {
		if o, taken := s.e.stock.take(ctx, want.Container); taken {
			return o, nil
		}
	}
	return s.e.makeSandbox(ctx, name, want)
}

// revive starts a holder that died: it gets a new namespace and keeps its id. The
// engine bound the members to that id when they were created, so that they could
// never start in another. The agent tells by its start that members ended before it.
func (e *Engine) revive(ctx context.Context, dead agent.Object) (agent.Object, error) {
	if _, err := e.api.ContainerStart(ctx, dead.EngineID, client.ContainerStartOptions{}); err != nil {
		return agent.Object{}, startFault(err)
	}
	return e.inspect(ctx, dead.EngineID)
}

// makeSandbox creates and starts a holder. Its labels name the container unless it
// is made for the stock.
func (e *Engine) makeSandbox(ctx context.Context, name string, want agent.SandboxSpec) (agent.Object, error) {
	if err := e.haveHolder(ctx); err != nil {
		return agent.Object{}, err
	}
	options := client.ContainerCreateOptions{
		Name: name,
		Config: &container.Config{
			Image: holderImage, Hostname: want.Hostname, Labels: e.labels(want.Container, 0, roleSandbox),
			StopSignal: "SIGKILL", // the holder hears no other, and an engine that shuts down waits for it
		},
		HostConfig: &container.HostConfig{
			NetworkMode: "none", Runtime: want.Runtime, ReadonlyRootfs: true, CapDrop: []string{"ALL"},
			SecurityOpt: []string{"no-new-privileges"}, LogConfig: container.LogConfig{Type: "none"},
		},
	}
	created, err := e.api.ContainerCreate(ctx, options)
	if err != nil {
		if f := fault(err); f.Kind != domain.NotFound {
			return agent.Object{}, f
		}
		e.loseHolder() // somebody removed the image
		if err := e.haveHolder(ctx); err != nil {
			return agent.Object{}, err
		}
		if created, err = e.api.ContainerCreate(ctx, options); err != nil {
			return agent.Object{}, fault(err)
		}
	}
	if _, err := e.api.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoBound)
		defer cancel()
		if removeErr := e.remove(undo, created.ID); removeErr != nil {
			e.log.WarnContext(ctx, "a sandbox that did not start is left", "name", name, "error", removeErr)
		}
		return agent.Object{}, startFault(err)
	}
	return e.inspect(ctx, created.ID)
}

// undoBound bounds the undoing of a half-made object after its call's own end.
const undoBound = 30 * time.Second

// Remove implements agent.Sandboxes.
func (s sandboxes) Remove(ctx context.Context, id domain.ContainerID) error {
	o, err := s.e.inspect(ctx, sandboxName(id))
	if domain.IsKind(err, domain.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.Container != id || !o.Sandbox {
		return nil // a stranger's
	}
	return s.e.remove(ctx, o.EngineID)
}
