package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzFront sends any request through the whole front of a service: door, use cases
// and store. While they are healthy no request may be answered with a 5xx but the 503
// and 504 of hosts that are not there.
func FuzzFront(f *testing.F) {
	for _, seed := range []struct{ method, path, query, version, body string }{
		{"POST", "/v1/containers", "run=true", "container 1.40", `{"image":"cirros","name":"fuzz","hints":{"group":"x"},"labels":{"a":"\u0130"}}`},
		{"POST", "/v1/containers", "", "container 1.20", `{"image":"cirros","nets":[{"network":"none"}],"security_groups":["none"]}`},
		{"GET", "/v1/containers", "name=%C4%B0&sort_key=name&limit=1&marker=x", "container 1.40", ""},
		{"PATCH", "/v1/containers/fuzz", "", "container 1.40", `{"name":"other","memory":"64"}`},
		{"DELETE", "/v1/containers/fuzz", "force=true&stop=1", "container 1.40", ""},
		{"POST", "/v1/containers/fuzz/rebuild", "image=%2F%2F", "container 1.40", ""},
		{"POST", "/v1/capsules", "", "container 1.40", `{"template":{"kind":"capsule","metadata":{"name":"pp"},"spec":{"containers":[{"image":"a1"}]}}}`},
		{"POST", "/v1/images", "", "container 1.40", `{"repo":"a/b:c:d","host":"h"}`},
		{"GET", "/v1/images/x/search", "exact_match=maybe", "container 1.40", ""},
		{"POST", "/v1/networks", "", "container 1.40", `{"name":"nn","neutron_net_id":""}`},
		{"PUT", "/v1/quota_classes/default", "", "container 1.40", `{"cpu":"-1"}`},
		{"PUT", "/v1/services/disable", "host=h&binary=b&disabled_reason=r", "container 1.40", ""},
		{"POST", "/v1/registries", "", "container 1.40", `{"registry":{"domain":"d","name":"rr","password":"p"}}`},
		{"GET", "/v1/quotas/%00", "usages=1", "container 1.40", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.version, seed.body)
	}
	s := serve(f, &http.Client{}, "api.extensions=true", "quota.containers=-1", "quota.cpu=-1", "quota.memory=-1", "quota.disk=-1")
	f.Fuzz(func(t *testing.T, method, path, query, version, body string) {
		plain, err := url.PathUnescape(path)
		if err != nil || !strings.HasPrefix(path, "/v1/") || strings.HasPrefix(plain, "/v1/events") {
			t.Skip("no path of the API, or one that does not end")
		}
		switch method {
		case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD":
		default:
			t.Skip("the server itself refuses other methods")
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL = &url.URL{Path: plain, RawPath: path, RawQuery: query}
		r.Header.Set("OpenStack-API-Version", version)
		r.Header.Set("X-Auth-Token", s.token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.door.ServeHTTP(w, r.WithContext(t.Context()))
		switch w.Code {
		case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		default:
			if w.Code >= http.StatusInternalServerError {
				text, _ := io.ReadAll(w.Body)
				t.Errorf("%s %q ? %q at %q with %q: %d %s", method, path, query, version, body, w.Code, text)
			}
		}
	})
}
