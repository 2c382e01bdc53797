//go:build integration

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// deed is one request of a container's life and what must become of it.
type deed struct {
	verb   string
	query  url.Values
	status string // once the request has ended
	early  bool   // a verb that only earlier versions of the API have
}

// deeds is every verb that goes through the queue and has a window of its own. The
// signal is one that the program counts, so that it tells how often it was struck.
func deeds() map[string]deed {
	network, group := url.Values{"network": {otherNetwork}}, url.Values{"name": {otherGroup}}
	return map[string]deed{
		"kill":           {verb: "kill", query: url.Values{"signal": {"SIGUSR1"}}, status: "Running"},
		"stop":           {verb: "stop", query: url.Values{"timeout": {"2"}}, status: "Stopped"},
		"start":          {verb: "start", status: "Running"},
		"pause":          {verb: "pause", status: "Paused"},
		"unpause":        {verb: "unpause", status: "Running"},
		"reboot":         {verb: "reboot", query: url.Values{"timeout": {"2"}}, status: "Running"},
		"rebuild":        {verb: "rebuild", status: "Running"},
		"network_attach": {verb: "network_attach", query: network, status: "Running"},
		"network_detach": {verb: "network_detach", query: network, status: "Running"},

		"add_security_group":    {verb: "add_security_group", query: group, status: "Running", early: true},
		"remove_security_group": {verb: "remove_security_group", query: group, status: "Running", early: true},
	}
}

// verbs are a whole life, in an order in which each is legal.
func verbs() []string {
	return []string{
		"create", "kill", "stop", "start", "pause", "unpause", "reboot", "update", "neighbour", "rename", "put_archive", "network_attach", "network_detach",
		"add_security_group", "remove_security_group", "commit", "image_delete", "rebuild", "delete",
	}
}

// upTo is a life as short as it may be with verb in it.
func upTo(verb string) []string {
	needs := map[string]string{"start": "stop", "unpause": "pause", "network_detach": "network_attach", "image_delete": "commit",
		"remove_security_group": "add_security_group"}
	lived := []string{verb}
	for need := needs[verb]; need != ""; need = needs[need] {
		lived = append([]string{need}, lived...)
	}
	if verb == "pause" { // a paused container would not end in time
		lived = append(lived, "unpause")
	}
	lived = append([]string{"create"}, lived...)
	if verb == "commit" { // what was made goes again
		lived = append(lived, "image_delete")
	}
	lived = slices.DeleteFunc(lived, func(v string) bool { return v == "delete" })
	return slices.Compact(append(lived, "delete"))
}

// program says when it is ready, and when it is struck by a signal, and ends when
// asked to.
func program() []string {
	return []string{"sh", "-c", "trap 'echo struck' USR1; trap 'exit 0' TERM; echo ready; while :; do sleep 3600 & wait $!; done"}
}

// life is the verbs that a container of that name goes through. before is called ahead
// of each.
type life struct {
	name   string
	verbs  []string
	before func(verb string)
}

// live takes a container through its life. A request that a crash cut off is sent again
// only if the service does not know it; every request that it accepted must come to its
// end by itself. It says whether the fate of what is done once was hidden.
func (l *lane) live(t *testing.T, life life) (hidden bool) {
	t.Helper()
	uuid, image := "", ""
	for _, verb := range life.verbs {
		life.before(verb)
		switch verb {
		case "create":
			uuid = l.create(t, life.name)
			l.await(t, uuid, "Running")
			l.ready(t, uuid)
		case "kill":
			hidden = l.struck(t, uuid, l.do(t, uuid, deeds()[verb]))
		case "update":
			l.update(t, uuid)
		case "neighbour":
			l.neighbour(t, uuid)
		case "rename":
			l.rename(t, uuid, life.name+"-renamed")
		case "put_archive":
			l.put(t, uuid)
		case "add_security_group", "remove_security_group":
			l.regroup(t, uuid, deeds()[verb])
		case "commit":
			image = l.commit(t, uuid)
			hidden = image == ""
		case "image_delete":
			l.removeImage(t, image)
		case "delete":
			l.remove(t, uuid)
		default:
			if ended := l.do(t, uuid, deeds()[verb]); ended.Message != nil {
				t.Errorf("%s ended as %s", verb, *ended.Message)
			}
		}
	}
	return hidden
}

func (l *lane) ready(t *testing.T, uuid string) {
	t.Helper()
	l.Eventually(t, "the program is ready for signals", func() error {
		log, err := l.CLI.Logs(t.Context(), uuid, nil)
		if err == nil && !strings.Contains(log, "ready") {
			err = errors.New("it is not yet")
		}
		return err
	})
}

// create asks for the usual container until the service knows it.
func (l *lane) create(t *testing.T, name string) (uuid string) {
	t.Helper()
	return l.createOf(t, l.order(name))
}

func (l *lane) createOf(t *testing.T, order api.ContainerCreate) (uuid string) {
	t.Helper()
	l.Eventually(t, "the create is accepted", func() error {
		known, err := l.CLI.Containers(t.Context(), client.ListOptions{Filters: url.Values{"name": {order.Name}}})
		if err != nil {
			return err
		}
		if len(known) == 0 {
			c, err := l.CLI.CreateContainer(t.Context(), order, true)
			uuid = c.UUID
			return err
		}
		uuid = known[0].UUID
		return nil
	})
	return uuid
}

// order is the usual container. It is pulled each time, so that every life meets the
// window of the pull.
func (l *lane) order(name string) api.ContainerCreate {
	return api.ContainerCreate{Name: name, Image: l.Engine.Image(), Command: program(), ImagePullPolicy: "always", Memory: "64",
		Mounts: []api.MountRequest{{Type: "volume", Size: "1", Destination: "/data"}}}
}

// do asks for a deed until the service has taken it, and waits for its end.
func (l *lane) do(t *testing.T, uuid string, what deed) (ended api.Action) {
	t.Helper()
	ctx := t.Context()
	var before int
	l.Eventually(t, "the service answers", func() (err error) {
		before, err = l.count(ctx, uuid, what.verb)
		return err
	})
	l.Eventually(t, what.verb+" is accepted", func() error {
		if now, err := l.count(ctx, uuid, what.verb); err != nil || now > before {
			return err
		}
		if what.early {
			return l.early.Act(ctx, uuid, what.verb, what.query)
		}
		return l.CLI.Act(ctx, uuid, what.verb, what.query)
	})
	l.Eventually(t, what.verb+" has ended well", func() error {
		c, err := l.CLI.Container(ctx, uuid, false)
		if err != nil {
			return err
		}
		if ended, err = l.newest(ctx, uuid, what.verb); err != nil {
			return err
		}
		if ended.FinishTime == nil || c.Status != what.status {
			return fmt.Errorf("the container is %s: %s", c.Status, said(c))
		}
		return nil
	})
	return ended
}

// remove deletes a container and waits until nobody knows it.
func (l *lane) remove(t *testing.T, uuid string) {
	t.Helper()
	accepted := false
	l.Eventually(t, "the container is gone", func() error {
		c, err := l.CLI.Container(t.Context(), uuid, false)
		if isNotFound(err) {
			return nil
		}
		if err == nil && !accepted && c.Status != "Deleting" {
			err = l.CLI.DeleteContainer(t.Context(), uuid, client.DeleteOptions{Stop: true})
			accepted = err == nil
		}
		return errors.Join(err, fmt.Errorf("it is %s: %s", c.Status, said(c)))
	})
}

// struck holds that the program was struck exactly once, or, if the service says
// that the outcome is unknown, at most once.
func (l *lane) struck(t *testing.T, uuid string, ended api.Action) (hidden bool) {
	t.Helper()
	hidden = ended.Message != nil
	l.Eventually(t, "the signal struck once", func() error {
		log, err := l.CLI.Logs(t.Context(), uuid, nil)
		n := strings.Count(log, "struck")
		if n > 1 {
			t.Fatalf("the signal was sent %d times", n)
		}
		if err == nil && n == 0 && !hidden {
			err = errors.New("it did not")
		}
		return err
	})
	return hidden
}

func (l *lane) await(t *testing.T, uuid, status string) (c api.Container) {
	t.Helper()
	l.Eventually(t, "the container is "+status, func() (err error) {
		c, err = l.CLI.Container(t.Context(), uuid, false)
		if err == nil && c.Status != status {
			err = fmt.Errorf("it is %s: %s", c.Status, said(c))
		}
		return err
	})
	return c
}

// count is how many requests of a verb the service has on record.
func (l *lane) count(ctx context.Context, uuid, verb string) (n int, err error) {
	actions, err := l.CLI.Actions(ctx, uuid)
	for _, a := range actions {
		if a.Action == verb {
			n++
		}
	}
	return n, err
}

func (l *lane) newest(ctx context.Context, uuid, verb string) (api.Action, error) {
	actions, err := l.CLI.Actions(ctx, uuid)
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
