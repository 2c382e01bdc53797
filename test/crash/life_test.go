//go:build integration

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// deed is one request of a container's life and what must become of it.
type deed struct {
	verb   string
	query  url.Values
	status []string // any of these, once the request has ended
}

// life is every verb that has a window of its own, in an order in which each is legal.
func life() []deed {
	return []deed{
		{verb: "stop", query: url.Values{"timeout": {"1"}}, status: []string{"Stopped"}},
		{verb: "start", status: []string{"Running"}},
		{verb: "pause", status: []string{"Paused"}},
		{verb: "unpause", status: []string{"Running"}},
		{verb: "kill", status: []string{"Stopped"}},
		{verb: "start", status: []string{"Running"}},
		{verb: "reboot", query: url.Values{"timeout": {"1"}}, status: []string{"Running"}},
	}
}

// live takes a container through its whole life. Requests that a crash cut off are
// sent again only if the service does not know them; every request that it accepted
// must come to its end by itself.
func (d *deployment) live(t *testing.T, name string) {
	t.Helper()
	ctx := t.Context()
	uuid := d.create(t, name)
	d.await(t, uuid, "Running")
	for _, deed := range life() {
		d.do(t, uuid, deed)
	}
	before := d.count(ctx, uuid, "delete")
	eventually(t, "the delete is accepted", func() error {
		err := d.cli.DeleteContainer(ctx, uuid, client.DeleteOptions{Stop: true})
		if isNotFound(err) || d.count(ctx, uuid, "delete") > before {
			return nil
		}
		return err
	})
	eventually(t, "the container is gone", func() error {
		c, err := d.cli.Container(ctx, uuid, false)
		if isNotFound(err) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("it is %s: %s", c.Status, said(c)))
	})
}

func (d *deployment) create(t *testing.T, name string) (uuid string) {
	t.Helper()
	eventually(t, "the create is accepted", func() error {
		known, err := d.cli.Containers(t.Context(), client.ListOptions{Filters: url.Values{"name": {name}}})
		if err != nil {
			return err
		}
		if len(known) > 0 {
			uuid = known[0].UUID
			return nil
		}
		c, err := d.cli.CreateContainer(t.Context(), api.ContainerCreate{
			Name: name, Image: d.engine.image(), Command: []string{"sleep", "3600"}, ImagePullPolicy: "ifnotpresent", Memory: "64",
		}, true)
		uuid = c.UUID
		return err
	})
	return uuid
}

// do asks for a deed until the service has taken it, then waits for its end.
func (d *deployment) do(t *testing.T, uuid string, what deed) {
	t.Helper()
	ctx := t.Context()
	before := d.count(ctx, uuid, what.verb)
	eventually(t, what.verb+" is accepted", func() error {
		if before < 0 { // the service was down when it was asked
			if before = d.count(ctx, uuid, what.verb); before < 0 {
				return errors.New("the service does not answer")
			}
		}
		err := d.cli.Act(ctx, uuid, what.verb, what.query)
		if err == nil || d.count(ctx, uuid, what.verb) > before {
			return nil
		}
		return err
	})
	again := false
	eventually(t, what.verb+" has ended well", func() error {
		c, err := d.cli.Container(ctx, uuid, false)
		if err != nil {
			return err
		}
		last, err := d.newest(ctx, uuid, what.verb)
		if err != nil {
			return err
		}
		if last.FinishTime == nil {
			return fmt.Errorf("it is under way, the container %s", c.Status)
		}
		if slices.Contains(what.status, c.Status) {
			return nil
		}
		// A signal whose fate a crash hid is never sent twice by the service: the
		// record says so, and whether to ask again is the user's choice.
		if what.verb == "kill" && last.Message != nil && !again {
			again = true
			return errors.Join(errors.New("its outcome is unknown"), d.cli.Act(ctx, uuid, what.verb, what.query))
		}
		return fmt.Errorf("the container is %s: %s", c.Status, said(c))
	})
}

func (d *deployment) await(t *testing.T, uuid, status string) {
	t.Helper()
	eventually(t, "the container is "+status, func() error {
		c, err := d.cli.Container(t.Context(), uuid, false)
		if err == nil && c.Status != status {
			err = fmt.Errorf("it is %s: %s", c.Status, said(c))
		}
		return err
	})
}

// count is how many requests of a verb the service has on record; -1 if it does not answer.
func (d *deployment) count(ctx context.Context, uuid, verb string) int {
	actions, err := d.cli.Actions(ctx, uuid)
	if err != nil {
		return -1
	}
	n := 0
	for _, a := range actions {
		if a.Action == verb {
			n++
		}
	}
	return n
}

func (d *deployment) newest(ctx context.Context, uuid, verb string) (api.Action, error) {
	actions, err := d.cli.Actions(ctx, uuid)
	if err != nil {
		return api.Action{}, err
	}
	for _, a := range actions { // newest first
		if a.Action == verb {
			return a, nil
		}
	}
	return api.Action{}, fmt.Errorf("no %s is on record", verb)
}

func said(c api.Container) string {
	if c.StatusReason == nil {
		return "no reason given"
	}
	return *c.StatusReason
}

func isNotFound(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}
