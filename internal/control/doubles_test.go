package control_test

import (
	"cmp"
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// steppedStore is the real store with a clock that the test sets forward or back.
type steppedStore struct {
	control.Store
	mu     sync.Mutex
	offset time.Duration
	broken error
	blind  error // reads alone fail by it
	writes int
}

func (s *steppedStore) step(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += by
}

func (s *steppedStore) breakWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *steppedStore) blindWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blind = err
}

func (s *steppedStore) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().UTC().Add(s.offset)
}

func (s *steppedStore) state(write bool) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if write {
		s.writes++
		return s.offset, s.broken
	}
	return s.offset, cmp.Or(s.broken, s.blind)
}

func (s *steppedStore) Read(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	offset, err := s.state(false)
	if err != nil {
		return err
	}
	return s.Store.Read(ctx, func(ctx context.Context, tx control.Tx) error { return fn(ctx, steppedTx{tx, offset}) })
}

func (s *steppedStore) Write(ctx context.Context, fn func(context.Context, control.Tx) error) error {
	offset, err := s.state(true)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx control.Tx) error { return fn(ctx, steppedTx{tx, offset}) })
}

type steppedTx struct {
	control.Tx
	offset time.Duration
}

func (t steppedTx) Hosts() control.Hosts { return steppedHosts{t.Tx.Hosts(), t.offset} }

type steppedHosts struct {
	control.Hosts
	offset time.Duration
}

func (h steppedHosts) Now(ctx context.Context) (time.Time, error) {
	now, err := h.Hosts.Now(ctx)
	return now.Add(h.offset), err
}

// networks is a network service in memory. before runs ahead of each Prepare.
type networks struct {
	mu      sync.Mutex
	ports   map[domain.ContainerID][]domain.Nic
	made    int
	before  func(domain.Container)
	failing error
}

func (n *networks) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failing = err
}

func (n *networks) Resolve(_ context.Context, _ domain.Actor, nets []domain.NetRequest) ([]domain.NetChoice, error) {
	if len(nets) == 0 {
		return []domain.NetChoice{{NetworkID: "net-default"}}, nil
	}
	var choices []domain.NetChoice
	for _, net := range nets {
		if net.Network == "unknown" {
			return nil, domain.NewFault(domain.NotFound, "network-not-found", "Network unknown could not be found.")
		}
		choices = append(choices, domain.NetChoice{NetworkID: "net-" + net.Network, PortID: net.Port})
	}
	return choices, nil
}

func (n *networks) Prepare(_ context.Context, c domain.Container, hostName string) ([]domain.Nic, error) {
	n.mu.Lock()
	before := n.before
	n.before = nil
	n.mu.Unlock()
	if before != nil {
		before(c)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failing != nil {
		return nil, n.failing
	}
	known := n.ports[c.ID]
	for i, choice := range c.Resolved {
		if i == len(known) {
			n.made++
			known = append(known, domain.Nic{
				PortID: "port-" + choice.NetworkID + "-" + string(c.ID), NetworkID: choice.NetworkID, Ready: true,
				Addresses: []domain.NicAddress{{Addr: netip.MustParseAddr("10.0.0.2")}},
			})
		}
		known[i].Binding.Details = map[string]string{"host": hostName}
	}
	n.ports[c.ID] = known
	return known, nil
}

func (n *networks) Release(_ context.Context, id domain.ContainerID, nics []domain.Nic) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failing != nil {
		return n.failing
	}
	var left []domain.Nic
	for _, known := range n.ports[id] {
		named := len(nics) == 0
		for _, nic := range nics {
			named = named || nic.PortID == known.PortID || nic.PortID == "" && nic.NetworkID == known.NetworkID
		}
		if !named {
			left = append(left, known)
		}
	}
	n.ports[id] = left
	if len(left) == 0 {
		delete(n.ports, id)
	}
	return nil
}

func (n *networks) Leftovers(_ context.Context, known func(domain.ContainerID) bool) ([]domain.ContainerID, error) {
	n.mu.Lock()
	var owners []domain.ContainerID
	for id := range n.ports {
		owners = append(owners, id)
	}
	n.mu.Unlock()
	var left []domain.ContainerID
	for _, id := range owners {
		if !known(id) {
			left = append(left, id)
		}
	}
	return left, nil
}

func (n *networks) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.ports)
}

// nodes are the hosts as control reaches them: wakes are written down, calls answer
// from a script.
type nodes struct {
	mu             sync.Mutex
	woken          []string
	answer         func(call string) error
	seen           domain.Observation
	pulls, removed []string
}

func (n *nodes) Wake(host domain.Host, _ int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.woken = append(n.woken, host.Name)
}

func (n *nodes) wakes() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.woken)
}

func (n *nodes) Calls(domain.Host) control.Calls { return calls{n} }

func (n *nodes) say(call string) error {
	if n.answer == nil {
		return nil
	}
	return n.answer(call)
}

type calls struct{ n *nodes }

func (c calls) Observe(context.Context, domain.ContainerID) (domain.Observation, error) {
	return c.n.seen, c.n.say("observe")
}

func (c calls) ExecRun(ctx context.Context, _ domain.ContainerID, cmd []string) (domain.ExecResult, error) {
	if cmd[0] == "sleep" {
		<-ctx.Done()
		return domain.ExecResult{}, domain.NewFault(domain.Timeout, "timeout", "too late")
	}
	return domain.ExecResult{Output: []byte("hi"), ExitCode: 3}, c.n.say("exec")
}

func (c calls) Output() control.Output { return c }

func (c calls) Follow(_ context.Context, _ domain.ContainerID, _ domain.FollowQuery, sink control.FollowSink) error {
	if err := c.n.say("follow"); err != nil {
		return err
	}
	return sink([]domain.FollowRecord{{Kind: domain.FollowEnd}})
}

func (c calls) Logs(_ context.Context, _ domain.ContainerID, _ domain.LogQuery, sink control.LogSink) error {
	if err := c.n.say("logs"); err != nil {
		return err
	}
	return sink(domain.Stdout, []byte("line\n"))
}

func (c calls) Top(context.Context, domain.ContainerID, string) (domain.ProcessTable, error) {
	return domain.ProcessTable{Titles: []string{"PID"}}, c.n.say("top")
}

func (c calls) Stats(context.Context, domain.ContainerID) (domain.Stats, error) {
	return domain.Stats{PIDs: 1}, c.n.say("stats")
}
func (c calls) Terminals() control.Terminals { return c }
func (c calls) Archives() control.Archives   { return archives(c) }

func (c calls) ExecCreate(context.Context, domain.ContainerID, []string, bool) (string, error) {
	return "e1", c.n.say("exec create")
}

func (c calls) ExecResize(_ context.Context, _ domain.ContainerID, execID string, _, _ int) error {
	if execID != "e1" {
		return domain.NewFault(domain.NotFound, "exec-not-found", "no exec")
	}
	return c.n.say("exec resize")
}

func (c calls) Resize(context.Context, domain.ContainerID, int, int) error { return c.n.say("resize") }

func (c calls) Open(context.Context, domain.ContainerID, string) (control.Stream, error) {
	return nil, c.n.say("open")
}

type archives struct{ n *nodes }

func (a archives) Get(_ context.Context, _ domain.ContainerID, path string, sink control.ByteSink) (domain.PathStat, error) {
	if path == "/missing" {
		return domain.PathStat{}, domain.NewFault(domain.NotFound, "not-found", "no such path: /missing")
	}
	return domain.PathStat{Name: path}, sink([]byte("tar"))
}

func (a archives) Put(context.Context, domain.ContainerID, string, control.ByteSource) error {
	return a.n.say("put")
}

// reversed seals by turning bytes around: enough to see that nothing lies open.
type reversed struct{}

func (reversed) Seal(plain []byte) ([]byte, error) { return turned(plain), nil }

func (reversed) Open(sealed []byte) ([]byte, error) { return turned(sealed), nil }

func turned(in []byte) []byte {
	out := make([]byte, len(in))
	for i, b := range in {
		out[len(in)-1-i] = b
	}
	return out
}

// meter counts what the runner tells.
type meter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (m *meter) Count(job, name string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[job+" "+name] += n
}

func (m *meter) Observe(job string, _ float64) { m.Count(job, "steps", 1) }

func (m *meter) count(key string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[key]
}

func (c calls) Images() control.ImageCalls { return imageCalls(c) }

// imageCalls pull at once; a scripted answer decides how it ends.
type imageCalls struct{ n *nodes }

func (i imageCalls) Pull(_ context.Context, order domain.ImageOrder, progress func(done, total int64) error) (domain.LocalImage, error) {
	reference, secret := order.Reference, order.Secret
	i.n.mu.Lock()
	i.n.pulls = append(i.n.pulls, reference)
	if secret != nil {
		i.n.pulls = append(i.n.pulls, secret.Username)
	}
	i.n.mu.Unlock()
	if err := i.n.say("begin pull"); err != nil {
		return domain.LocalImage{}, err
	}
	if err := progress(1, 2); err != nil {
		return domain.LocalImage{}, err
	}
	return domain.LocalImage{ID: "sha256:1", Size: 42}, i.n.say("pull")
}

func (i imageCalls) Remove(_ context.Context, reference string) error {
	i.n.mu.Lock()
	i.n.removed = append(i.n.removed, reference)
	i.n.mu.Unlock()
	return i.n.say("remove image")
}

func (i imageCalls) Search(_ context.Context, term string) ([]domain.FoundImage, error) {
	return []domain.FoundImage{{Name: term}, {Name: "x/" + term}}, i.n.say("search")
}
