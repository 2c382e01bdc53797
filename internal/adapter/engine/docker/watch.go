package docker

import (
	"context"
	"strings"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/domain"
)

// watched are the engine's events after which a container may look different. The
// many events of execs are not among them.
func watched() []string {
	return []string{"create", "start", "die", "oom", "pause", "unpause", "destroy", "rename", "health_status"}
}

// Watch implements agent.Engine. The stream is opened when Watch returns, so that
// nothing that happens after a List that follows is missed.
func (e *Engine) Watch(ctx context.Context) (<-chan domain.ContainerID, error) {
	if _, err := e.api.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, fault(err)
	}
	filters := make(client.Filters).Add("type", "container").Add("event", watched()...).
		Add("label", domain.LabelDeployment+"="+e.options.Deployment)
	stream := e.api.Events(ctx, client.EventsListOptions{Filters: filters})
	names := make(chan domain.ContainerID, 64)
	go func() {
		defer close(names)
		for {
			select {
			case m := <-stream.Messages:
				id := ownerOf(m.Actor.Attributes)
				if id == "" {
					continue
				}
				select {
				case names <- id:
				case <-ctx.Done():
					return
				}
			case <-stream.Err:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return names, nil
}

// ownerOf tells whose object an event is about, "" for a sandbox in stock.
func ownerOf(attributes map[string]string) domain.ContainerID {
	if attributes[domain.LabelRole] != roleSandbox {
		return domain.ContainerID(attributes[domain.LabelContainer])
	}
	id, named := strings.CutSuffix(strings.TrimPrefix(attributes["name"], "zun-"), sandboxSuffix)
	if !named {
		return ""
	}
	return domain.ContainerID(id)
}
