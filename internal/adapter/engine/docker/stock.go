package docker

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// stockPrefix begins the names of sandboxes that wait for a container. It does not
// end as a sandbox's name does, so the two cannot be confused.
const stockPrefix = "zun-ready-"

// restockAfter is the pause after a failure to make one, and the longest time for
// which a sandbox that died in stock goes unnoticed.
const restockAfter = 30 * time.Second

// restockRest is how long after a sandbox was taken the next is made while others are
// left: making one at once would slow down the very start that it was taken for.
const restockRest = time.Second

// stock keeps a few sandboxes ready. What a process before this one left in stock is
// taken over: they are found by name, label and deployment.
type stock struct {
	e    *Engine
	want int
	low  chan struct{} // a token: there may be too few

	mu    sync.Mutex
	ready []agent.Object
}

func newStock(e *Engine, want int) *stock {
	return &stock{e: e, want: want, low: make(chan struct{}, 1)}
}

// take gives a ready sandbox to a container, if there is one.
func (s *stock) take(ctx context.Context, id domain.ContainerID) (agent.Object, bool) {
	for {
		s.mu.Lock()
		if len(s.ready) == 0 {
			s.mu.Unlock()
			return agent.Object{}, false
		}
		o := s.ready[0]
		s.ready = s.ready[1:]
		s.mu.Unlock()
		s.ring()
		_, err := s.e.api.ContainerRename(ctx, o.EngineID, client.ContainerRenameOptions{NewName: sandboxName(id)})
		if err != nil {
			s.e.log.WarnContext(ctx, "a ready sandbox could not be taken", "container", id, "error", err)
			continue // this one may be gone; the next may do
		}
		// One look, because a holder that died in stock has no namespace to plug.
		taken, err := s.e.inspect(ctx, o.EngineID)
		if err == nil && taken.PID != 0 {
			return taken, true
		}
		if err := s.e.remove(ctx, o.EngineID); err != nil {
			s.e.log.WarnContext(ctx, "a dead sandbox could not be removed", "container", id, "error", err)
			return agent.Object{}, false
		}
	}
}

func (s *stock) ring() {
	select {
	case s.low <- struct{}{}:
	default:
	}
}

// run adopts what is in stock and refills it until ctx ends.
func (s *stock) run(ctx context.Context) {
	adopted := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.low:
			if s.count() > 0 {
				timer.Reset(restockRest)
				continue
			}
		case <-timer.C:
		}
		if err := s.fill(ctx, &adopted); err != nil && ctx.Err() == nil {
			s.e.log.InfoContext(ctx, "sandboxes cannot be kept ready now", "error", err)
		}
		timer.Reset(restockAfter)
	}
}

func (s *stock) fill(ctx context.Context, adopted *bool) error {
	if !*adopted {
		if err := s.adopt(ctx); err != nil {
			return err
		}
		*adopted = true
	}
	for s.count() < s.want && ctx.Err() == nil {
		o, err := s.e.makeSandbox(ctx, stockPrefix+uuid.NewString(), agent.SandboxSpec{})
		if err != nil {
			return err
		}
		s.put(o)
	}
	return nil
}

// adopt takes over what a former process left: the living are put in stock, the dead
// and the too many are removed.
func (s *stock) adopt(ctx context.Context) error {
	filters := make(client.Filters).Add("label", domain.LabelDeployment+"="+s.e.options.Deployment).Add("name", stockPrefix)
	found, err := s.e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return fault(err)
	}
	for _, item := range found.Items {
		o, err := s.e.inspect(ctx, item.ID)
		if domain.IsKind(err, domain.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if o.PID != 0 && s.count() < s.want {
			s.put(o)
			continue
		}
		if err := s.e.remove(ctx, item.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *stock) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ready)
}

func (s *stock) put(o agent.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = append(s.ready, o)
}

// Purge removes every object of the deployment, the ones in stock included, and the
// images committed here: for an operator who takes the deployment off this host.
func (e *Engine) Purge(ctx context.Context) error {
	filters := make(client.Filters).Add("label", domain.LabelDeployment+"="+e.options.Deployment)
	found, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return fault(err)
	}
	for _, item := range found.Items {
		if err := e.remove(ctx, item.ID); err != nil {
			return err
		}
	}
	made, err := e.api.ImageList(ctx, client.ImageListOptions{
		Filters: make(client.Filters).Add("label", domain.LabelDeployment+"="+e.options.Deployment).Add("label", domain.LabelImage),
	})
	if err != nil {
		return fault(err)
	}
	for _, image := range made.Items {
		if _, err := e.api.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true}); goneIsFine(err) != nil {
			return fault(err)
		}
	}
	return nil
}

func inStock(names []string) bool {
	for _, name := range names {
		if strings.HasPrefix(strings.TrimPrefix(name, "/"), stockPrefix) {
			return true
		}
	}
	return false
}
