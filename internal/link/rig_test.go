package link_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/kit/clock"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/node"
	"github.com/go-zun/zun/internal/link/trust"
)

const downAfter = time.Minute

// rows are the three nouns of the store that the link touches. A transaction works on
// a copy, which is dropped when it fails.
type rows struct {
	hosts     map[string]domain.Host
	tickets   map[string]ticket
	admitted  map[string]domain.Admission // by role and name
	authority *control.Authority
}

type ticket struct {
	control.Ticket
	expires time.Time
}

type store struct {
	clock *clock.Clock
	mu    sync.Mutex
	rows  rows
}

func (s *store) Read(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	return s.Write(ctx, fn)
}

func (s *store) Glance(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	return s.Read(ctx, fn)
}

func (s *store) Write(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	work := rows{hosts: maps.Clone(s.rows.hosts), tickets: maps.Clone(s.rows.tickets), admitted: maps.Clone(s.rows.admitted), authority: s.rows.authority}
	if err := fn(ctx, tx{rows: &work, now: s.clock.Now()}); err != nil {
		return err
	}
	s.rows = work
	return nil
}

func (s *store) Ping(context.Context) error { return nil }

func (s *store) host(name string) domain.Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.rows.hosts {
		if h.Name == name {
			return h
		}
	}
	return domain.Host{}
}

func (s *store) admissions() []domain.Admission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.rows.admitted))
}

func (s *store) put(h domain.Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows.hosts[h.ID] = h
}

func (s *store) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows.hosts, id)
}

type tx struct {
	control.Tx
	rows *rows
	now  time.Time
}

func (t tx) Hosts() control.Hosts { return hosts{tx: t} }
func (t tx) Trust() control.Trust { return vows{t} }

type hosts struct {
	control.Hosts
	tx tx
}

func (h hosts) Get(_ context.Context, ident string) (domain.Host, error) {
	for _, host := range h.tx.rows.hosts {
		if host.ID == ident || host.Name == ident {
			return host, nil
		}
	}
	return domain.Host{}, domain.NewFault(domain.NotFound, "compute-node-not-found", "no host %s", ident)
}

func (h hosts) Upsert(_ context.Context, host domain.Host) error {
	h.tx.rows.hosts[host.ID] = host
	return nil
}

func (h hosts) Now(context.Context) (time.Time, error) { return h.tx.now, nil }

type vows struct{ tx tx }

func (v vows) PutTicket(_ context.Context, t control.Ticket) error {
	v.tx.rows.tickets[string(t.Hash)] = ticket{t, v.tx.now.Add(t.TTL)}
	return nil
}

func (v vows) Redeem(_ context.Context, kind control.TicketKind, hash []byte) (control.Ticket, error) {
	t, ok := v.tx.rows.tickets[string(hash)]
	if !ok || t.Kind != kind || v.tx.now.After(t.expires) {
		return control.Ticket{}, domain.NewFault(domain.NotFound, "ticket-not-found", "no such ticket")
	}
	delete(v.tx.rows.tickets, string(hash))
	return t.Ticket, nil
}

func (v vows) Peek(context.Context, control.TicketKind, []byte) error { return nil }
func (v vows) Purge(context.Context) (int, error)                     { return 0, nil }
func (v vows) Consoles() control.Consoles                             { return nil }
func (v vows) Admissions() control.Admissions                         { return admissions(v) }

func (v vows) Authority(context.Context) (control.Authority, error) {
	if v.tx.rows.authority == nil {
		return control.Authority{}, domain.NewFault(domain.NotFound, "no-authority", "none yet")
	}
	return *v.tx.rows.authority, nil
}

func (v vows) SetAuthority(_ context.Context, a control.Authority) (control.Authority, error) {
	if v.tx.rows.authority == nil {
		v.tx.rows.authority = &a
	}
	return *v.tx.rows.authority, nil
}

type admissions struct{ tx tx }

func (a admissions) Admit(_ context.Context, want domain.Admission) (domain.Admission, error) {
	key := string(want.Role) + " " + want.Name
	want.Epoch, want.Since, want.RevokedAt = a.tx.rows.admitted[key].Epoch+1, a.tx.now, time.Time{}
	a.tx.rows.admitted[key] = want
	return want, nil
}

func (a admissions) List(context.Context) ([]domain.Admission, error) {
	return slices.Collect(maps.Values(a.tx.rows.admitted)), nil
}

func (a admissions) Revoke(_ context.Context, id string) error {
	for key, known := range a.tx.rows.admitted {
		if known.ID == id {
			if !known.Revoked() {
				known.Epoch, known.RevokedAt = known.Epoch+1, a.tx.now
			}
			a.tx.rows.admitted[key] = known
			return nil
		}
	}
	return domain.NewFault(domain.NotFound, "admission-not-found", "no admission %s", id)
}

// seal is a Secrets whose sealed form is not the plain one.
type seal byte

func (s seal) Seal(plain []byte) ([]byte, error) {
	sealed := slices.Clone(plain)
	for i := range sealed {
		sealed[i] ^= byte(s)
	}
	return sealed, nil
}

func (s seal) Open(sealed []byte) ([]byte, error) { return s.Seal(sealed) }

// brain is a Brain that remembers.
type brain struct {
	store *store

	mu          sync.Mutex
	assignments []domain.Assignment
	reports     []domain.Report
	beats       int
	kept, left  []string // consoles
}

func (b *brain) RegisterHost(_ context.Context, h domain.Host) (domain.Host, error) {
	h.LastSeenUp = b.store.clock.Now()
	b.store.put(h)
	return h, nil
}

func (b *brain) known(id string) error {
	return b.store.Read(context.Background(), func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Hosts().Get(ctx, id)
		return err
	})
}

func (b *brain) Beat(_ context.Context, beat domain.Beat) (domain.BeatAnswer, error) {
	if err := b.known(beat.HostID); err != nil {
		return domain.BeatAnswer{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beats++
	return domain.BeatAnswer{NextIn: 10 * time.Second, Revision: 7}, nil
}

func (b *brain) Assignments(_ context.Context, _ string, after int64) (due []domain.Assignment, reached int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.assignments {
		if a.Revision > after {
			due = append(due, a)
			reached = max(reached, a.Revision)
		}
	}
	return due, reached, nil
}

func (b *brain) Report(_ context.Context, _ string, r domain.Report) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports = append(b.reports, r)
	return r.Generation != 1, nil
}

// Redeem knows one ticket, which leads to the host of that name.
func (b *brain) Redeem(_ context.Context, claim control.TicketClaim) (control.Visit, error) {
	if claim.Secret != "ticket" {
		return control.Visit{}, domain.NewFault(domain.NotFound, "ticket-not-found", "no such ticket")
	}
	return control.Visit{Console: "console-1", Container: claim.Container, ExecID: claim.ExecID, UserID: "u1", ProjectID: "p1", Host: b.store.host("h1")}, nil
}

// Keep and Leave remember what doors said.
func (b *brain) Keep(_ context.Context, consoles []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = append(b.kept, consoles...)
	return nil
}

func (b *brain) Leave(_ context.Context, console string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = append(b.left, console)
	return nil
}

func quickTiming() channel.Timing {
	t := channel.DefaultTiming()
	t.Ping, t.PingTimeout = time.Second, time.Second
	t.Connect, t.Call, t.Drain, t.Recheck = 2*time.Second, 5*time.Second, 200*time.Millisecond, 20*time.Millisecond
	return t
}

// rig is a deployment: one store, replicas and hosts on demand.
type rig struct {
	t     *testing.T
	clock *clock.Clock
	store *store
	brain *brain
	log   *slog.Logger
}

func newRig(t *testing.T) *rig {
	t.Helper()
	c := clock.At(time.Now().UTC())
	s := &store{clock: c, rows: rows{hosts: map[string]domain.Host{}, tickets: map[string]ticket{}, admitted: map[string]domain.Admission{}}}
	return &rig{t: t, clock: c, store: s, brain: &brain{store: s}, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// replica is one zun-api as far as the link goes.
type replica struct {
	authority *ctl.Authority
	nodes     *ctl.Nodes
	address   string
	stop      func()
}

func (r *rig) replica(address string) *replica {
	r.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.replicaOn(listener, channel.TCP())
}

func (r *rig) replicaOn(listener net.Listener, dial channel.Dialer) *replica {
	r.t.Helper()
	authority, err := ctl.OpenAuthority(r.t.Context(), r.store, seal(0x5a), r.clock.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	server := ctl.NewServer(ctl.ServerDeps{
		Brain: r.brain, Authority: authority, DownAfter: downAfter, Dial: dial, Timing: quickTiming(), Log: r.log,
	})
	nodes := ctl.NewNodes(ctl.NodesDeps{Authority: authority, Dial: dial, Timing: quickTiming(), Log: r.log})
	stop := r.serve(func(ctx context.Context) error { return server.Serve(ctx, listener) })
	rep := &replica{authority: authority, nodes: nodes, address: listener.Addr().String()}
	rep.stop = sync.OnceFunc(func() { nodes.Close(); stop() })
	r.t.Cleanup(rep.stop)
	return rep
}

// serve runs fn until the returned function is called, which waits for it.
func (r *rig) serve(fn func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fn(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("a server ended with %v", err)
		}
	})
}

func (r *rig) token(rep *replica, name string) string {
	r.t.Helper()
	token, err := rep.authority.Token(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// machine is one host.
type machine struct {
	*node.Link
	hands *hands
	stop  func()
}

// machine makes a host that serves but has not entered.
func (r *rig) machine(deps node.Deps) *machine {
	r.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	if deps.AdvertiseAddress == "" {
		deps.AdvertiseAddress = listener.Addr().String()
	}
	deps.Dial = channel.TCP()
	return r.machineOn(listener, deps)
}

func (r *rig) machineOn(listener net.Listener, deps node.Deps) *machine {
	r.t.Helper()
	if deps.Vault == nil {
		deps.Vault = trust.NewVault(r.t.TempDir())
	}
	deps.Timing, deps.Clock, deps.Log = quickTiming(), r.clock.Now, r.log
	link, err := node.New(deps)
	if err != nil {
		r.t.Fatal(err)
	}
	h := &hands{woken: make(chan int64, 100)}
	link.Attach(node.Hands{Wake: func(rev int64) { h.woken <- rev }, Calls: h, Terminals: h, Archives: files{h}, Images: pictures{h}})
	stop := r.serve(func(ctx context.Context) error { return link.Serve(ctx, listener) })
	m := &machine{Link: link, hands: h, stop: sync.OnceFunc(func() { link.Close(); stop() })}
	r.t.Cleanup(m.stop)
	return m
}

// joined makes a host that entered and registered.
func (r *rig) joined(name string, reps ...*replica) *machine {
	r.t.Helper()
	deps := node.Deps{HostName: name, Token: r.token(reps[0], name)}
	for _, rep := range reps {
		deps.Controls = append(deps.Controls, rep.address)
	}
	m := r.machine(deps)
	if err := errors.Join(m.Enter(r.t.Context()), m.Register(r.t.Context())); err != nil {
		r.t.Fatalf("host %s: %v", name, err)
	}
	return m
}

// wantFault fails unless err is a fault of kind and code.
func wantFault(t *testing.T, err error, kind domain.FaultKind, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want kind %d %q", kind, code)
	}
	if f := domain.AsFault(err); f.Kind != kind || f.Code != code {
		t.Fatalf("got kind %d %q (%v), want kind %d %q", f.Kind, f.Code, err, kind, code)
	}
}

// eventually looks every few milliseconds until ok or ten seconds passed.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}
