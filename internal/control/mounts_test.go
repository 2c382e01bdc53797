package control_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/volume/local"
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
		"a file of blanks":    {[]domain.MountRequest{{Type: "bind", Source: strings.Repeat("\n", 1<<20), Destination: "/a"}}, "invalid-value"},
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

// TestNoDescriptionIsTooLargeForTheHost: a host reads its assignments from the first to the
// last, so that one which no message holds would keep all others from it.
func TestNoDescriptionIsTooLargeForTheHost(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	long := strings.Repeat("x", 17<<20)
	_, err := h.Create(t.Context(), member(), request("web", func(r *control.CreateRequest) { r.Spec.Environment = map[string]string{"LONG": long} }))
	wantFault(t, err, domain.Invalid, "The description is too large: environment, labels, commands and all other texts may have 1048576 bytes together.")
	large := draftOf("web")
	for range 1 << 10 { // no quota counts them
		large.Inits = append(large.Inits, domain.Container{Kind: domain.KindInit, Spec: domain.Spec{Image: "busybox"}})
	}
	if _, err = h.capsules().CreateCapsule(t.Context(), member(), large); !domain.IsKind(err, domain.Invalid) {
		t.Errorf("a capsule of a thousand init containers: got %v", err)
	}
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}

// sized is a volume to be made.
func sized(target string, gb int64) func(*control.CreateRequest) {
	return func(r *control.CreateRequest) {
		r.Spec.Mounts = append(r.Spec.Mounts, domain.MountRequest{Type: domain.MountVolume, SizeGB: gb, Destination: target})
	}
}

// withVolumes opens a house whose hosts' own disks are the volume service.
func withVolumes(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.volumes = local.New(50)
	h.reopen()
	return h
}

func holds(how, why string) func(*domain.Host) {
	return func(h *domain.Host) { h.Inventory.VolumeLimit, h.Inventory.VolumeReason = how, why }
}

// TestAVolumeOfASizeIsCountedAndKept goes to the one host that can hold it, counts for
// host and project, outlives a rebuild and is named to a host that must remove it.
func TestAVolumeOfASizeIsCountedAndKept(t *testing.T) {
	h := withVolumes(t)
	h.addHost("n1", holds("", "it has no loop devices"))
	host := h.addHost("n2", holds("ext4", ""))
	id := h.running("db", sized("/data", 3), sized("/more", 4))
	a := h.assignment(host.ID, id)
	if len(a.Volumes) != 2 || a.Volumes[0].SizeGB != 3 || a.Volumes[1].Destination != "/more" || a.Requires[1] != domain.AbilityVolumes {
		t.Fatalf("the host reads %+v, %v", a.Volumes, a.Requires)
	}
	before := a.Volumes
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512, DiskGB: 7}, map[string]int64{"n2": 1})
	_, err := h.Act(t.Context(), member(), control.Ref{Ident: "db"}, domain.VerbRebuild, domain.ActionArgs{})
	h.must(err)
	h.step(h.loops.Prepare)
	if a = h.assignment(host.ID, id); a.Generation != 2 || len(a.Volumes) != 2 || a.Volumes[0] != before[0] {
		t.Errorf("after the rebuild the host reads %+v", a.Volumes)
	}
	h.done(id, domain.Running)
	h.store.step(time.Hour)
	h.must(h.Delete(t.Context(), admin(), control.Ref{Ident: string(id)}, control.DeleteRequest{Force: true}))
	h.books("p1", domain.Claim{}, map[string]int64{"n2": 1})
	graves, _, err := h.Assignments(t.Context(), host.ID, 0)
	h.must(err)
	if len(graves) != 1 || !graves[0].Want.Absent || len(graves[0].Volumes) != 2 {
		t.Errorf("the host that returns reads %+v", graves)
	}
}

func TestVolumesThatCannotBeMade(t *testing.T) {
	h := withVolumes(t)
	h.addHost("n1", holds("", "it has no loop devices"))
	create := func(change ...func(*control.CreateRequest)) error {
		_, err := h.Create(t.Context(), member(), request("db", change...))
		return err
	}
	wantFault(t, create(sized("/data", 1)), domain.Invalid, "No host can make a volume of a size: it has no loop devices.")
	h.addHost("n2", holds("ext4", ""))
	wantFault(t, create(sized("/data", 51)), domain.Invalid, "A volume of 51 GB cannot be made: 1 to 50 GB can.")
	wantFault(t, create(sized("/data", 1), sized("/data", 1)), domain.Invalid, `Nothing can be put at "/data": another mount goes there.`)
	wantFault(t, create(sized("/data", 50), sized("/more", 50), sized("/most", 1)), domain.Forbidden, "Quota exceeded for resources: ['disk']")
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0, "n2": 0})
}
