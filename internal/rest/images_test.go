package rest_test

import (
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestAnImageIsPulledToANamedHost(t *testing.T) {
	h := build(t, nil)
	w := h.do(t, ask{method: "POST", path: "/v1/images", token: "admin", body: `{"repo":"busybox:1.36","host":"node-1","tag":"ignored"}`})
	if w.Code != 202 || w.Header().Get("Location") != "http://zun.test/v1/images/"+otherID || h.pulled != "busybox:1.36 to node-1" {
		t.Fatalf("%d %v %s, pulled %q", w.Code, w.Header(), w.Body, h.pulled)
	}
	for _, part := range []string{`"image_id":null`, `"size":null`, `"repo":"busybox"`, `"tag":"1.36"`, `"host":"node-1"`, `"rel":"bookmark"`} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("no %s in %s", part, w.Body)
		}
	}
	for body, want := range map[string]string{
		`{"repo":"busybox"}`:                                           "'host' is a required property",
		`{"host":"node-1"}`:                                            "'repo' is a required property",
		`{"repo":"busybox","host":"node-1","foo":1}`:                   "Additional properties are not allowed ('foo' was unexpected)",
		`{"repo":"b","host":"node-1"}`:                                 "Invalid input for field 'repo'.Value: 'b'. 'b' is too short",
		`{"repo":"busybox","host":"n1","size":"x"}`:                    "Invalid input for field 'size'.Value: 'x'. 'x' does not match '^[0-9]+[b|B|k|K|m|M|g|G]?$'",
		`{"repo":"busybox","host":"n1","image_pull_policy":"perhaps"}`: "Invalid input for field 'image_pull_policy'",
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/images", token: "admin", body: body})
		if f := fault(t, w); w.Code != 400 || !strings.HasPrefix(f.Title, want) {
			t.Errorf("%s:\n got %d %s\nwant %s", body, w.Code, f.Title, want)
		}
	}
}

func TestImagesAreAnAdministratorsMatter(t *testing.T) {
	h := build(t, nil)
	for _, a := range []ask{{path: "/v1/images"}, {path: "/v1/images/" + otherID}, {method: "DELETE", path: "/v1/images/" + otherID},
		{method: "POST", path: "/v1/images", body: `{"repo":"busybox","host":"n1"}`}} {
		if w := h.do(t, a); w.Code != 403 {
			t.Errorf("%s %s as a member: %d", a.method, a.path, w.Code)
		}
	}
	for _, c := range []struct {
		ask  ask
		code int
		part string
	}{
		{ask{path: "/v1/images"}, 200, `"images":[{"uuid"`},
		{ask{path: "/v1/images?limit=0"}, 400, "Limit must be positive"},
		{ask{path: "/v1/images/" + otherID}, 200, `"size":"1984132"`},
		{ask{path: "/v1/images/nosuch"}, 400, "container.image-not-found"},
		{ask{method: "DELETE", path: "/v1/images/" + otherID}, 200, "null"},
	} {
		c.ask.token = "admin"
		if w := h.do(t, c.ask); w.Code != c.code || !strings.Contains(w.Body.String(), c.part) {
			t.Errorf("%s %s: %d %s", c.ask.method, c.ask.path, w.Code, w.Body)
		}
	}
}

func TestImagesAreSearched(t *testing.T) {
	h := build(t, nil)
	for path, want := range map[string]string{
		"/v1/images/busybox/search?image_driver=docker": `[{"name":"busybox","description":"","is_automated":false,"metadata":{"is_official":true,"star_count":3}},{"name":"x/busybox"`,
		"/v1/images/busybox/search?exact_match=true":    `"star_count":3}}]`,
		"/v1/images/a%2Fb/search":                       `[{"name":"a/b"`,
	} {
		if w := h.do(t, ask{path: path}); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for path, want := range map[string]string{
		"/v1/images/busybox/search?image_driver=foo":    "Invalid input for query parameters 'image_driver'. Value: 'foo'. 'foo' is not one of ['glance', 'docker', None, 'None']",
		"/v1/images/busybox/search?image_driver=glance": "No image service is configured that could be searched.",
	} {
		if w := h.do(t, ask{path: path}); w.Code != 400 || sentence(fault(t, w)) != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	h.fail = domain.NewFault(domain.Unavailable, "registry-unreachable", "The registry cannot be searched from the host.")
	if w := h.do(t, ask{path: "/v1/images/busybox/search"}); w.Code != 503 {
		t.Errorf("a registry that does not answer: %d", w.Code)
	}
}
