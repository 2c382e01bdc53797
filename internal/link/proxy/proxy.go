package proxy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/replica"
	"github.com/go-zun/zun/internal/link/terminal"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// Deps are what a Link stands on. Token may be empty once the door has joined.
type Deps struct {
	Name     string
	Controls []string // host:port of the control replicas, tried in turn
	Token    string
	Vault    member.Vault
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
	member *member.Member

	mu     sync.Mutex
	closed bool
	lines  map[string]*line // to hosts, by server name
}

// line is the connection to one host.
type line struct {
	address string
	epoch   int64 // that the host's certificate has at least
	conn    *grpc.ClientConn
}

// New returns a link that has done nothing yet.
func New(d Deps) (*Link, error) {
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	l := &Link{deps: d, now: d.Clock, lines: map[string]*line{}}
	l.member = member.New(member.Deps{
		Who: "console door " + d.Name, Token: d.Token, TokenFrom: "zun-api door-token " + d.Name, Key: key, Vault: d.Vault, Calls: l.calls(),
		Replicas: replica.Deps{Addresses: d.Controls, Clock: d.Clock, Dial: d.Dial, Timing: d.Timing}, Log: d.Log,
	})
	return l, nil
}

// Close closes every connection, which ends the terminals on them.
func (l *Link) Close() {
	l.member.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for name, known := range l.lines {
		_ = known.conn.Close()
		delete(l.lines, name)
	}
}

// line returns the connection to host, anew if it moved or joined again. Whoever shows a
// certificate of a former join is not that host any more.
func (l *Link) line(host domain.Host, epoch int64) (*grpc.ClientConn, error) {
	name := trust.NodeName(host.ID)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, domain.NewFault(domain.Unavailable, "stopping", "the service is stopping")
	}
	known, ok := l.lines[name]
	if ok && known.address == host.Address && known.epoch == epoch {
		return known.conn, nil
	}
	peer := trust.Peer{ServerName: name, Role: trust.RoleNode, Judge: func(who trust.Identity) error {
		if who.Epoch < epoch {
			return domain.NewFault(domain.Forbidden, "wrong-peer", "another host took the place of %s", who)
		}
		return nil
	}}
	config, err := trust.Client(l.member.Credential, peer, l.now)
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
	l.lines[name] = &line{address: host.Address, epoch: epoch, conn: conn}
	return conn, nil
}

// ask makes a call at the replica of control that answers.
func ask[T any](ctx context.Context, m *member.Member, call func(context.Context, linkv1.DoorsClient) (T, error)) (T, error) {
	return member.Ask(ctx, m, func(ctx context.Context, conn grpc.ClientConnInterface) (T, error) {
		return call(ctx, linkv1.NewDoorsClient(conn))
	})
}

// Redeem has control take a ticket out, once. The visit carries control's permit. A
// ticket whose replica fell silent after it took it is spent: the next replica
// refuses it, and the user asks the API for another.
func (l *Link) Redeem(ctx context.Context, claim control.TicketClaim) (control.Visit, error) {
	req := &linkv1.RedeemRequest{Container: string(claim.Container), ExecId: claim.ExecID, Secret: claim.Secret}
	reply, err := ask(ctx, l.member, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.RedeemReply, error) {
		return c.Redeem(ctx, req)
	})
	if err != nil {
		return control.Visit{}, err
	}
	return control.Visit{
		Console: reply.GetConsole(), Container: claim.Container, ExecID: claim.ExecID, UserID: reply.GetUserId(), ProjectID: reply.GetProjectId(),
		Host:   domain.Host{ID: reply.GetHostId(), Name: reply.GetHostName(), Address: reply.GetHostAddress()},
		Permit: reply.GetPermit(), HostEpoch: reply.GetHostEpoch(),
	}, nil
}

// Keep tells control which consoles are still open.
func (l *Link) Keep(ctx context.Context, consoles []string) error {
	req := &linkv1.KeepConsolesRequest{Consoles: consoles}
	_, err := ask(ctx, l.member, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.KeepConsolesReply, error) {
		return c.KeepConsoles(ctx, req)
	})
	return err
}

// Leave tells control that a console has ended.
func (l *Link) Leave(ctx context.Context, console string) error {
	req := &linkv1.LeaveConsoleRequest{Console: console}
	_, err := ask(ctx, l.member, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.LeaveConsoleReply, error) {
		return c.LeaveConsole(ctx, req)
	})
	return err
}

// Enter joins the terminal at its host with the visit's permit. ctx is the life of
// the stream.
func (l *Link) Enter(ctx context.Context, visit control.Visit) (control.Stream, error) {
	if visit.Host.Address == "" {
		return nil, wire.NoAddress(visit.Host.Name)
	}
	conn, err := l.line(visit.Host, visit.HostEpoch)
	if err != nil {
		return nil, err
	}
	join := &linkv1.TerminalJoin{HostId: visit.Host.ID, Container: string(visit.Container), ExecId: visit.ExecID, Permit: visit.Permit}
	return terminal.Join(ctx, linkv1.NewNodeClient(conn), join, visit.Host.Name)
}
