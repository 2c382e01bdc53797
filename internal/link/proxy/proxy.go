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
	"github.com/go-zun/zun/internal/link/replica"
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
	Name     string
	Controls []string // host:port of the control replicas, tried in turn
	Token    string
	Vault    Vault
	Dial     channel.Dialer
	Timing   channel.Timing
	Clock    func() time.Time
	Log      *slog.Logger
}

// Link is one console door's end of the wire. Join first; then Run keeps the
// certificate fresh while the door works. It is safe for concurrent use.
type Link struct {
	deps   Deps
	now    trust.Clock
	held   atomic.Pointer[trust.Credential]
	brains *replica.Set

	mu     sync.Mutex
	closed bool
	lines  map[string]*line // to hosts, by server name
}

// line is the connection to one host.
type line struct {
	address string
	conn    *grpc.ClientConn
}

// New returns a link that has done nothing yet.
func New(d Deps) *Link {
	l := &Link{deps: d, now: d.Clock, lines: map[string]*line{}}
	l.brains = replica.New(replica.Deps{
		Addresses: d.Controls, Source: l.credential, Clock: d.Clock, Dial: d.Dial, Timing: d.Timing,
	})
	return l
}

// Close closes every connection, which ends the terminals on them.
func (l *Link) Close() {
	l.brains.Close()
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

// line returns the connection to host, anew if it moved.
func (l *Link) line(host domain.Host) (*grpc.ClientConn, error) {
	name := trust.NodeName(host.ID)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, domain.NewFault(domain.Unavailable, "stopping", "the service is stopping")
	}
	known, ok := l.lines[name]
	if ok && known.address == host.Address {
		return known.conn, nil
	}
	config, err := trust.Client(l.credential, name, trust.RoleNode, l.now)
	if err != nil {
		return nil, err
	}
	conn, err := channel.Connect(host.Address, config, l.deps.Dial, l.deps.Timing)
	if err != nil {
		return nil, err
	}
	if ok {
		_ = known.conn.Close()
	}
	l.lines[name] = &line{address: host.Address, conn: conn}
	return conn, nil
}

// ask makes a call at the replica of control that answers.
func ask[T any](ctx context.Context, brains *replica.Set, call func(context.Context, linkv1.DoorsClient) (T, error)) (T, error) {
	return replica.Ask(ctx, brains, func(ctx context.Context, conn grpc.ClientConnInterface) (T, error) {
		return call(ctx, linkv1.NewDoorsClient(conn))
	})
}

// Redeem has control take a ticket out, once. The visit carries control's permit. A
// ticket whose replica fell silent after it took it is spent: the next replica
// refuses it, and the user asks the API for another.
func (l *Link) Redeem(ctx context.Context, claim control.TicketClaim) (control.Visit, error) {
	req := &linkv1.RedeemRequest{Container: string(claim.Container), ExecId: claim.ExecID, Secret: claim.Secret}
	reply, err := ask(ctx, l.brains, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.RedeemReply, error) {
		return c.Redeem(ctx, req)
	})
	if err != nil {
		return control.Visit{}, err
	}
	return control.Visit{
		Console: reply.GetConsole(), Container: claim.Container, ExecID: claim.ExecID, UserID: reply.GetUserId(), ProjectID: reply.GetProjectId(),
		Host:   domain.Host{ID: reply.GetHostId(), Name: reply.GetHostName(), Address: reply.GetHostAddress()},
		Permit: reply.GetPermit(),
	}, nil
}

// Keep tells control which consoles are still open.
func (l *Link) Keep(ctx context.Context, consoles []string) error {
	req := &linkv1.KeepConsolesRequest{Consoles: consoles}
	_, err := ask(ctx, l.brains, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.KeepConsolesReply, error) {
		return c.KeepConsoles(ctx, req)
	})
	return err
}

// Leave tells control that a console has ended.
func (l *Link) Leave(ctx context.Context, console string) error {
	req := &linkv1.LeaveConsoleRequest{Console: console}
	_, err := ask(ctx, l.brains, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.LeaveConsoleReply, error) {
		return c.LeaveConsole(ctx, req)
	})
	return err
}

// Enter joins the terminal at its host with the visit's permit. ctx is the life of
// the stream.
func (l *Link) Enter(ctx context.Context, visit control.Visit) (control.Stream, error) {
	if visit.Host.Address == "" {
		return nil, domain.NewFault(domain.Unavailable, "host-unavailable", "host %s has not told its address yet", visit.Host.Name)
	}
	conn, err := l.line(visit.Host)
	if err != nil {
		return nil, err
	}
	join := &linkv1.TerminalJoin{HostId: visit.Host.ID, Container: string(visit.Container), ExecId: visit.ExecID, Permit: visit.Permit}
	return terminal.Join(ctx, linkv1.NewNodeClient(conn), join, "host "+visit.Host.Name)
}
