package control_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/books"
	"github.com/go-zun/zun/internal/control/containers"
	"github.com/go-zun/zun/internal/control/fleet"
	"github.com/go-zun/zun/internal/control/insides"
	"github.com/go-zun/zun/internal/control/loops"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/control/snapshots"
	"github.com/go-zun/zun/internal/control/wiring"
	"github.com/go-zun/zun/internal/domain"
)

// rooms are the use cases of one replica.
type rooms struct {
	*control.Control
	*containers.Containers
	*fleet.Fleet
	*insides.Insides
	*wiring.Wiring
	*books.Books
	*snapshots.Snapshots
}

// house is the control plane over a real store, with doubles for what lies outside:
// the network service and the hosts.
type house struct {
	rooms
	t     testing.TB
	store *steppedStore
	nets  *networks
	// groups are nil in a house whose network service has none.
	groups control.Groups
	// volumes are nil in a house without a volume service.
	volumes control.Volumes
	rules   control.ImageRules // nil: nothing is demanded of images
	nodes   *nodes
	loops   *loops.Loops
	meter   *meter
}

func newHouse(tb testing.TB, change ...func(*control.Options)) *house {
	tb.Helper()
	h := &house{
		t: tb, store: &steppedStore{Store: storetest.Open(tb)}, meter: &meter{counts: map[string]int{}},
		nets: &networks{ports: map[domain.ContainerID][]domain.Nic{}}, nodes: &nodes{},
	}
	h.reopen(change...)
	return h
}

// reopen starts the control plane anew on what the store holds, as a restart or
// another replica does.
func (h *house) reopen(change ...func(*control.Options)) {
	options := control.DefaultOptions()
	options.ResponseTimeout = 5 * time.Second
	for _, c := range change {
		c(&options)
	}
	log := slog.New(slog.DiscardHandler)
	brain := control.New(control.Deps{
		Store: h.store, ImageRules: h.rules, Nodes: h.nodes, Rand: rand.Reader, Options: options,
	})
	chooser := placing.New(placing.Deps{Control: brain, Clock: h.store.clock, Log: log})
	h.rooms = rooms{
		Control: brain,
		Containers: containers.New(containers.Deps{
			Control: brain, Placing: chooser, Networking: h.nets, Groups: h.groups, Volumes: h.volumes, Log: log,
		}),
		Fleet:   fleet.New(fleet.Deps{Control: brain, Networking: h.nets, Secrets: reversed{}, Clock: h.store.clock, Log: log}),
		Insides: insides.New(insides.Deps{Control: brain, Nodes: h.nodes}),
		Wiring:  wiring.New(wiring.Deps{Control: brain, Networking: h.nets, Groups: h.groups}),
		Books:   books.New(books.Deps{Control: brain, Secrets: reversed{}}),

		Snapshots: snapshots.New(brain, 100),
	}
	h.loops = loops.New(loops.Deps{Control: brain, Placing: chooser, Fleet: h.Fleet, Networking: h.nets, Groups: h.groups, Volumes: h.volumes, Nodes: h.nodes, Meter: h.meter, Log: log, Owner: "test"})
}

// member is a user of project p1, admin an operator.
func member() domain.Actor {
	return domain.Actor{UserID: "u1", ProjectID: "p1", RequestID: "req-1"}
}

func admin() domain.Actor {
	return domain.Actor{UserID: "root", ProjectID: "p0", RequestID: "req-0", IsAdmin: true}
}

func (h *house) addHost(name string, change ...func(*domain.Host)) domain.Host {
	h.t.Helper()
	host := domain.Host{
		ID: "0000-" + name, Name: name, Binary: "zun-compute", Address: name + ":1",
		Inventory: domain.Inventory{CPUs: 8, MemoryMB: 16384, DiskGB: 100, EngineUp: true},
	}
	for _, c := range change {
		c(&host)
	}
	_, err := h.RegisterHost(h.t.Context(), host)
	h.must(err)
	h.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Hosts().Beat(ctx, domain.Beat{HostID: host.ID, Inventory: host.Inventory}); err != nil {
			return err
		}
		host, err = tx.Hosts().Get(ctx, host.ID)
		return err
	})
	return host
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func request(name string, change ...func(*control.CreateRequest)) control.CreateRequest {
	req := control.CreateRequest{Spec: domain.Spec{Name: name, Image: "cirros"}, Run: true}
	for _, c := range change {
		c(&req)
	}
	return req
}

func (h *house) create(name string, change ...func(*control.CreateRequest)) domain.ContainerID {
	h.t.Helper()
	row, err := h.Create(h.t.Context(), member(), request(name, change...))
	h.must(err)
	return row.ID
}

// running returns a container that was created and runs.
func (h *house) running(name string, change ...func(*control.CreateRequest)) domain.ContainerID {
	h.t.Helper()
	id := h.create(name, change...)
	h.step(h.loops.Prepare)
	h.done(id, domain.Running)
	h.wantStatus(id, domain.Running)
	return id
}

func (h *house) step(step func(context.Context) (int, error)) int {
	h.t.Helper()
	did, err := step(h.t.Context())
	h.must(err)
	return did
}

func (h *house) row(id domain.ContainerID) domain.Container {
	h.t.Helper()
	row, err := h.Get(h.t.Context(), admin(), control.Ref{Ident: string(id)})
	h.must(err)
	return row
}

func (h *house) gone(id domain.ContainerID) bool {
	h.t.Helper()
	_, err := h.Get(h.t.Context(), admin(), control.Ref{Ident: string(id)})
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		h.t.Fatal(err)
	}
	return err != nil
}

func (h *house) wantStatus(id domain.ContainerID, want domain.Status) domain.Container {
	h.t.Helper()
	row := h.row(id)
	if row.Status != want {
		h.t.Fatalf("status %s (%s), want %s", row.Status, row.StatusReason, want)
	}
	return row
}

// assignment is what the container's host reads of it; nil when it reads nothing.
func (h *house) assignment(hostID string, id domain.ContainerID) *domain.Assignment {
	h.t.Helper()
	all, _, err := h.Assignments(h.t.Context(), hostID, 0)
	h.must(err)
	for _, a := range all {
		if a.Container == id {
			return &a
		}
	}
	return nil
}

// reportOf answers the operation that the container's host has before it.
func (h *house) reportOf(id domain.ContainerID, phase domain.ReportPhase) (string, domain.Report) {
	h.t.Helper()
	row := h.row(id)
	a := h.assignment(row.HostID, id)
	if a == nil || a.Op == nil {
		h.t.Fatalf("the host has nothing to do for %s", id)
	}
	return row.HostID, domain.Report{
		Container: id, Generation: a.Generation, ActionID: a.Op.ActionID, Epoch: a.Op.Epoch, Phase: phase,
	}
}

func (h *house) send(hostID string, r domain.Report) (stale bool) {
	h.t.Helper()
	stale, err := h.Report(h.t.Context(), hostID, r)
	h.must(err)
	return stale
}

func (h *house) done(id domain.ContainerID, seen domain.Status) {
	h.t.Helper()
	hostID, r := h.reportOf(id, domain.PhaseDone)
	r.Seen = &domain.Observation{Status: seen, EngineID: "engine-" + string(id)}
	if h.send(hostID, r) {
		h.t.Fatal("the report of the action under way is stale")
	}
}

func (h *house) failed(id domain.ContainerID, reason string) {
	h.t.Helper()
	hostID, r := h.reportOf(id, domain.PhaseFailed)
	r.Message = reason
	if h.send(hostID, r) {
		h.t.Fatal("the report of the action under way is stale")
	}
}

func (h *house) observed(id domain.ContainerID, seen domain.Status) (stale bool) {
	h.t.Helper()
	row := h.row(id)
	return h.send(row.HostID, domain.Report{
		Container: id, Generation: row.Generation, Phase: domain.PhaseObserved, Seen: &domain.Observation{Status: seen},
	})
}

func (h *house) released(id domain.ContainerID) {
	h.t.Helper()
	hostID, r := h.reportOf(id, domain.PhaseReleased)
	h.send(hostID, r)
	h.step(h.loops.Release)
}

func (h *house) act(id domain.ContainerID, verb domain.Verb) error {
	_, err := h.Act(h.t.Context(), member(), control.Ref{Ident: string(id)}, verb, domain.ActionArgs{})
	return err
}

// attach asks for an interface of the container called name on network.
func (h *house) attach(name, network string) {
	h.t.Helper()
	h.rewire(domain.VerbNetworkAttach, name, network)
}

// detach asks that the container called name loses its interface on network.
func (h *house) detach(name, network string) {
	h.t.Helper()
	h.rewire(domain.VerbNetworkDetach, name, network)
}

func (h *house) rewire(verb domain.Verb, name, network string) {
	h.t.Helper()
	_, err := h.Rewire(h.t.Context(), member(), control.Ref{Ident: name}, verb,
		domain.ActionArgs{Net: domain.NetRequest{Network: network}})
	h.must(err)
}

func (h *house) delete(id domain.ContainerID, how control.DeleteRequest) error {
	return h.Delete(h.t.Context(), admin(), control.Ref{Ident: string(id)}, how)
}

func (h *house) write(fn func(ctx context.Context, tx control.Tx) error) {
	h.t.Helper()
	h.must(h.store.Write(h.t.Context(), fn))
}

func (h *house) read(fn func(ctx context.Context, tx control.Tx) error) {
	h.t.Helper()
	h.must(h.store.Read(h.t.Context(), fn))
}

// books checks that usage and claims equal the sum over the rows.
func (h *house) books(projectID string, want domain.Claim, hosts map[string]int64) {
	h.t.Helper()
	used, err := h.Usage(h.t.Context(), projectID)
	h.must(err)
	if used != want {
		h.t.Errorf("project %s uses %+v, want %+v", projectID, used, want)
	}
	for name, containers := range hosts {
		host, err := h.Host(h.t.Context(), name)
		h.must(err)
		if host.Used.Containers != containers {
			h.t.Errorf("host %s has %d containers claimed, want %d", name, host.Used.Containers, containers)
		}
	}
}

func wantFault(tb testing.TB, err error, kind domain.FaultKind, message string) {
	tb.Helper()
	fault := domain.AsFault(err)
	if fault == nil || fault.Kind != kind || fault.Message != message {
		tb.Errorf("got %+v, want kind %d and %q", fault, kind, message)
	}
}
