//go:build integration

package images_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/kit/asking"
	"github.com/go-zun/zun/test/allinone"
)

// TestWhileTheRegistryIsAway asks every route about images of a registry that refuses
// connections, and of one that takes them and says nothing: nothing is a 500, what was
// accepted ends in Error with the reason or can be deleted, and the next request works.
func TestWhileTheRegistryIsAway(t *testing.T) {
	w := open(t, "10.174.0.0/16", "[DEFAULT]\nrpc_response_timeout = 10")
	t.Run("refusing", func(t *testing.T) {
		o := &outage{w.of(t), refusing(t)}
		o.ask()
		uuid := o.want("of a registry that is away", ours, map[string]any{"image": o.reference()}, "Error", "cannot be reached from the host")
		o.settled()
		o.delete(uuid)
		o.works()
	})
	t.Run("silent", func(t *testing.T) {
		o := &outage{w.of(t), silent(t)}
		o.ask()
		o.settled()
		code, made := o.world.ask(ours, http.MethodPost, "/v1/containers", fmt.Sprintf(`{"image": %q}`, o.reference()))
		if code != http.StatusAccepted {
			t.Fatalf("create: %d %v", code, made)
		}
		o.clear() // also what waits for the registry
		o.works()
	})
}

// of is the service for a test within the one that started it.
func (w *world) of(t *testing.T) *world {
	within := *w
	within.t = t
	return &within
}

// outage is a service and the address of a registry that does not serve it.
type outage struct {
	*world
	registry string
}

func (o *outage) reference() string { return o.registry + "/app:1" }

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return l.Addr().String()
}

// silent is an address at which every connection is taken and nothing said.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var visits sync.WaitGroup
	over := make(chan struct{})
	visits.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			visits.Go(func() {
				<-over
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		close(over)
		_ = l.Close()
		visits.Wait()
	})
	return l.Addr().String()
}

// ask sends a good request to every route: what reads, what changes and what deletes,
// one after the other.
func (o *outage) ask() {
	o.t.Helper()
	o.want("what is there", ours, map[string]any{"image": local, "image_pull_policy": "never", "name": "web"}, "Running", "")
	code, pulled := o.world.ask("admin", http.MethodPost, "/v1/images", fmt.Sprintf(`{"repo": %q, "host": "vm"}`, o.reference()))
	image, _ := pulled["uuid"].(string)
	if code != http.StatusAccepted || image == "" {
		o.t.Fatalf("pull: %d %v", code, pulled)
	}
	var turns [3][]asking.Request
	for _, r := range asking.All(asking.Names{Container: "web", Capsule: "nosuch", Registry: "nosuch", Image: image, Network: "nosuch",
		Host: "vm", Project: "p1", Request: "req-x", Reference: o.reference()}) {
		switch {
		case r.Streams || strings.HasPrefix(r.Path, "/v1/services") && r.Method != http.MethodGet: // has no end; takes the host away
		case r.Method == http.MethodGet:
			turns[0] = append(turns[0], r)
		case r.Method == http.MethodDelete:
			turns[2] = append(turns[2], r)
		default:
			turns[1] = append(turns[1], r)
		}
	}
	for _, turn := range turns {
		if len(turn) < 5 {
			o.t.Errorf("only %d routes are asked at once", len(turn))
		}
		var all sync.WaitGroup
		for _, r := range turn {
			all.Go(func() { o.send(r) })
		}
		all.Wait()
	}
}

// send sends a request, which may be refused but not fail.
func (o *outage) send(r asking.Request) {
	request, err := http.NewRequestWithContext(o.t.Context(), r.Method, o.URL+r.Path+"?"+r.Query, strings.NewReader(r.Body))
	if err != nil {
		o.t.Error(err)
		return
	}
	request.Header = r.Header(o.Tokens[ours])
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		o.t.Errorf("%s: %v", r, err)
		return
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	away := []int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	if err != nil || reply.StatusCode >= http.StatusInternalServerError && !slices.Contains(away, reply.StatusCode) {
		o.t.Errorf("%s while the registry is away: %d %s %v", r, reply.StatusCode, text, err)
	}
}

// containers are all that are left.
func (o *outage) containers() []any {
	o.t.Helper()
	code, answer := o.world.ask("admin", http.MethodGet, "/v1/containers?all_projects=true", "")
	if code != http.StatusOK {
		o.t.Fatalf("list: %d %v", code, answer)
	}
	all, _ := answer["containers"].([]any)
	return all
}

// settled waits until all that was made of the registry's image ended with a reason.
func (o *outage) settled() {
	o.t.Helper()
	const longest = 5 * time.Minute // the engine waits for a silent registry more than once
	err := allinone.Poll(o.t.Context(), longest, func() error {
		for _, row := range o.containers() {
			c, _ := row.(map[string]any)
			if c["image"] != o.reference() {
				continue
			}
			reason, _ := c["status_reason"].(string)
			if c["status"] == "Error" && !strings.Contains(reason, "cannot be reached from the host") && !strings.Contains(reason, "is not on the host") {
				o.t.Fatalf("it ended with the reason %q", reason)
			}
			if c["status"] != "Error" {
				return fmt.Errorf("container %v is %v", c["uuid"], c["status"])
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// clear deletes all that is left, also what is still being made.
func (o *outage) clear() {
	o.t.Helper()
	for _, row := range o.containers() {
		c, _ := row.(map[string]any)
		uuid, _ := c["uuid"].(string)
		o.delete(uuid)
	}
	o.eventually("nothing is left", func() bool { return len(o.containers()) == 0 })
}

// works holds that what needs no registry is served as before.
func (o *outage) works() {
	o.t.Helper()
	o.delete(o.want("what is there, afterwards", ours, map[string]any{"image": local, "image_pull_policy": "never"}, "Running", ""))
}
