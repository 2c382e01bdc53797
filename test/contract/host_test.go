//go:build integration

package contract_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/kit/asking"
	"github.com/go-zun/zun/test/allinone"
	"github.com/go-zun/zun/test/deployment"
)

// TestWhileTheHostIsGone asks every route about a container whose host was killed: what
// needs the host is a 503 or a 504, nothing is a 500, and it is served again when the
// host is back.
func TestWhileTheHostIsGone(t *testing.T) {
	d := deployment.Start(t, deployment.Plan{Engine: deployment.Simulated{}, Settings: "[api]\nextensions = true\n[DEFAULT]\nrpc_response_timeout = 5"})
	made, err := d.CLI.CreateContainer(t.Context(), api.ContainerCreate{Name: "web", Image: "cirros", Command: []string{"sleep", "600"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	d.Eventually(t, "the container runs", func() error {
		c, err := d.CLI.Container(t.Context(), made.UUID, false)
		if err == nil && c.Status != "Running" {
			err = fmt.Errorf("it is %s", c.Status)
		}
		return err
	})
	door := doorOf(d)
	token := door.token(t)
	d.Hosts[0].Kill()
	asks := asking.All(asking.Names{Container: "web", Capsule: "nosuch", Registry: "nosuch", Image: made.UUID, Network: "nosuch",
		Host: d.Hosts[0].Name, Project: "p1", Request: "req-x"})
	asks = slices.DeleteFunc(asks, func(r asking.Request) bool {
		// what has no end, or takes the container, its name or its host away from the others
		return r.Streams || r.Method == http.MethodDelete || strings.HasSuffix(r.Path, "/rename") || strings.HasPrefix(r.Path, "/v1/services")
	})
	reads := func(r asking.Request) bool {
		return r.Method == http.MethodGet || strings.HasSuffix(r.Path, "/execute")
	}
	refused := door.refusals(t, token, slices.DeleteFunc(slices.Clone(asks), func(r asking.Request) bool { return !reads(r) }))
	refused += door.refusals(t, token, slices.DeleteFunc(asks, reads)) // a verb that waits for the host changes what the next may do
	const least = 5                                                    // logs, top, stats, execute, archives and the like
	t.Logf("%d routes noticed that the host is gone", refused)
	if refused < least {
		t.Errorf("only %d routes noticed that the host is gone", refused)
	}
	d.Hosts[0].MustStart(t)
	top := asking.Request{Method: http.MethodGet, Path: "/v1/containers/" + made.UUID + "/top", Version: api.MaxVersion}
	d.Eventually(t, "the host serves again", func() error {
		status, text := door.ask(t, top, token)
		if status >= http.StatusInternalServerError || status == 0 {
			return fmt.Errorf("top: %d %s", status, text)
		}
		return nil
	})
}

// front is the door of a deployment.
type front struct{ client *http.Client }

// refusals asks all at once and counts the answers that a back end is missing. Any other
// failure of the service is the test's.
func (f front) refusals(t *testing.T, token string, asks []asking.Request) int {
	t.Helper()
	var refused atomic.Int64
	var all sync.WaitGroup
	for _, request := range asks {
		all.Go(func() {
			switch status, text := f.ask(t, request, token); {
			case status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
				refused.Add(1)
			case status >= http.StatusInternalServerError || status == 0:
				t.Errorf("%s while the host is gone: %d %s", request, status, text)
			}
		})
	}
	all.Wait()
	return int(refused.Load())
}

func doorOf(d *deployment.Deployment) front {
	knock := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Room.Knock(ctx, d.Doors) }
	return front{&http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: knock}}}
}

const anywhere = "http://127.0.0.1" // the room knows the way

func (f front) token(t *testing.T) string {
	t.Helper()
	p := deployment.Admin()
	body := fmt.Sprintf(`{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": %q, "password": %q, "domain": {"id": "default"}}}},
		"scope": {"project": {"id": %q}}}}`, p.Name, allinone.Password, p.ProjectID)
	reply, err := f.client.Post(anywhere+"/identity/v3/auth/tokens", "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusCreated {
		t.Fatalf("log in: %s", reply.Status)
	}
	return reply.Header.Get("X-Subject-Token")
}

// ask sends a request; the status is 0 if there was no answer.
func (f front) ask(t *testing.T, request asking.Request, token string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), request.Method, anywhere+request.Path+"?"+request.Query, strings.NewReader(request.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = request.Header(token)
	reply, err := f.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = reply.Body.Close() }()
	body, _ := io.ReadAll(reply.Body)
	return reply.StatusCode, string(body)
}
