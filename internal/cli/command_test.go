package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/cli"
)

// service answers like the containers service and keeps what it was asked.
type service struct {
	t        *testing.T
	requests []string
	bodies   []map[string]any
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.t.Helper()
	if r.URL.Path == "/" {
		_, _ = io.WriteString(w, `{"versions":[{"id":"v1","status":"CURRENT","min_version":"1.1","max_version":"1.40"}]}`)
		return
	}
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("OpenStack-API-Version"))
	var body map[string]any
	if data, err := io.ReadAll(r.Body); err == nil && len(data) > 0 {
		if err := json.Unmarshal(data, &body); err != nil {
			s.t.Errorf("body of %s: %v", r.URL, err)
		}
	}
	s.bodies = append(s.bodies, body)
	const container = `{"uuid":"u-1","name":"test","image":"cirros","status":"Running","task_state":null,"ports":[80],
		"addresses":{"n":[{"addr":"10.0.0.2","version":4,"port":"p","subnet_id":"s","preserve_on_delete":false}]}}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/gone"):
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[{"status":404,"title":"Container gone could not be found."}]}`)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/logs/follow"):
		_, _ = io.WriteString(w, "id: 1\nevent: end\ndata: {\"reason\":\"exited\"}\n\n")
	case strings.HasSuffix(r.URL.Path, "/logs"):
		_, _ = io.WriteString(w, `"hello\n"`)
	case strings.HasSuffix(r.URL.Path, "/execute"):
		_, _ = io.WriteString(w, `{"output":"out\n","exit_code":3,"exec_id":null,"proxy_url":null}`)
	case r.URL.Path == "/v1/containers" && r.Method == http.MethodGet:
		_, _ = io.WriteString(w, `{"containers":[`+container+`],"next":null}`)
	default:
		_, _ = io.WriteString(w, container)
	}
}

func run(t *testing.T, args ...string) (s *service, code int, out, errs string) {
	t.Helper()
	s = &service{t: t}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var stdout, stderr bytes.Buffer
	env := []string{"BYPASS_URL=" + server.URL + "/v1", "OS_AUTH_URL=" + server.URL + "/never", "HOME=" + t.TempDir()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/auth/tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "secret")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"token":{"expires_at":"2199-01-01T00:00:00Z"}}`)
	})
	identity := httptest.NewServer(mux)
	t.Cleanup(identity.Close)
	env = append(env, "OS_AUTH_URL="+identity.URL, "OS_USERNAME=u", "OS_PASSWORD=p", "OS_PROJECT_NAME=demo")
	code = cli.Run(t.Context(), args, env, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return s, code, stdout.String(), stderr.String()
}

func TestRunSendsWhatWasGiven(t *testing.T) {
	s, code, out, errs := run(t, "run", "--name", "test", "--cpu", "0.5", "-e", "A=1", "-i", "cirros", "ping", "-c", "4", "127.0.0.1")
	if code != 0 || !strings.Contains(out, "| addresses ") || !strings.Contains(out, "10.0.0.2") || !strings.Contains(out, "| networks ") {
		t.Fatalf("code %d\n%s\n%s", code, out, errs)
	}
	if s.requests[0] != "POST /v1/containers?run=true container 1.40" {
		t.Errorf("asked %q", s.requests)
	}
	body, _ := json.Marshal(s.bodies[0])
	for _, want := range []string{`"command":["ping","-c","4","127.0.0.1"]`, `"cpu":0.5`, `"environment":{"A":"1"}`, `"interactive":true`, `"tty":true`, `"name":"test"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
}

func TestOldVersionsTakeTheCommandAsOneString(t *testing.T) {
	s, code, _, errs := run(t, "--zun-api-version", "1.10", "create", "cirros", "echo", "a b")
	if code != 0 || s.bodies[0]["command"] != "'echo' 'a b'" || !strings.HasSuffix(s.requests[0], "container 1.10") {
		t.Fatalf("code %d %s, asked %v with %v", code, errs, s.requests, s.bodies)
	}
}

func TestFormsOfOutput(t *testing.T) {
	_, _, out, _ := run(t, "list", "-f", "value", "-c", "uuid", "-c", "status")
	if out != "u-1 Running\n" {
		t.Errorf("value: %q", out)
	}
	_, _, out, _ = run(t, "list", "-f", "json", "-c", "name")
	if strings.Join(strings.Fields(out), "") != `[{"name":"test"}]` {
		t.Errorf("json: %q", out)
	}
	_, _, out, _ = run(t, "show", "test", "-f", "yaml", "-c", "name", "-c", "ports")
	if out != "name: test\nports:\n  - 80\n" {
		t.Errorf("yaml: %q", out)
	}
	_, code, _, errs := run(t, "list", "-f", "xml")
	if code != 1 || !strings.Contains(errs, "unknown format") {
		t.Errorf("unknown format: %d %q", code, errs)
	}
	for _, words := range [][]string{{"list", "-c", "naem"}, {"show", "test", "-c", "naem"}} {
		_, code, out, errs = run(t, words...)
		if code != 1 || out != "" || !strings.HasPrefix(errs, "ERROR: no column naem: there are ") || !strings.Contains(errs, "name") {
			t.Errorf("%v: %d %q %q", words, code, out, errs)
		}
	}
	_, _, out, _ = run(t, "list")
	if !strings.HasPrefix(out, "+------+------+--------+---------+------------+-----------+-------+\n| uuid | name |") {
		t.Errorf("table:\n%s", out)
	}
}

func TestEachObjectIsToldAndFailuresCount(t *testing.T) {
	s, code, out, errs := run(t, "delete", "--stop", "gone", "test")
	if code != 1 || out != "Request to delete container test has been accepted.\n" || errs != "Container gone could not be found. (HTTP 404)\n" {
		t.Errorf("code %d, out %q, err %q", code, out, errs)
	}
	if s.requests[1] != "DELETE /v1/containers/test?stop=true container 1.40" {
		t.Errorf("asked %q", s.requests)
	}
}

func TestExecEndsAsTheCommandDid(t *testing.T) {
	s, code, out, _ := run(t, "exec", "test", "sh", "-c", "exit 3")
	if code != 3 || out != "out\n" {
		t.Errorf("code %d, out %q", code, out)
	}
	if !strings.Contains(s.requests[0], "command=%27sh%27+%27-c%27+%27exit+3%27") {
		t.Errorf("asked %q", s.requests)
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	for _, args := range [][]string{{"show"}, {"run"}, {"bogus"}, {"run", "--net", "x", "img"}, {"show", "gone"}, {"--zun-api-version", "2.0", "list"}} {
		_, code, _, errs := run(t, args...)
		if code != 1 || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "ERROR: ") {
			t.Errorf("%q: code %d, err %q", args, code, errs)
		}
	}
	if code := cli.Run(t.Context(), []string{"list"}, nil, cli.Streams{Out: io.Discard, Err: io.Discard}); code != 1 {
		t.Errorf("without credentials: code %d", code)
	}
}
