package control_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/fleet"
	"github.com/go-zun/zun/internal/domain"
)

func TestFleet(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.addHost("n2", func(h *domain.Host) { h.Zone = "az2" })
	zones, err := h.Zones(t.Context())
	if err != nil || !slices.Equal(zones, []string{"az2", "nova"}) {
		t.Errorf("zones %v, %v", zones, err)
	}
	_, err = h.Host(t.Context(), "nope")
	wantFault(t, err, domain.NotFound, "Compute node nope could not be found.")
	yes, reason := true, "repair"
	_, err = h.SetService(t.Context(), "nope", "zun-compute", control.ServiceChange{Disabled: &yes})
	wantFault(t, err, domain.NotFound, "Zun service zun-compute on host nope could not be found.")
	_, err = h.SetService(t.Context(), "n1", "zun-api", control.ServiceChange{Disabled: &yes})
	wantFault(t, err, domain.NotFound, "Zun service zun-api on host n1 could not be found.")
	service, err := h.SetService(t.Context(), "n1", "zun-compute", control.ServiceChange{Disabled: &yes, DisabledReason: &reason})
	if err != nil || !service.Disabled || service.DisabledReason != "repair" {
		t.Errorf("got %+v, %v", service, err)
	}
	if answer := beat(h, h.addHost("n1")); !answer.Drain {
		t.Error("a new registration enabled a disabled host")
	}
	if row := h.row(h.create("web")); row.HostName != "n2" {
		t.Errorf("placed on %s", row.HostName)
	}
	no := false
	service, err = h.SetService(t.Context(), "n1", "zun-compute", control.ServiceChange{Disabled: &no})
	if err != nil || service.Disabled || service.DisabledReason != "" {
		t.Errorf("got %+v, %v", service, err)
	}
}

// TestAHostIsUpFromItsFirstBeat holds that nothing is placed on a host of which only is
// known that it joined.
func TestAHostIsUpFromItsFirstBeat(t *testing.T) {
	h := newHouse(t)
	_, err := h.RegisterHost(t.Context(), domain.Host{ID: "0000-n1", Name: "n1", Binary: "zun-compute", Address: "n1:1"})
	h.must(err)
	up := func() int {
		hosts, err := h.UpHosts(t.Context())
		h.must(err)
		return len(hosts)
	}
	if n := up(); n != 0 {
		t.Errorf("%d hosts are up that never beat", n)
	}
	_, err = h.Beat(t.Context(), domain.Beat{HostID: "0000-n1", Inventory: domain.Inventory{EngineUp: true}})
	h.must(err)
	if n := up(); n != 1 {
		t.Errorf("%d hosts are up after the first beat", n)
	}
}

func TestDeleteService(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	h.write(func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Trust().Admissions().Admit(ctx, domain.Admission{Role: domain.PeerHost, Name: "n1", ID: host.ID})
		return err
	})
	id := h.running("web")
	wantFault(t, h.DeleteService(t.Context(), "n1", "zun-compute"), domain.Conflict, "Host n1 still has containers.")
	h.must(h.delete(id, control.DeleteRequest{Force: true}))
	h.released(id)
	h.must(h.DeleteService(t.Context(), "n1", "zun-compute"))
	hosts, err := h.Hosts(t.Context(), control.Page{})
	if err != nil || len(hosts) != 0 {
		t.Errorf("left %+v, %v", hosts, err)
	}
	h.write(func(ctx context.Context, tx control.Tx) error {
		all, err := tx.Trust().Admissions().List(ctx)
		if len(all) != 1 || !all[0].Revoked() || all[0].Epoch != 2 {
			t.Errorf("its certificates are good still: %+v", all)
		}
		return err
	})
}

func TestARegistrationKeepsWhatBeatsTold(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	old := host
	old.Inventory = domain.Inventory{} // as read before the first beat
	got, err := h.RegisterHost(t.Context(), old)
	if err != nil || !got.Inventory.EngineUp || got.Inventory.CPUs != host.Inventory.CPUs {
		t.Errorf("got %+v, %v", got.Inventory, err)
	}
}

// TestAHostThatIsNoMoreKeepsNothing deletes a dead host whose containers were deleted
// by force: their ports were kept until it would report.
func TestAHostThatIsNoMoreKeepsNothing(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	h.store.step(time.Hour)
	h.must(h.delete(id, control.DeleteRequest{Force: true}))
	h.must(h.DeleteService(t.Context(), "n1", "zun-compute"))
	h.step(h.loops.Sweep)
	if n := h.nets.count(); n != 0 {
		t.Errorf("%d ports are kept for nobody", n)
	}
}

func TestACreateWhoseHostLeftChoosesAnother(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Delete(ctx, "0000-n1") })
	gone := domain.Host{ID: "0000-n1", Name: "n1"}
	err := h.Turn(t.Context(), func(ctx context.Context, t *control.Turn) error {
		return t.Occupy(ctx, &domain.Container{}, gone)
	})
	if !control.IsHostFull(err) {
		t.Errorf("got %v", err)
	}
}

func TestALiveNameIsNotTakenOver(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	thief := domain.Host{ID: "thief", Name: "n1", Binary: "zun-compute"}
	_, err := h.RegisterHost(t.Context(), thief)
	wantFault(t, err, domain.Conflict, "The name n1 belongs to another host of the fleet.")
	h.store.step(time.Hour)
	h.stands(domain.Host{ID: "0000-n1", Name: "n1"}, domain.Running, 1)
	_, err = h.RegisterHost(t.Context(), thief)
	wantFault(t, err, domain.Conflict, "The name n1 belongs to another host of the fleet.")
}

func TestADeadEmptyHostIsReplaced(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.store.step(time.Hour)
	got, err := h.RegisterHost(t.Context(), domain.Host{ID: "new", Name: "n1", Binary: "zun-compute"})
	if err != nil || got.ID != "new" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestQuotas(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	defaults, err := h.Defaults(ctx)
	h.must(err)
	if want := (domain.Quota{Containers: 40, CPU: 20, MemoryMB: 51200, DiskGB: 100}); defaults != want {
		t.Errorf("defaults %+v", defaults)
	}
	_, err = h.SetClass(ctx, "default", map[domain.Resource]int64{domain.ResourceContainers: 7})
	h.must(err)
	_, err = h.SetClass(ctx, "gold", map[domain.Resource]int64{domain.ResourceContainers: 9})
	h.must(err)
	_, err = h.SetQuota(ctx, "p1", map[domain.Resource]int64{domain.ResourceCPU: -1})
	h.must(err)
	q, err := h.SetQuota(ctx, "p1", map[domain.Resource]int64{domain.ResourceDisk: 5})
	h.must(err)
	if want := (domain.Quota{Containers: 7, CPU: -1, MemoryMB: 51200, DiskGB: 5}); q != want {
		t.Errorf("got %+v, want %+v", q, want)
	}
	h.must(h.DeleteQuota(ctx, "p1"))
	q, err = h.Quota(ctx, "p1")
	if err != nil || q.CPU != 20 || q.Containers != 7 {
		t.Errorf("after delete %+v, %v", q, err)
	}
	_, err = h.SetQuota(ctx, "p1", map[domain.Resource]int64{domain.ResourceCPU: -2})
	wantFault(t, err, domain.Invalid, "The limit of cpu must be -1 (no limit) or more.")
	h.reopen(func(o *control.Options) { o.QuotaOff = true })
	if q, err = h.Quota(ctx, "p1"); err != nil || q.Containers != -1 {
		t.Errorf("without quotas %+v, %v", q, err)
	}
}

func TestRegistries(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	made, err := h.CreateRegistry(ctx, member(), domain.Registry{Name: "r", Domain: "a.example"}, "")
	h.must(err)
	if made.ProjectID != "p1" || made.UserID != "u1" || made.SealedPassword != nil {
		t.Errorf("made %+v", made)
	}
	domainName, password := "b.example", "secret"
	got, err := h.UpdateRegistry(ctx, member(), "r", control.RegistryChange{Domain: &domainName, Password: &password})
	if err != nil || got.Domain != "b.example" || got.Name != "r" || len(got.SealedPassword) == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = h.Registry(ctx, domain.Actor{ProjectID: "p2"}, "r")
	wantFault(t, err, domain.NotFound, "Registry r could not be found.")
	_, err = h.CreateRegistry(ctx, member(), domain.Registry{Name: "r", Domain: "c.example"}, "")
	h.must(err)
	_, err = h.Registry(ctx, member(), "r")
	wantFault(t, err, domain.Conflict, "Multiple registries exist with same name. Please use the registry uuid instead.")
	h.must(h.DeleteRegistry(ctx, member(), made.ID))
	all, err := h.Registries(ctx, member(), false, nil, control.Page{})
	if err != nil || len(all) != 1 {
		t.Errorf("left %+v, %v", all, err)
	}
}

func TestRecordsOfAnUnknownRequest(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.running("web")
	_, _, err := h.Action(t.Context(), member(), control.Ref{Ident: "web"}, "req-none")
	wantFault(t, err, domain.NotFound, "The Action resource req-none could not be found.")
}

func TestStrangersAreToldOnceAndWhenTheyChange(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	var told bytes.Buffer
	hosts := fleet.New(fleet.Deps{
		Control: h.Control, Networking: h.nets, Secrets: reversed{}, Clock: h.store.clock, Log: slog.New(slog.NewTextHandler(&told, nil)),
	})
	for _, objects := range [][]string{nil, {"a"}, {"a"}, {"a", "b"}, {"a", "b"}, nil, nil} {
		_, err := hosts.Beat(t.Context(), domain.Beat{HostID: host.ID, Inventory: host.Inventory, Orphans: objects})
		h.must(err)
	}
	if lines := strings.Count(told.String(), "that nobody knows"); lines != 3 {
		t.Errorf("seven beats with three changes were told in %d lines:\n%s", lines, told.String())
	}
}
