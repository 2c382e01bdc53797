package rest_test

import (
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestArchivesTravelAsTheyAreWhenAsked(t *testing.T) {
	h := build(t, nil)
	accept := map[string]string{"Accept": "application/x-tar, application/json;q=0.5"}
	w := h.do(t, ask{path: "/v1/containers/web-1/get_archive?path=/f", header: accept, version: "container 1.1"})
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/x-tar" || w.Body.String() != "tar bytes" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
	raw := map[string]string{"Content-Type": "application/x-tar"}
	w = h.do(t, ask{method: "POST", path: "/v1/containers/web-1/put_archive?path=/tmp", body: "\x00tar\xff", header: raw})
	if w.Code != 200 || h.put != "\x00tar\xff" {
		t.Errorf("%d %q", w.Code, h.put)
	}
	if w := h.do(t, ask{method: "POST", path: "/v1/containers/web-1/put_archive", body: "tar", header: raw}); w.Code != 400 {
		t.Errorf("without a path: %d", w.Code)
	}
	if w := h.do(t, ask{method: "POST", path: "/v1/containers/web-1/kill", body: "tar", header: raw}); w.Code != 202 {
		t.Errorf("another verb: %d", w.Code)
	}
	h.fail = domain.NewFault(domain.Invalid, "invalid", "Could not find the file /f in the container.")
	if w := h.do(t, ask{path: "/v1/containers/web-1/get_archive?path=/f", header: accept}); w.Code != 400 {
		t.Errorf("a missing path: %d", w.Code)
	}
}

func TestATarThatIsCutIsSeen(t *testing.T) {
	h := build(t, nil)
	h.failAfter = true
	defer func() {
		if recover() == nil {
			t.Error("the connection must be cut")
		}
	}()
	h.do(t, ask{path: "/v1/containers/web-1/get_archive?path=/f", header: map[string]string{"Accept": "application/x-tar, application/json"}})
}
