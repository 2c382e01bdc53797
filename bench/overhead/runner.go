package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	moby "github.com/moby/moby/client"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/bench/service"
	"github.com/go-zun/zun/client"
)

// How often and how long a change is waited for.
const (
	lookEvery = time.Millisecond // at the end of a command of the engine
	bound     = 60 * time.Second
)

// runner starts containers through the API of an all-in-one.
type runner struct {
	service *service.Service
	options service.Options
	api     *client.Client
	engine  *moby.Client
	image   string
	ready   int
	soonest time.Duration // that a container ran after its request, of all seen
}

func newRunner(ctx context.Context, s settings, o service.Options, ready int) (*runner, error) {
	engine, err := moby.New(moby.WithHost(s.docker))
	if err != nil {
		return nil, fmt.Errorf("reach the container engine: %w", err)
	}
	up, err := service.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &runner{service: up, options: o, engine: engine, image: s.image, ready: ready}
	if r.api, _, err = up.Login(ctx); err == nil {
		err = up.Await(ctx, "a host", bound, func() (bool, error) {
			hosts, err := r.api.Hosts(ctx, client.ListOptions{})
			return len(hosts) > 0, err
		})
	}
	if err == nil {
		err = r.stocked(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// close ends the service and takes everything of its deployment off this host.
func (r *runner) close() error {
	err := r.service.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	_, teardownErr := service.Chore(ctx, r.options, "teardown")
	return errors.Join(err, teardownErr)
}

// create starts one container; leave deletes it and waits until the host is as before.
func (r *runner) create(ctx context.Context) (leave, error) {
	_, gone, err := r.launch(ctx)
	return gone, err
}

func (r *runner) launch(ctx context.Context) (id string, gone leave, err error) {
	begun := time.Now()
	made, err := r.api.CreateContainer(ctx, api.ContainerCreate{
		Image: r.image, ImagePullPolicy: "never", ImageDriver: "docker", Command: []string{"sleep", "600"},
	}, true)
	if err != nil {
		return "", nil, fmt.Errorf("create: %w", err)
	}
	id, gone = made.UUID, func(ctx context.Context) error { return r.remove(ctx, made.UUID) }
	if err := r.restUntilLikely(ctx, begun); err != nil {
		return id, gone, err
	}
	err = r.service.Await(ctx, "a running container", bound, func() (bool, error) {
		now, err := r.api.Container(ctx, id, false)
		if err == nil && now.Status == "Error" {
			err = fmt.Errorf("the container failed: %s", *now.StatusReason)
		}
		return err == nil && now.Status == "Running", err
	})
	if took := time.Since(begun); err == nil && (r.soonest == 0 || took < r.soonest) {
		r.soonest = took
	}
	return id, gone, err
}

// restUntilLikely keeps the questions about a container away from most of its start: on
// a small machine they would take the processor from what they ask about.
func (r *runner) restUntilLikely(ctx context.Context, begun time.Time) error {
	likely := time.NewTimer(time.Until(begun.Add(r.soonest * 3 / 4)))
	defer likely.Stop()
	select {
	case <-likely.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *runner) remove(ctx context.Context, id string) error {
	if err := r.api.DeleteContainer(ctx, id, client.DeleteOptions{Force: true}); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return r.service.Await(ctx, "the end of a container", bound, func() (bool, error) {
		_, err := r.api.Container(ctx, id, false)
		var refused *client.Error
		if errors.As(err, &refused) && refused.Status == 404 {
			return true, nil
		}
		return false, err
	})
}

// stocked waits until the sandboxes that the service keeps ready are there again, so
// that making them falls into nobody's measurement.
func (r *runner) stocked(ctx context.Context) error {
	if r.ready == 0 {
		return nil
	}
	return r.service.Await(ctx, "ready sandboxes", bound, func() (bool, error) {
		found, err := r.engine.ContainerList(ctx, moby.ContainerListOptions{
			Filters: make(moby.Filters).Add("name", "zun-ready-").Add("status", "running"),
		})
		return len(found.Items) >= r.ready, err
	})
}

// execute runs a command and takes its output and exit code.
func (r *runner) execute(ctx context.Context, id string) error {
	result, err := r.api.Execute(ctx, id, "echo hello")
	if err != nil {
		return fmt.Errorf("execute: %w", err)
	}
	if result.Output == nil || *result.Output != "hello\n" {
		return fmt.Errorf("the command answered %v", result)
	}
	return nil
}
