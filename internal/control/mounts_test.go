package control_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func file(target string, size int) domain.MountRequest {
	content := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", size)))
	return domain.MountRequest{Type: "bind", Source: content, Destination: target}
}

func TestInjectedFilesReachTheHost(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.create("web", func(r *control.CreateRequest) { r.Spec.Mounts = []domain.MountRequest{file("/etc/app.conf", 256<<10)} })
	h.step(h.loops.Prepare)
	a := h.assignment(host.ID, id)
	if len(a.Requires) != 1 || a.Requires[0] != "mounts" || len(a.Spec.Mounts) != 1 {
		t.Errorf("the host reads %+v and %d mounts", a.Requires, len(a.Spec.Mounts))
	}
}

func TestMountRefusals(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	for name, c := range map[string]struct {
		mounts []domain.MountRequest
		code   string
	}{
		"one file too large":  {[]domain.MountRequest{file("/a", 256<<10+1)}, "invalid-value"},
		"all files too large": {[]domain.MountRequest{file("/a", 256<<10), file("/b", 256<<10), file("/c", 256<<10), file("/d", 256<<10), file("/e", 1)}, "invalid-value"},
		"no base64":           {[]domain.MountRequest{{Type: "bind", Source: "?", Destination: "/a"}}, "base64-exception"},
		"a relative path":     {[]domain.MountRequest{file("a", 1)}, "invalid-value"},
		"a path that climbs":  {[]domain.MountRequest{file("/a/../b", 1)}, "invalid-value"},
		"the root":            {[]domain.MountRequest{file("/", 1)}, "invalid-value"},
		"twice the same":      {[]domain.MountRequest{file("/a", 1), file("/a", 1)}, "invalid-value"},
		"a file of ours":      {[]domain.MountRequest{file("/etc/hosts", 1)}, "invalid-value"},
		"the kernel's":        {[]domain.MountRequest{file("/proc/sys/kernel/core_pattern", 1)}, "invalid-value"},
		"a volume of a size":  {[]domain.MountRequest{{Type: "volume", SizeGB: 1, Destination: "/data"}}, "volume-create-failed"},
	} {
		_, err := h.Create(t.Context(), member(), request("web", func(r *control.CreateRequest) { r.Spec.Mounts = c.mounts }))
		if fault := domain.AsFault(err); fault == nil || fault.Kind != domain.Invalid || fault.Code != c.code {
			t.Errorf("%s: got %v", name, err)
		}
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}
