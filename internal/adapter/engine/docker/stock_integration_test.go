//go:build integration

package docker_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/docker"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/google/uuid"
	"github.com/moby/moby/client"
)

// inStock counts the running sandboxes that nobody has taken.
func inStock(t *testing.T, deployment string) int {
	t.Helper()
	found, err := raw(t).ContainerList(t.Context(), client.ContainerListOptions{
		Filters: make(client.Filters).Add("label", domain.LabelDeployment+"="+deployment),
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, item := range found.Items {
		if strings.HasPrefix(item.Names[0], "/zun-ready-") {
			n++
		}
	}
	return n
}

func awaitStock(t *testing.T, deployment string, want int) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for inStock(t, deployment) != want {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d sandboxes in stock, want %d", inStock(t, deployment), want)
		}
	}
}

// running runs an engine's background work until the returned function is called.
func running(t *testing.T, e *docker.Engine) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

func TestStock(t *testing.T) {
	deployment := uuid.NewString()
	options := docker.Options{Deployment: deployment, ReadySandboxes: 2, Log: slog.New(slog.DiscardHandler)}
	e := open(t, options)
	t.Cleanup(func() {
		if err := e.Purge(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("purge: %v", err)
		}
	})
	stop := running(t, e)
	awaitStock(t, deployment, 2)

	id := domain.ContainerID(uuid.NewString())
	o, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: id})
	if err != nil {
		t.Fatal(err)
	}
	if o.Container != id || !o.Sandbox || o.NetNS == "" || o.State.Hostname == "" {
		t.Errorf("the sandbox taken is %+v", o)
	}
	again, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: id})
	if err != nil || again.EngineID != o.EngineID {
		t.Errorf("taking twice: %s and %s, %v", o.EngineID, again.EngineID, err)
	}
	awaitStock(t, deployment, 2)
	named, err := e.Sandboxes().Ensure(t.Context(), agent.SandboxSpec{Container: domain.ContainerID(uuid.NewString()), Hostname: "web"})
	if err != nil || named.State.Hostname != "web" {
		t.Errorf("with a hostname: %+v, %v", named, err)
	}
	listed, err := e.List(t.Context())
	if err != nil || len(listed) != 2 {
		t.Errorf("listed with two in stock: %d, %v", len(listed), err)
	}
	stop()

	next := open(t, options) // the next run of the agent takes the stock over
	defer running(t, next)()
	awaitStock(t, deployment, 2)
	objects, err := next.Inspect(t.Context(), id)
	if err != nil || len(objects) != 1 || objects[0].EngineID != o.EngineID {
		t.Errorf("after a restart: %v, %v", objects, err)
	}
	if err := next.Sandboxes().Remove(t.Context(), id); err != nil {
		t.Errorf("remove: %v", err)
	}
}

func TestEngineThatIsDown(t *testing.T) {
	e, err := docker.New(docker.Options{Host: "unix:///nonexistent/docker.sock", Deployment: "d", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_, infoErr := e.Info(t.Context())
	_, listErr := e.List(t.Context())
	_, watchErr := e.Watch(t.Context())
	pullErr := e.Images().Pull(t.Context(), "web", nil, nil)
	for _, err := range []error{infoErr, listErr, watchErr, pullErr} {
		if !domain.IsKind(err, domain.Unavailable) || !strings.Contains(domain.AsFault(err).Message, "does not answer") {
			t.Errorf("got %v, want one plain sentence of an engine that does not answer", err)
		}
	}
}
