package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/internal/rest/cors"
)

// house is the front door over stubs.
type house struct {
	*stub
	http.Handler
	log *bytes.Buffer
}

func build(tb testing.TB, change func(*rest.Deps)) *house {
	tb.Helper()
	s := newStub()
	h := &house{stub: s, log: &bytes.Buffer{}}
	deps := rest.Deps{Containers: s, Wiring: s, Insides: s, Files: s, Snapshots: s, Records: s, Fleet: fleet{s}, Limits: limits{s}, Registries: registries{s}, Capsules: capsules{s}, Images: images{s},
		Identity: identity{}, Policy: policy{}, Log: slog.New(slog.NewJSONHandler(h.log, nil))}
	if change != nil {
		change(&deps)
	}
	handler, err := rest.New(deps)
	if err != nil {
		tb.Fatal(err)
	}
	h.Handler = handler
	return h
}

// ask is one request; the zero members are a member's GET at 1.40.
type ask struct {
	method, path, version, token, body string
	header                             map[string]string
}

func (h *house) do(tb testing.TB, a ask) *httptest.ResponseRecorder {
	tb.Helper()
	if a.method == "" {
		a.method = http.MethodGet
	}
	var body io.Reader
	if a.body != "" {
		body = strings.NewReader(a.body)
	}
	r := httptest.NewRequest(a.method, "http://zun.test"+a.path, body)
	if a.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.version == "" {
		a.version = "container 1.40"
	}
	if a.version != "-" {
		r.Header.Set(api.HeaderVersion, a.version)
	}
	if a.token == "" {
		a.token = "member"
	}
	if a.token != "-" {
		r.Header.Set(api.HeaderToken, a.token)
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// fault reads the one error of an answer.
// sentence is what a fault says before it repeats the rule and the value.
func sentence(f api.Fault) string {
	text, _, _ := strings.Cut(f.Title, "\n\nFailed validating ")
	return text
}

func fault(tb testing.TB, w *httptest.ResponseRecorder) api.Fault {
	tb.Helper()
	var body api.Faults
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 {
		tb.Fatalf("no fault body: %v: %s", err, w.Body)
	}
	return body.Errors[0]
}

func TestDiscoveryNeedsNoToken(t *testing.T) {
	h := build(t, nil)
	w := h.do(t, ask{path: "/", token: "-", version: "-"})
	var root api.Root
	if err := json.Unmarshal(w.Body.Bytes(), &root); err != nil || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if v := root.Versions[0]; v.Status != "CURRENT" || v.MinVersion != "1.1" || v.MaxVersion != "1.40" || v.Links[0].Href != "http://zun.test/v1/" {
		t.Errorf("root says %+v", v)
	}
	if w.Header().Get(api.HeaderVersion) != "" {
		t.Error("the root document has no version headers")
	}
	for _, path := range []string{"/v1", "/v1/", "/v1.json"} {
		w := h.do(t, ask{path: path, token: "-", version: "-"})
		if w.Code != 200 || w.Header().Get(api.HeaderVersion) != "container 1.1" || w.Header().Get("Vary") != api.HeaderVersion {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
}

func TestPathsAreForgiving(t *testing.T) {
	h := build(t, func(d *rest.Deps) { d.Options.PathPrefix = "/container" })
	for path, want := range map[string]int{
		"/v1/containers": 200, "/containers": 200, "/v1/containers/": 200, "/containers/": 200, "/v1/containers.json": 200,
		"/v1/containers//web-1": 200, "/v1/containers/web-1/": 200, "/containers/" + rowID: 200, "/container/v1/containers": 200,
		"/container/containers/web-1": 200, "/v1/containers/web-1/logs/": 200,
		"/v1//containers": 404, "/v2": 404, "/v2/containers": 404, "/v1/nosuch": 404, "/v1/containers/../hosts": 404,
		"/v1/containers/%2e%2e": 404, "/v1/containers/a%00b": 404, "/v1/containers/a%ffb": 404, "/v1/containers?name=%ff": 400, "/v1/containers/web-1/nosuch": 404, "//": 404, "/v1/containers/a%2Fb": 404,
	} {
		if w := h.do(t, ask{path: path}); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
		}
	}
}

func TestVersionsAreNegotiated(t *testing.T) {
	h := build(t, nil)
	for header, want := range map[string]string{
		"-": "1.1", "container 1.1": "1.1", "container 1.40": "1.40", "container latest": "1.40", "container LATEST": "1.40",
		"container  1.020": "1.20", "\tcontainer\t1.7 ": "1.7",
	} {
		w := h.do(t, ask{path: "/v1/containers", version: header})
		if w.Code != 200 || w.Header().Get(api.HeaderVersion) != "container "+want {
			t.Errorf("%q: %d %v", header, w.Code, w.Header())
		}
	}
	for header, detail := range map[string]string{
		"container 1": "Invalid value for", "container 1.x": "Invalid value for", "container 1.2.3": "Invalid value for",
		"container": "Invalid service type", "compute 1.20": "Invalid service type", "1.40": "Invalid service type",
		"container 1.2, compute 2.1": "Invalid service type", "container -1.2": "Invalid value for",
		"container 1.41": "[container 1.1, container 1.40]", "container 1.0": "[container 1.1, container 1.40]",
		"container 2.0": "[container 1.1, container 1.40]",
	} {
		w := h.do(t, ask{path: "/v1/containers", version: header})
		f := fault(t, w)
		if w.Code != 406 || !strings.Contains(f.Detail, detail) {
			t.Errorf("%q: %d %+v", header, w.Code, f)
		}
		if w.Header().Get(api.HeaderMaxVersion) != "container 1.40" || w.Header().Get("Vary") == "" {
			t.Errorf("%q: the range is not announced: %v", header, w.Header())
		}
		if strings.HasPrefix(detail, "[") && (f.Code != "zun.microversion-unsupported" || f.MaxVersion != "1.40" || f.MinVersion != "1.1" || len(f.Links) != 1) {
			t.Errorf("%q: %+v", header, f)
		}
	}
}

func TestEveryRouteKeepsItsRangeOfVersions(t *testing.T) {
	h := build(t, nil)
	for _, r := range rest.Routes() {
		for _, change := range api.History() {
			path := strings.NewReplacer("{ident}", "web-1", "{project}", "p1", "{name}", "default", "{request}", "req-1").Replace(r.Pattern)
			w := h.do(t, ask{method: r.Method, path: path, version: "container " + change.Version.String(), token: "admin"})
			served := change.Version.Within(r.Since, r.Until)
			if served == (w.Code == 406) {
				t.Errorf("%s %s at %s: %d", r.Method, r.Pattern, change.Version, w.Code)
			}
			if w.Code >= 500 {
				t.Errorf("%s %s at %s: %d %s", r.Method, r.Pattern, change.Version, w.Code, w.Body)
			}
		}
	}
}

func TestMethodsThatAPathDoesNotHave(t *testing.T) {
	h := build(t, nil)
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/v1/containers", "GET, POST"}, {"HEAD", "/v1/containers", "GET, POST"}, {"GET", "/v1/containers/web-1/start", "POST"},
		{"POST", "/v1/containers/web-1", "DELETE, GET, PATCH"}, {"POST", "/v1", "GET"}, {"DELETE", "/", "GET"},
	} {
		w := h.do(t, ask{method: c.method, path: c.path})
		if w.Code != 405 || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
	}
	if w := h.do(t, ask{method: "OPTIONS", path: "/v1/containers", token: "-"}); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("OPTIONS: %d %q", w.Code, w.Body)
	}
}

func TestWhoAsksIsKnownFirst(t *testing.T) {
	h := build(t, nil)
	for _, token := range []string{"-", "stolen"} {
		w := h.do(t, ask{path: "/v1/nosuch", token: token, version: "compute 9"})
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") != `Keystone uri="http://127.0.0.1:5000/v3"` {
			t.Errorf("%s: %d %v", token, w.Code, w.Header())
		}
		if !strings.Contains(w.Body.String(), `"code":401`) {
			t.Errorf("401 says %s", w.Body)
		}
	}
	if w := h.do(t, ask{path: "/v1/containers", token: "down"}); w.Code != 503 {
		t.Errorf("identity down: %d", w.Code)
	}
}

func TestAcceptedMediaTypes(t *testing.T) {
	h := build(t, nil)
	for accept, want := range map[string]int{
		"": 200, "*/*": 200, "application/json": 200, "text/html, application/json;q=0.5": 200, "application/*": 200,
		"text/html": 406, "application/xml": 406, "application/json;q=0": 406,
	} {
		if w := h.do(t, ask{path: "/v1/containers", header: map[string]string{"Accept": accept}}); w.Code != want {
			t.Errorf("Accept %q: %d, want %d", accept, w.Code, want)
		}
	}
}

func TestRequestIDsAreOursAndLogged(t *testing.T) {
	h := build(t, nil)
	global := "req-11111111-2222-3333-4444-555555555555"
	w := h.do(t, ask{path: "/v1/containers/nosuch?token=secret", header: map[string]string{api.HeaderRequestID: global}})
	id := w.Header().Get(api.HeaderRequestID)
	if len(id) != 40 || id == global {
		t.Errorf("request id %q", id)
	}
	if got := fault(t, w).RequestID; got != id {
		t.Errorf("the fault names %q, the header %q", got, id)
	}
	line := h.log.String()
	if !strings.Contains(line, id) || !strings.Contains(line, global) || strings.Contains(line, "secret") {
		t.Errorf("log line: %s", line)
	}
}

func TestUnknownFailuresAreMasked(t *testing.T) {
	h := build(t, nil)
	h.fail = fmt.Errorf("password of the database is hunter2")
	w := h.do(t, ask{path: "/v1/containers"})
	f := fault(t, w)
	if w.Code != 500 || strings.Contains(w.Body.String(), "hunter2") || f.Title != "Internal Server Error" || f.Code != "container." {
		t.Errorf("%d %+v", w.Code, f)
	}
	correlation := f.Detail[strings.LastIndex(f.Detail, " ")+1:]
	if !strings.Contains(h.log.String(), correlation) || !strings.Contains(h.log.String(), "hunter2") {
		t.Errorf("the log does not explain %s: %s", correlation, h.log)
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	h := build(t, func(d *rest.Deps) { d.Containers = nil })
	if w := h.do(t, ask{path: "/v1/containers"}); w.Code != 500 || fault(t, w).Code != "container." {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(h.log.String(), "panic") {
		t.Error("the panic is not in the log")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h := build(t, func(d *rest.Deps) { d.Options.MaxBody, d.Options.MaxDepth = 2000, 8 })
	for name, c := range map[string]struct {
		body, kind string
		want       int
	}{
		"large":        {`{"image":"` + strings.Repeat("x", 3000) + `"}`, "application/json", 413},
		"deep":         {`{"image":"cirros","hints":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "application/json", 400},
		"form":         {`image=cirros`, "application/x-www-form-urlencoded", 415},
		"xml":          {`<image/>`, "text/xml", 415},
		"charset":      {`{"image":"cirros"}`, "application/json; charset=utf-8", 202},
		"null byte":    {`{"image":"cirros","workdir":"a\u0000b"}`, "application/json", 400},
		"huge number":  {`{"image":"cirros","cpu":1e999999999}`, "application/json", 400},
		"long number":  {`{"image":"cirros","hints":{"a":` + strings.Repeat("9", 500) + `}}`, "application/json", 400},
		"broken":       {`{"image":`, "application/json", 400},
		"list":         {`["image"]`, "application/json", 400},
		"trailing":     {`{"image":"cirros"} {}`, "application/json", 400},
		"brackets":     {`{"image":"cirros","workdir":"[[[[[[[[[[[["}`, "application/json", 202},
		"invalid utf8": {"{\"image\":\"cirros\",\"workdir\":\"\xff\"}", "application/json", 202},
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers", body: c.body, header: map[string]string{"Content-Type": c.kind}})
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, c.want, w.Body)
		}
	}
}

// TestABodyCostsNoMoreThanItIsWorth: thirty megabytes of ones were read into 2.5 GiB.
func TestABodyCostsNoMoreThanItIsWorth(t *testing.T) {
	h := build(t, nil)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"more bytes than describe a container": {`{"image":"cirros","workdir":"` + strings.Repeat("x", 4<<20) + `"}`, 413},
		"more values":                          {`{"image":"cirros","command":[1` + strings.Repeat(",1", 1<<17) + `]}`, 400},
		"more members":                         {`{"image":"cirros","hints":{"a":{` + strings.TrimSuffix(strings.Repeat(`"a":{},`, 1<<17), ",") + `}}}`, 400},
		"commas in a text":                     {`{"image":"cirros","workdir":"` + strings.Repeat(",", 1<<18) + `"}`, 202},
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers", body: c.body, header: map[string]string{"Content-Type": "application/json"}})
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, w.Code, c.want, w.Body)
		}
		if c.want == 400 && !strings.Contains(w.Body.String(), "more than 131072 values") {
			t.Errorf("%s: %.300s", name, w.Body)
		}
	}
}

func TestHealth(t *testing.T) {
	h := build(t, nil)
	if w := h.do(t, ask{path: "/healthcheck", token: "-"}); w.Code != 200 || w.Body.String() != "OK" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := h.do(t, ask{path: "/healthcheck", token: "-", header: map[string]string{"Accept": "application/json"}}); !strings.Contains(w.Body.String(), `"reasons":["OK"]`) {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	sick := build(t, func(d *rest.Deps) {
		s := newStub()
		s.fail = io.ErrClosedPipe
		d.Ping = func(context.Context) error { return s.failing() }
	})
	if w := sick.do(t, ask{path: "/healthcheck", token: "-"}); w.Code != 503 {
		t.Errorf("store down: %d", w.Code)
	}
	off := build(t, func(d *rest.Deps) { d.Options.DisableFile = "door_test.go" })
	if w := off.do(t, ask{path: "/healthcheck", token: "-"}); w.Code != 503 || w.Body.String() != "DISABLED BY FILE" {
		t.Errorf("disabled: %d %q", w.Code, w.Body)
	}
}

func TestLinksFollowTheDeployment(t *testing.T) {
	forwarded := map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cloud.example", "X-Forwarded-Prefix": "/container"}
	for name, c := range map[string]struct {
		options rest.Options
		want    string
	}{
		"request":   {rest.Options{}, "http://zun.test/v1/"},
		"prefix":    {rest.Options{PathPrefix: "/container"}, "http://zun.test/container/v1/"},
		"untrusted": {rest.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, "http://zun.test/v1/"},
		"trusted":   {rest.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, "https://cloud.example/container/v1/"},
		"endpoint":  {rest.Options{PublicEndpoint: "https://zun.example/v1/"}, "https://zun.example/v1/"},
	} {
		h := build(t, func(d *rest.Deps) { d.Options = c.options })
		w := h.do(t, ask{path: "/v1/containers/web-1", header: forwarded})
		var shown api.Container
		if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil || shown.Links[0].Href != c.want+"containers/"+rowID {
			t.Errorf("%s: %v %+v", name, err, shown.Links)
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	h := build(t, func(d *rest.Deps) {
		d.Options.CORS = cors.Rules{Origins: []string{"https://ui.example"}, Methods: []string{"GET", "POST"}, Headers: []string{"X-Auth-Token"}, Exposed: []string{api.HeaderRequestID}}
	})
	preflight := map[string]string{"Origin": "https://ui.example", "Access-Control-Request-Method": "POST"}
	w := h.do(t, ask{method: "OPTIONS", path: "/v1/containers", token: "-", header: preflight})
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != "https://ui.example" || w.Header().Get("Access-Control-Allow-Methods") != "GET,POST" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	preflight["Origin"] = "https://evil.example"
	if w := h.do(t, ask{method: "OPTIONS", path: "/v1/containers", token: "-", header: preflight}); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("foreign origin: %v", w.Header())
	}
}
