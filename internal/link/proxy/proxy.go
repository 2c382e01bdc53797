package proxy

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/terminal"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// Vault keeps the door's credential between runs; trust.Vault is one.
type Vault interface {
	// Load returns nil when there is none.
	Load() (*trust.Credential, error)
	Save(c *trust.Credential) error
}

// Deps are what a Link stands on. Token may be empty once the door has joined.
type Deps struct {
	Name    string
	Control string // host:port of control; a name may stand for several replicas
	Token   string
	Vault   Vault
	Dial    channel.Dialer
	Timing  channel.Timing
	Clock   func() time.Time
	Log     *slog.Logger
}

// Link is one console door's end of the wire. Join first; then Run keeps the
// certificate fresh while the door works. It is safe for concurrent use.
type Link struct {
	deps Deps
	now  trust.Clock
	held atomic.Pointer[trust.Credential]

	mu     sync.Mutex
	closed bool
	lines  map[string]*line // by server name
}

// line is the connection to one peer.
type line struct {
	address string
	conn    *grpc.ClientConn
}

// New returns a link that has done nothing yet.
func New(d Deps) *Link {
	return &Link{deps: d, now: d.Clock, lines: map[string]*line{}}
}

// Close closes every connection, which ends the terminals on them.
func (l *Link) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for name, known := range l.lines {
		_ = known.conn.Close()
		delete(l.lines, name)
	}
}

func (l *Link) credential() (*trust.Credential, error) {
	if c := l.held.Load(); c != nil {
		return c, nil
	}
	return nil, domain.NewFault(domain.Unauthenticated, wire.CodeHostGone, "console door %s has not joined a deployment yet", l.deps.Name)
}

// peer is whom a connection must reach.
type peer struct {
	address, name string
	role          trust.Role
}

// line returns the connection to p, anew if it moved.
func (l *Link) line(p peer) (*grpc.ClientConn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, domain.NewFault(domain.Unavailable, "stopping", "the service is stopping")
	}
	known, ok := l.lines[p.name]
	if ok && known.address == p.address {
		return known.conn, nil
	}
	config, err := trust.Client(l.credential, p.name, p.role, l.now)
	if err != nil {
		return nil, err
	}
	conn, err := channel.Connect(p.address, config, l.deps.Dial, l.deps.Timing)
	if err != nil {
		return nil, err
	}
	if ok {
		_ = known.conn.Close()
	}
	l.lines[p.name] = &line{address: p.address, conn: conn}
	return conn, nil
}

func (l *Link) control() (linkv1.DoorsClient, error) {
	conn, err := l.line(peer{address: l.deps.Control, name: trust.ControlName(), role: trust.RoleControl})
	if err != nil {
		return nil, err
	}
	return linkv1.NewDoorsClient(conn), nil
}

// Redeem has control take a ticket out, once. The visit carries control's permit.
func (l *Link) Redeem(ctx context.Context, claim control.TicketClaim) (control.Visit, error) {
	client, err := l.control()
	if err != nil {
		return control.Visit{}, err
	}
	ctx, cancel := l.deps.Timing.Bounded(ctx)
	defer cancel()
	reply, err := client.Redeem(ctx, &linkv1.RedeemRequest{Container: string(claim.Container), ExecId: claim.ExecID, Secret: claim.Secret})
	if err != nil {
		return control.Visit{}, wire.ToError(err, "control")
	}
	return control.Visit{
		Container: claim.Container, ExecID: claim.ExecID, UserID: reply.GetUserId(), ProjectID: reply.GetProjectId(),
		Host:   domain.Host{ID: reply.GetHostId(), Name: reply.GetHostName(), Address: reply.GetHostAddress()},
		Permit: reply.GetPermit(),
	}, nil
}

// Enter joins the terminal at its host with the visit's permit. ctx is the life of
// the stream.
func (l *Link) Enter(ctx context.Context, visit control.Visit) (control.Stream, error) {
	if visit.Host.Address == "" {
		return nil, domain.NewFault(domain.Unavailable, "host-unavailable", "host %s has not told its address yet", visit.Host.Name)
	}
	conn, err := l.line(peer{address: visit.Host.Address, name: trust.NodeName(visit.Host.ID), role: trust.RoleNode})
	if err != nil {
		return nil, err
	}
	join := &linkv1.TerminalJoin{HostId: visit.Host.ID, Container: string(visit.Container), ExecId: visit.ExecID, Permit: visit.Permit}
	return terminal.Join(ctx, linkv1.NewNodeClient(conn), join, "host "+visit.Host.Name)
}
