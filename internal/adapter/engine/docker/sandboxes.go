package docker

import (
	"cmp"
	"context"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

type sandboxes struct{ e *Engine }

// Stage implements agent.Sandboxes. Where no hostname and no runtime is asked for,
// one in stock is taken by giving it the container's name, which the engine does
// atomically; starting one takes most of the time that a start costs.
func (s sandboxes) Stage(ctx context.Context, want agent.SandboxSpec) (agent.Object, error) {
	stocked := want.Hostname == "" && want.Runtime == "" && s.e.stock.count() > 0
	if stocked {
		if o, err := s.standing(ctx, want.Container); !domain.IsKind(err, domain.NotFound) {
			return o, err
		}
		if o, taken := s.e.stock.take(ctx, want.Container); taken {
			return o, nil
		}
	}
	id, err := s.e.createHolder(ctx, sandboxName(want.Container), want)
	if domain.IsKind(err, domain.Conflict) {
		return s.standing(ctx, want.Container)
	}
	if err != nil {
		return agent.Object{}, err
	}
	return staged(id, want), nil
}

// standing returns the sandbox that has the container's name; a stranger of that name is
// a Conflict.
func (s sandboxes) standing(ctx context.Context, id domain.ContainerID) (agent.Object, error) {
	name := sandboxName(id)
	o, err := s.e.inspect(ctx, name)
	if err == nil && o.Container != id {
		return agent.Object{}, domain.NewFault(domain.Conflict, "name-clash", "The container engine of the host has another container called %s.", name)
	}
	return o, err
}

// staged is a holder that was just created, as a look at it would show it: each look
// costs the start of a container what the engine needs to answer.
func staged(id string, want agent.SandboxSpec) agent.Object {
	hostname := cmp.Or(want.Hostname, id[:min(len(id), shortID)]) // what the engine calls one without a name
	return agent.Object{
		EngineID: id, Container: want.Container, Sandbox: true, CreatedAt: time.Now(),
		State: domain.Observation{EngineID: id, Status: domain.Created, Detail: "Created", Hostname: hostname},
	}
}

// shortID is how many characters of its id the engine makes a hostname of.
const shortID = 12

// Ensure implements agent.Sandboxes.
func (s sandboxes) Ensure(ctx context.Context, want agent.SandboxSpec) (agent.Object, error) {
	o := want.Staged
	if o.EngineID == "" {
		var err error
		if o, err = s.Stage(ctx, want); err != nil {
			return o, err
		}
	}
	if o.PID != 0 {
		return o, nil
	}
	return s.e.revive(ctx, o)
}

// revive starts a holder that is staged or died: it gets a new namespace and keeps its
// id. The engine bound the members to that id when they were created, so that they could
// never start in another. The agent tells by its start that members ended before it.
func (e *Engine) revive(ctx context.Context, dead agent.Object) (agent.Object, error) {
	if _, err := e.api.ContainerStart(ctx, dead.EngineID, client.ContainerStartOptions{}); err != nil {
		return agent.Object{}, startFault(err)
	}
	return e.inspect(ctx, dead.EngineID)
}

// makeSandbox creates and starts a holder of its own, which is gone again if it does
// not start.
func (e *Engine) makeSandbox(ctx context.Context, name string, want agent.SandboxSpec) (agent.Object, error) {
	id, err := e.createHolder(ctx, name, want)
	if err != nil {
		return agent.Object{}, err
	}
	o, err := e.revive(ctx, agent.Object{EngineID: id})
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoBound)
		defer cancel()
		if removeErr := e.remove(undo, id); removeErr != nil {
			e.log.WarnContext(ctx, "a sandbox that did not start is left", "name", name, "error", removeErr)
		}
	}
	return o, err
}

// createHolder creates a holder and returns its id. Its labels name the container
// unless it is made for the stock.
func (e *Engine) createHolder(ctx context.Context, name string, want agent.SandboxSpec) (string, error) {
	if err := e.haveHolder(ctx); err != nil {
		return "", err
	}
	options := client.ContainerCreateOptions{
		Name: name,
		Config: &container.Config{
			Image: holderImage, Hostname: want.Hostname, Labels: e.labels(want.Container, 0, roleSandbox),
			StopSignal: "SIGKILL", // the holder hears no other, and an engine that shuts down waits for it
		},
		HostConfig: &container.HostConfig{
			NetworkMode: "none", Runtime: cmp.Or(want.Runtime, e.options.Runtime), ReadonlyRootfs: true, CapDrop: []string{"ALL"},
			SecurityOpt: []string{"no-new-privileges"}, LogConfig: container.LogConfig{Type: "none"},
		},
	}
	created, err := e.api.ContainerCreate(ctx, options)
	if err == nil {
		return created.ID, nil
	}
	if f := fault(err); f.Kind != domain.NotFound {
		return "", f
	}
	e.loseHolder() // somebody removed the image
	if err := e.haveHolder(ctx); err != nil {
		return "", err
	}
	if created, err = e.api.ContainerCreate(ctx, options); err != nil {
		return "", fault(err)
	}
	return created.ID, nil
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
