package ctl

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// wakeTimeout bounds one wake: later the next beat has told the same.
const wakeTimeout = 5 * time.Second

// NodesDeps are what Nodes stands on. Every field is required.
type NodesDeps struct {
	Authority *Authority
	Dial      channel.Dialer
	Timing    channel.Timing
	Log       *slog.Logger
}

// Nodes reaches the agents: it satisfies control.Nodes. One connection per host is
// opened when it is first needed and kept; it is safe for concurrent use.
type Nodes struct {
	authority *Authority
	dial      channel.Dialer
	timing    channel.Timing
	log       *slog.Logger

	ctx    context.Context // the life of the wakes, which outlive the calls that ask for them
	cancel context.CancelFunc
	wakes  sync.WaitGroup // and the watch over the lines

	mu      sync.Mutex
	closed  bool
	lines   map[string]*line
	pending map[string]wake
}

var _ control.Nodes = (*Nodes)(nil)

// line is the connection to one host.
type line struct {
	address string
	conn    *grpc.ClientConn
	who     atomic.Pointer[trust.Identity] // that answered last; nil before the first handshake
}

// wake is the newest hint for one host that waits behind the one under way.
type wake struct {
	host     domain.Host
	revision int64
}

// NewNodes returns a dialler without connections, which closes those to hosts that are
// admitted no more. Close ends it.
func NewNodes(d NodesDeps) *Nodes {
	ctx, cancel := context.WithCancel(context.Background())
	n := &Nodes{
		authority: d.Authority, dial: d.Dial, timing: d.Timing, log: d.Log,
		ctx: ctx, cancel: cancel,
		lines: map[string]*line{}, pending: map[string]wake{},
	}
	n.wakes.Go(n.watch)
	return n
}

// watch closes the lines to hosts that are admitted no more, which ends the calls on them.
func (n *Nodes) watch() {
	tick := time.NewTicker(n.timing.Recheck)
	defer tick.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
		for id, l := range n.open() {
			who := l.who.Load()
			if who != nil && domain.IsKind(n.authority.roll.Judge(n.ctx, *who), domain.Unauthenticated) {
				n.hangUp(id, l)
			}
		}
	}
}

// open are the lines of this moment.
func (n *Nodes) open() map[string]*line {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.lines)
}

// hangUp closes l, unless another took its place.
func (n *Nodes) hangUp(hostID string, l *line) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lines[hostID] == l {
		_ = l.conn.Close()
		delete(n.lines, hostID)
	}
}

// Close gives up the wakes under way, waits for them and closes every connection,
// which ends the streams on them.
func (n *Nodes) Close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.cancel()
	n.wakes.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, l := range n.lines {
		_ = l.conn.Close()
		delete(n.lines, id)
	}
}

// Wake implements control.Nodes. At most one wake per host is under way; hints that
// come meanwhile melt into one with the newest revision.
func (n *Nodes) Wake(host domain.Host, rev int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	waiting, busy := n.pending[host.ID]
	n.pending[host.ID] = wake{host: host, revision: max(rev, waiting.revision)}
	if !busy {
		n.wakes.Go(func() { n.deliver(host.ID) })
	}
}

// deliver sends the hints for one host until none waits.
func (n *Nodes) deliver(hostID string) {
	sent := int64(-1)
	for {
		n.mu.Lock()
		next := n.pending[hostID]
		if next.revision <= sent || n.closed {
			delete(n.pending, hostID)
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		n.wakeOnce(next)
		sent = next.revision
	}
}

func (n *Nodes) wakeOnce(w wake) {
	ctx, cancel := context.WithTimeout(n.ctx, wakeTimeout)
	defer cancel()
	client, err := n.client(w.host)
	if err == nil {
		// An agent that is just starting again is waited for: a beat would come much later.
		_, err = client.Wake(ctx, &linkv1.WakeRequest{HostId: w.host.ID, Revision: w.revision}, grpc.WaitForReady(true))
	}
	if err != nil && n.ctx.Err() == nil {
		n.log.DebugContext(ctx, "wake was lost; the next beat makes it good", "host", w.host.Name, "error", err)
	}
}

// Calls implements control.Nodes.
func (n *Nodes) Calls(host domain.Host) control.Calls { return calls{nodes: n, host: host} }

// client returns the connection to host, anew if the host moved.
func (n *Nodes) client(host domain.Host) (linkv1.NodeClient, error) {
	if host.Address == "" {
		return nil, wire.NoAddress(host.Name)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, domain.NewFault(domain.Unavailable, "stopping", "the service is stopping")
	}
	known, ok := n.lines[host.ID]
	if ok && known.address == host.Address {
		return linkv1.NewNodeClient(known.conn), nil
	}
	l, err := n.connect(host)
	if err != nil {
		return nil, err
	}
	if ok {
		_ = known.conn.Close()
	}
	n.lines[host.ID] = l
	return linkv1.NewNodeClient(l.conn), nil
}

// connect prepares a line to host; whoever answers there must be admitted.
func (n *Nodes) connect(host domain.Host) (*line, error) {
	l := &line{address: host.Address}
	peer := trust.Peer{ServerName: trust.NodeName(host.ID), Role: trust.RoleNode, Judge: func(who trust.Identity) error {
		ctx, cancel := context.WithTimeout(n.ctx, n.timing.Connect)
		defer cancel()
		l.who.Store(&who)
		return n.authority.roll.Judge(ctx, who)
	}}
	config, err := trust.Client(n.authority.Credential, peer, n.authority.now)
	if err != nil {
		return nil, err
	}
	l.conn, err = channel.Connect(host.Address, config, n.dial, n.timing)
	return l, err
}
