package rest_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-zun/zun/api"
)

// FuzzRequest sends any path, query, version and body: with healthy use cases no
// request may be answered with a 5xx or end in a panic.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, path, query, version, body string }{
		{"POST", "/v1/containers", "run=true", "container 1.40", `{"image":"cirros","cpu":"0.5","nets":[{"network":"a"}]}`},
		{"POST", "/containers", "", "", `{"image":"cirros","command":"sh -c \"x"}`},
		{"POST", "/v1/containers", "", "container latest", `{"image":"cirros","healthcheck":{"interval":"1e9"},"hints":{"a":[1,{"b":null}]}}`},
		{"POST", "/v1/containers", "", "container 1.40", `{"image":"cirros","cpu":1e99,"memory":"00000512","exposed_ports":{"80/tcp":null}}`},
		{"PATCH", "/v1/containers/web-1", "cpu=.5&memory=512", "container 1.19", `{"auto_heal":"false"}`},
		{"POST", "/v1/containers/web-1/kill", "signal=SIGHUP&signal=9", "container 1.1", ""},
		{"GET", "/v1/containers/web-1/logs", "since=2020-13-45 25:61:61,1&tail=-1", "container 1.1", ""},
		{"GET", "/v1/containers", "limit=9223372036854775808&sort_dir=desc&all_projects=", "container 1.41", ""},
		{"POST", "/v1/containers/web-1/execute", "command=%27", "container 1.40", `{"command":["a"]}`},
		{"POST", "/v1/containers/web-1/put_archive", "path=/", "container 1.25", `{"data":"!\u0000"}`},
		{"PUT", "/v1/quotas/p1", "cpu=99999999999999999999", "container 1.40", `{"memory":-1e3}`},
		{"POST", "/v1/registries", "", "container 1.40", `{"registry":{"domain":"x","name":null}}`},
		{"POST", "/v1/capsules", "", "container 1.31", `{"template":"{\"kind\":\"capsule\",\"metadata\":{},\"spec\":{\"containers\":[{\"image\":\"a1\"}]}}"}`},
		{"DELETE", "/v1/services", "host=&binary=", "container 01.040", `[]`},
		{"GET", "//v1//containers/..%2f", "%zz;=", "compute 1.1", "\xff"},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.version, seed.body)
	}
	h := build(f, nil)
	f.Fuzz(func(t *testing.T, method, path, query, version, body string) {
		switch method {
		case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD":
		default:
			t.Skip("the server itself refuses other methods")
		}
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Skip("the server itself refuses a broken path")
		}
		r.URL = &url.URL{Path: plain, RawPath: path, RawQuery: query}
		r.Header.Set(api.HeaderVersion, version)
		r.Header.Set(api.HeaderToken, "admin")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		h.log.Reset()
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("%s %q ? %q at %q with %q: %d %s", method, path, query, version, body, w.Code, w.Body)
		}
		if w.Body.Len() > 1<<20 && w.Body.Len() > 20*len(body) {
			t.Errorf("an answer of %d bytes to a body of %d", w.Body.Len(), len(body))
		}
	})
}

// FuzzTemplate sends any specification of a capsule, as an object and as text: it is
// accepted or refused, by the same verdict.
func FuzzTemplate(f *testing.F) {
	for _, spec := range []string{
		`{"containers":[{"image":"a1"}]}`,
		`{"containers":[{"image":"a1","env":{"a":"b"},"ports":[{"containerPort":"80","protocol":"UDP"}],"resources":{"requests":{"cpu":"0.5","memory":64}}}],"restartPolicy":"Never"}`,
		`{"containers":[{"image":"a1","volumeMounts":[{"name":"vol","mountPath":"/d","readOnly":"true"}]}],"volumes":[{"name":"vol","cinder":{"size":1,"autoRemove":true}}]}`,
		`{"containers":[],"initContainers":null}`,
		`{"containers":[{"image":"a1","command":[null],"args":["x"],"stdin":"True","workDir":null}],"initContainers":[{"image":"b2"}]}`,
		`{"containers":{}}`, `[]`, `"x"`, `null`,
	} {
		f.Add(spec, "name")
	}
	h := build(f, nil)
	f.Fuzz(func(t *testing.T, spec, name string) {
		named, err := json.Marshal(name)
		if err != nil || !json.Valid([]byte(spec)) {
			t.Skip("no JSON")
		}
		template := `{"kind":"capsule","metadata":{"name":` + string(named) + `},"spec":` + spec + `}`
		text, err := json.Marshal(template)
		if err != nil {
			t.Skip("no JSON")
		}
		asObject := h.do(t, ask{method: "POST", path: "/v1/capsules", body: `{"template":` + template + `}`})
		asText := h.do(t, ask{method: "POST", path: "/v1/capsules", body: `{"template":` + string(text) + `}`})
		h.log.Reset()
		if asObject.Code != asText.Code && utf8.ValidString(template) {
			t.Errorf("%s: %d as an object, %d as text", template, asObject.Code, asText.Code)
		}
		if asObject.Code != 202 && (asObject.Code < 400 || asObject.Code >= 500) {
			t.Errorf("%s: %d %s", template, asObject.Code, asObject.Body)
		}
	})
}

// FuzzVersion holds the negotiation to its promise: a version within the range, or 406.
func FuzzVersion(f *testing.F) {
	for _, seed := range []string{"", "container 1.1", "container latest", "container 1.41", "container 1", "compute 1.20", "container 1.2.3", "container 1.99999999999999"} {
		f.Add(seed)
	}
	h := build(f, nil)
	f.Fuzz(func(t *testing.T, header string) {
		w := h.do(t, ask{path: "/v1/containers", version: header})
		h.log.Reset()
		if w.Code != 200 && w.Code != 406 {
			t.Fatalf("%q: %d", header, w.Code)
		}
		if applied := w.Header().Get(api.HeaderVersion); (w.Code == 200) != (applied != "") {
			t.Errorf("%q: %d with %q applied", header, w.Code, applied)
		}
	})
}
