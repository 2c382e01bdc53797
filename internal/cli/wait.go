package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

const (
	pollEvery  = 250 * time.Millisecond
	waitAtMost = 10 * time.Minute
)

// poll calls look until it says done or fails, for at most waitAtMost.
func poll(ctx context.Context, look func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	return pollOn(ctx, look)
}

// pollOn calls look until it says done or fails, or ctx ends.
func pollOn(ctx context.Context, look func() (done bool, err error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		done, err := look()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// waitReady waits until a new container is created, or running if run, and shows
// what it is doing on a terminal. A container that ended already is ready too.
func (c *command) waitReady(ctx context.Context, cl *client.Client, uuid string, run bool) (api.Container, error) {
	ready := []string{"Created", "Running", "Stopped"}
	if run {
		ready = ready[1:]
	}
	var container api.Container
	shown := ""
	err := poll(ctx, func() (bool, error) {
		var err error
		if container, err = cl.Container(ctx, uuid, false); err != nil {
			return false, err
		}
		if line := progress(container); line != shown {
			shown = line
			c.showProgress(line)
		}
		if container.Status == "Error" {
			return false, fmt.Errorf("%s", deref(container.StatusReason, "the container could not be created"))
		}
		return slices.Contains(ready, container.Status), nil
	})
	c.showProgress("")
	return container, err
}

func progress(container api.Container) string {
	line := container.Status
	if task := deref(container.TaskState, ""); task != "" {
		line += " (" + task + ")"
	}
	if detail := deref(container.StatusDetail, ""); detail != "" {
		line += " " + detail
	}
	return line
}

// showProgress rewrites one line on a terminal; elsewhere it prints nothing.
func (c *command) showProgress(line string) {
	if isTerminal(c.Err) {
		_, _ = fmt.Fprint(c.Err, "\r\x1b[K"+gray+line+reset)
		if line == "" {
			_, _ = fmt.Fprint(c.Err, "\r\x1b[K")
		}
	}
}

func (c *command) waitGone(ctx context.Context, cl *client.Client, ident string) error {
	return poll(ctx, func() (bool, error) {
		_, err := cl.Container(ctx, ident, false)
		var refused *client.Error
		if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			return true, nil
		}
		return false, err
	})
}

func deref(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}
