package control_test

import (
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestCreateJourney(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	row, err := h.Create(t.Context(), member(), request("web", func(r *control.CreateRequest) { r.Spec.Name = "" }))
	h.must(err)
	if row.Status != domain.Creating || row.TaskState != domain.Idle || row.CreatedAt.IsZero() || !row.UpdatedAt.IsZero() {
		t.Errorf("accepted as %+v", row)
	}
	if !regexp.MustCompile(`^[a-z]+-([1-9]|1\d|2[0-4])-container$`).MatchString(row.Spec.Name) {
		t.Errorf("generated name %q", row.Spec.Name)
	}
	if row.Spec.CPU != 1 || row.Spec.MemoryMB != 512 || row.Spec.CPUPolicy != "shared" || row.Spec.PullPolicy != domain.PullAlways {
		t.Errorf("defaults not applied: %+v", row.Spec)
	}
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, map[string]int64{"n1": 1})
	if h.assignment(host.ID, row.ID) != nil {
		t.Error("the host sees what is not prepared")
	}
	if n := h.step(h.loops.Prepare); n != 1 {
		t.Errorf("prepared %d actions", n)
	}
	a := h.assignment(host.ID, row.ID)
	if a == nil || a.Op == nil || a.Op.Verb != domain.VerbCreate || !a.Op.Args.Run || !a.Want.Running || len(a.Nics) != 1 {
		t.Fatalf("the host reads %+v", a)
	}
	if h.nodes.wakes() != 1 {
		t.Errorf("%d wakes", h.nodes.wakes())
	}
	hostID, progress := h.reportOf(row.ID, domain.PhaseProgress)
	progress.TaskState, progress.EventName = domain.ImagePulling, "compute__image_pull"
	h.send(hostID, progress)
	if got := h.wantStatus(row.ID, domain.Creating); got.TaskState != domain.ImagePulling {
		t.Errorf("task %q", got.TaskState)
	}
	h.done(row.ID, domain.Running)
	got := h.wantStatus(row.ID, domain.Running)
	if got.TaskState != domain.Idle || !got.EverCreated || got.EngineID == "" {
		t.Errorf("after done: %+v", got)
	}
	if a := h.assignment(host.ID, row.ID); a.Op != nil || !a.Want.Running {
		t.Errorf("settled as %+v", a)
	}
	action, events, err := h.Action(t.Context(), member(), control.Ref{Ident: got.Spec.Name}, "req-1")
	h.must(err)
	if action.Verb != domain.VerbCreate || action.State != domain.ActionDone || len(events) != 2 {
		t.Errorf("recorded %+v with %+v", action, events)
	}
}

func TestCreateCostsTwoTransactionsAndTheAcceptance(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	before := h.store.writes
	h.create("web")
	if got := h.store.writes - before; got != 1 {
		t.Errorf("accepting took %d write transactions", got)
	}
	select {
	case <-h.Bells().Prepare:
	default:
		t.Error("the prepare loop was not rung")
	}
	before = h.store.writes
	h.step(h.loops.Prepare)
	if got := h.store.writes - before; got > 2 {
		t.Errorf("making it visible took %d write transactions", got)
	}
}

func TestNoValidHost(t *testing.T) {
	h := newHouse(t)
	row, err := h.Create(t.Context(), member(), request("web"))
	h.must(err)
	if row.Status != domain.Error || row.StatusReason != "There are not enough hosts available." || row.HostID != "" {
		t.Fatalf("got %+v", row)
	}
	actions, err := h.Actions(t.Context(), member(), control.Ref{Ident: "web"})
	h.must(err)
	if len(actions) != 0 {
		t.Errorf("records %+v", actions)
	}
	wantFault(t, h.act(row.ID, domain.VerbStart), domain.Invalid, "Cannot operate an uncreated container.")

	h.addHost("n1") // a rebuild places it
	h.must(h.act(row.ID, domain.VerbRebuild))
	h.step(h.loops.Prepare)
	h.done(row.ID, domain.Created)
	h.wantStatus(row.ID, domain.Created)
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, map[string]int64{"n1": 1})
}

func TestHostlessContainerIsDeletedWithoutAHost(t *testing.T) {
	h := newHouse(t)
	id := h.create("web")
	h.must(h.delete(id, control.DeleteRequest{}))
	h.step(h.loops.Release)
	if !h.gone(id) {
		t.Error("the row is still there")
	}
	h.books("p1", domain.Claim{}, nil)
}

func TestCreateRefusals(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.NameScope, o.Quota.CPU = control.NamesProject, 4 })
	h.addHost("n1")
	h.create("taken")
	for name, c := range map[string]struct {
		change  func(*control.CreateRequest)
		kind    domain.FaultKind
		message string
	}{
		"unknown host": {func(r *control.CreateRequest) { r.Spec.RequestedHost = "nope" },
			domain.NotFound, "Requested host nope could not be found."},
		"unknown network": {func(r *control.CreateRequest) { r.Spec.Nets = []domain.NetRequest{{Network: "unknown"}} },
			domain.NotFound, "Network unknown could not be found."},
		"unknown registry": {func(r *control.CreateRequest) { r.Registry = "nope" },
			domain.NotFound, "Registry nope could not be found."},
		"unknown group": {func(r *control.CreateRequest) { r.Spec.SecurityGroups = []string{"web"} },
			domain.Invalid, "Security group web not found."},
		"junk file": {func(r *control.CreateRequest) { r.Spec.Mounts = []domain.MountRequest{{Type: "bind", Source: "%%"}} },
			domain.Invalid, "Invalid Base 64 file data"},
		"unknown volume": {func(r *control.CreateRequest) { r.Spec.Mounts = []domain.MountRequest{{Type: "volume", Source: "v"}} },
			domain.NotFound, "Volume v could not be found."},
		"taken name": {func(r *control.CreateRequest) { r.Spec.Name = "taken" },
			domain.Conflict, "A container with name taken already exists."},
		"defaults count": {func(r *control.CreateRequest) { r.Spec.CPU, r.CPUAsked = 3.5, true },
			domain.Forbidden, "Quota exceeded for resources: ['cpu']"},
		"quota comes before networks": {func(r *control.CreateRequest) {
			r.Spec.CPU, r.CPUAsked, r.Spec.Nets = 9, true, []domain.NetRequest{{Network: "unknown"}}
		}, domain.Forbidden, "Quota exceeded for resources: ['cpu']"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Create(t.Context(), member(), request("web", c.change))
			wantFault(t, err, c.kind, c.message)
		})
	}
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, map[string]int64{"n1": 1})
}

func TestConcurrentCreatesNeverPassTheQuota(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.Quota.Containers = 3 })
	h.addHost("n1")
	h.addHost("n2")
	var wait sync.WaitGroup
	results := make(chan error, 12)
	for i := range 12 {
		wait.Go(func() {
			_, err := h.Create(t.Context(), member(), request(fmt.Sprintf("c%d", i)))
			results <- err
		})
	}
	wait.Wait()
	close(results)
	accepted := 0
	for err := range results {
		if err == nil {
			accepted++
			continue
		}
		wantFault(t, err, domain.Forbidden, "Quota exceeded for resources: ['containers']")
	}
	if accepted != 3 {
		t.Errorf("%d accepted", accepted)
	}
	h.books("p1", domain.Claim{Containers: 3, CPU: 3, MemoryMB: 1536}, nil)
}

func TestCreatesFillAHostAndNoMore(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.Ratios.CPU = 1 })
	h.addHost("n1", func(h *domain.Host) { h.Inventory.CPUs = 2 })
	var wait sync.WaitGroup
	rows := make(chan domain.Container, 5)
	for i := range 5 {
		wait.Go(func() {
			row, err := h.Create(t.Context(), member(), request(fmt.Sprintf("c%d", i)))
			if err != nil {
				t.Error(err)
			}
			rows <- row
		})
	}
	wait.Wait()
	close(rows)
	placed := 0
	for row := range rows {
		if row.Status == domain.Creating {
			placed++
		}
	}
	if placed != 2 {
		t.Errorf("%d placed on a host for two", placed)
	}
}

func TestIdempotencyKey(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	key := func(r *control.CreateRequest) { r.IdempotencyKey = "k1" }
	var wait sync.WaitGroup
	ids := make(chan domain.ContainerID, 4)
	for range 4 {
		wait.Go(func() {
			row, err := h.Create(t.Context(), member(), request("web", key))
			if err != nil {
				t.Error(err)
			}
			ids <- row.ID
		})
	}
	wait.Wait()
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			t.Errorf("the same key made %s and %s", first, id)
		}
	}
	other := member()
	other.ProjectID = "p2"
	row, err := h.Create(t.Context(), other, request("web", key))
	h.must(err)
	if row.ID == first {
		t.Error("another project's key met this one's container")
	}
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, nil)

	h.step(h.loops.Prepare)
	h.store.step(time.Hour)
	h.must(h.delete(first, control.DeleteRequest{Force: true}))
	if _, err := h.Create(t.Context(), member(), request("web", key)); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("while the silent host holds the first of its id: %v", err)
	}
}

// BenchmarkCreateToVisible measures what control adds to a create: from the request
// to the moment at which the host can read its assignment.
func BenchmarkCreateToVisible(b *testing.B) {
	h := newHouse(b, func(o *control.Options) { o.QuotaOff = true })
	h.addHost("n1", func(h *domain.Host) { h.Inventory.CPUs, h.Inventory.MemoryMB = 1<<20, 1<<40 })
	for b.Loop() {
		h.create("web")
		if h.step(h.loops.Prepare) != 1 {
			b.Fatal("not prepared")
		}
	}
}
