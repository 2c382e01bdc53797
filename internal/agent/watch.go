package agent

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/agent/queue"
	"github.com/go-zun/zun/internal/domain"
)

// watch keeps the ledger's objects true: it lists them all, then follows the
// engine's events, and begins again when the stream breaks.
func (a *Agent) watch(ctx context.Context) {
	silence := queue.Backoff{First: 100 * time.Millisecond, Longest: 5 * time.Second}
	first := true
	for ctx.Err() == nil {
		events, stop, err := a.attend(ctx)
		if first {
			close(a.looked)
			first = false
		}
		if err != nil {
			wait := silence.Next()
			a.log.Warn("the container engine does not answer", "retry", wait, "error", err)
			if !a.pause(ctx, wait, nil) {
				return
			}
			continue
		}
		silence.Reset()
		token(a.turned)
		a.hearken(ctx, events)
		stop()
		a.ledger.blind()
		token(a.turned)
	}
}

// attend opens the stream of events and then lists, in this order, so that no
// change falls between the two.
func (a *Agent) attend(ctx context.Context) (<-chan domain.ContainerID, context.CancelFunc, error) {
	watching, stop := context.WithCancel(ctx)
	events, err := a.engine.Watch(watching)
	if err != nil {
		stop()
		return nil, nil, err
	}
	listing, cancel := context.WithTimeout(ctx, a.opt.StepTimeout)
	defer cancel()
	objects, err := a.engine.List(listing)
	if err != nil {
		stop()
		return nil, nil, err
	}
	for _, id := range a.ledger.list(objects) {
		a.queue.Add(id)
	}
	return events, stop, nil
}

func (a *Agent) hearken(ctx context.Context, events <-chan domain.ContainerID) {
	for {
		select {
		case <-ctx.Done():
			return
		case id, open := <-events:
			if !open {
				return
			}
			if a.ledger.stir(id) {
				a.queue.Add(id)
			}
		}
	}
}

// rulesRest is the least time between two fittings of the host-wide rules, and rulesAgain
// the longest: nobody tells when another firewall was loaded anew over them, or when the
// host's uplinks changed.
const (
	rulesRest  = time.Second
	rulesAgain = time.Minute
)

// fitRules makes the host-wide network rules fit the nics in use whenever those
// changed, and every now and then, but not before it is known which they are.
func (a *Agent) fitRules(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-a.rewired:
	}
	for {
		if err := a.fitRulesOnce(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("the host's network rules could not be fitted", "error", err)
			token(a.rewired)
		}
		if !a.pause(ctx, rulesRest, nil) || !a.pause(ctx, rulesAgain, a.rewired) {
			return
		}
	}
}

// fitRulesOnce reads the nics while nothing can be plugged, so that an interface
// that is just being plugged never counts as unused.
func (a *Agent) fitRulesOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.opt.StepTimeout)
	defer cancel()
	a.wires.Lock()
	defer a.wires.Unlock()
	return a.nets.Sync(ctx, a.ledger.nics())
}

// inspect asks the engine for one container's objects and notes them.
func (a *Agent) inspect(ctx context.Context, c *charge) ([]Object, error) {
	ctx, cancel := context.WithTimeout(ctx, a.opt.StepTimeout)
	defer cancel()
	a.ledger.expect(c)
	objects, err := a.engine.Inspect(ctx, c.id)
	if err != nil {
		a.ledger.stir(c.id)
		return nil, err
	}
	a.ledger.keep(c, objects)
	return objects, nil
}

// KnownMember returns the present member of id without asking the engine if it is
// known, since a direct call fails by itself on an object that is gone.
func (a *Agent) KnownMember(ctx context.Context, id domain.ContainerID) (Object, error) {
	if c := a.ledger.find(id); c != nil {
		objects, _ := a.ledger.objects(c)
		if o, ok := newest(objects); ok {
			return o, nil
		}
	}
	return a.AskMember(ctx, id)
}

// FreshMember returns the present member of id if it is as the engine last told.
func (a *Agent) FreshMember(id domain.ContainerID) (Object, bool) {
	c := a.ledger.find(id)
	if c == nil {
		return Object{}, false
	}
	objects, fresh := a.ledger.objects(c)
	o, found := newest(objects)
	return o, fresh && found
}

// AskMember asks the engine for the present member of id.
func (a *Agent) AskMember(ctx context.Context, id domain.ContainerID) (Object, error) {
	objects, err := a.engine.Inspect(ctx, id)
	if err != nil {
		return Object{}, err
	}
	o, ok := newest(objects)
	if !ok {
		return Object{}, domain.NewFault(domain.NotFound, "container-not-found", "No such container: %s", id)
	}
	return o, nil
}

func newest(objects []Object) (Object, bool) {
	var best Object
	for _, o := range objects {
		if !o.Sandbox && (best.EngineID == "" || o.Generation > best.Generation) {
			best = o
		}
	}
	return best, best.EngineID != ""
}
