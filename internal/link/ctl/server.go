package ctl

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/gate"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// Brain is what agents talk to. Each call names the host that the certificate
// proved. A host without a row is NotFound ("compute-node-not-found"). Report
// answers stale for a container that is not hostID's.
type Brain interface {
	RegisterHost(ctx context.Context, h domain.Host) (domain.Host, error)
	Beat(ctx context.Context, b domain.Beat) (domain.BeatAnswer, error)
	Assignments(ctx context.Context, hostID string, after int64) ([]domain.Assignment, int64, error)
	Report(ctx context.Context, hostID string, r domain.Report) (stale bool, err error)
	// Redeem takes a user's ticket out for a console door, once.
	Redeem(ctx context.Context, claim control.TicketClaim) (control.Visit, error)
	// Keep and Leave say for a console door which consoles are still open, and that
	// one has ended.
	Keep(ctx context.Context, consoles []string) error
	Leave(ctx context.Context, console string) error
}

// ServerDeps are what a Server stands on. Every field is required.
type ServerDeps struct {
	Brain     Brain
	Authority *Authority
	// DownAfter is how long a host's silence may last before its name may be taken over.
	DownAfter time.Duration
	Dial      channel.Dialer // towards agents, to look whether they are reachable
	Timing    channel.Timing
	Log       *slog.Logger
}

// Server serves agents. It is safe for concurrent use.
type Server struct {
	linkv1.UnimplementedControlServer
	brain     Brain
	authority *Authority
	downAfter time.Duration
	dial      channel.Dialer
	timing    channel.Timing
	now       trust.Clock
	gate      *gate.Gate
	log       *slog.Logger
}

// NewServer returns a server over d.
func NewServer(d ServerDeps) *Server {
	return &Server{
		brain: d.Brain, authority: d.Authority, downAfter: d.DownAfter, dial: d.Dial,
		timing: d.Timing, now: d.Authority.now, log: d.Log, gate: gate.New(d.Authority.now),
	}
}

// Serve serves on listener until ctx ends; it closes listener and returns nil then.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	lines := &channel.Lines{}
	guard := channel.Guard{
		Deployment: s.authority.Deployment, Role: trust.RoleNode,
		Open: []string{linkv1.Control_Join_FullMethodName, linkv1.Doors_JoinDoor_FullMethodName}, Now: s.now, Log: s.log,
		Judge: s.authority.roll.Judge, Lines: lines,
		Also: map[string]channel.Exception{
			linkv1.Doors_RenewDoor_FullMethodName:    {Role: trust.RoleProxy, Instead: true},
			linkv1.Doors_Redeem_FullMethodName:       {Role: trust.RoleProxy, Instead: true},
			linkv1.Doors_KeepConsoles_FullMethodName: {Role: trust.RoleProxy, Instead: true},
			linkv1.Doors_LeaveConsole_FullMethodName: {Role: trust.RoleProxy, Instead: true},
		},
	}
	server := channel.NewServer(trust.ControlServer(s.authority.Credential, s.now), guard, s.timing)
	linkv1.RegisterControlServer(server, s)
	linkv1.RegisterDoorsServer(server, &doors{authority: s.authority, brain: s.brain, gate: s.gate, now: s.now, log: s.log})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.watch(ctx, lines) })
	group.Go(func() error { return channel.Serve(ctx, server, listener, s.timing) })
	return group.Wait()
}

// watch cuts the connections of peers that are admitted no more, until ctx ends. While
// the store does not answer they stay: a call on them is refused by it anyway.
func (s *Server) watch(ctx context.Context, lines *channel.Lines) error {
	tick := time.NewTicker(s.timing.Recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		peers := lines.Peers()
		if len(peers) == 0 || s.authority.roll.Read(ctx) != nil {
			continue
		}
		for _, who := range peers {
			if domain.IsKind(s.authority.roll.Judge(ctx, who), domain.Unauthenticated) {
				lines.Cut(who)
			}
		}
	}
}

// Beat serves the contract.
func (s *Server) Beat(ctx context.Context, req *linkv1.BeatRequest) (*linkv1.BeatReply, error) {
	if err := checkProtocol(req.GetProtocol()); err != nil {
		return nil, err
	}
	beat := wire.ToBeat(req.GetBeat())
	if err := checkCaller(ctx, beat.HostID); err != nil {
		return nil, err
	}
	answer, err := s.brain.Beat(ctx, beat)
	if err != nil {
		return nil, hostGone(err, beat.HostID)
	}
	reply := &linkv1.BeatReply{Answer: wire.FromBeatAnswer(answer)}
	for door, below := range s.authority.roll.Barred() {
		reply.Barred = append(reply.Barred, &linkv1.BarredDoor{Door: door, Below: below})
	}
	return reply, nil
}

// Report serves the contract.
func (s *Server) Report(ctx context.Context, req *linkv1.ReportRequest) (*linkv1.ReportReply, error) {
	if err := checkCaller(ctx, req.GetHostId()); err != nil {
		return nil, err
	}
	stale, err := s.brain.Report(ctx, req.GetHostId(), wire.ToReport(req.GetReport()))
	if err != nil {
		return nil, hostGone(err, req.GetHostId())
	}
	return &linkv1.ReportReply{Stale: stale}, nil
}

// pageBytes is how much one page of assignments holds at most, if more than one
// assignment is in it; a single one may be as large as a message may be.
const pageBytes = 1 << 20

// Assignments serves the contract.
func (s *Server) Assignments(req *linkv1.AssignmentsRequest, stream grpc.ServerStreamingServer[linkv1.AssignmentsPage]) error {
	ctx := stream.Context()
	if err := checkCaller(ctx, req.GetHostId()); err != nil {
		return err
	}
	all, reached, err := s.brain.Assignments(ctx, req.GetHostId(), req.GetAfter())
	if err != nil {
		return hostGone(err, req.GetHostId())
	}
	page, size := &linkv1.AssignmentsPage{}, 0
	for _, a := range all {
		m := wire.FromAssignment(a)
		n := proto.Size(m)
		if size > 0 && size+n > pageBytes {
			if err := stream.Send(page); err != nil {
				return fmt.Errorf("send assignments: %w", err)
			}
			page, size = &linkv1.AssignmentsPage{}, 0
		}
		page.Assignments = append(page.Assignments, m)
		size += n
	}
	page.Last, page.Revision = true, reached
	if err := stream.Send(page); err != nil {
		return fmt.Errorf("send assignments: %w", err)
	}
	return nil
}

// checkCaller refuses a call that names another host than the certificate does.
func checkCaller(ctx context.Context, hostID string) error {
	if who := channel.Caller(ctx); who.ID != hostID {
		return domain.NewFault(domain.Forbidden, "wrong-host", "host %s may not speak for host %s", who.ID, hostID)
	}
	return nil
}

// known returns the row of the calling host.
func (s *Server) known(ctx context.Context, hostID string) (host domain.Host, err error) {
	if err := checkCaller(ctx, hostID); err != nil {
		return domain.Host{}, err
	}
	err = s.authority.store.Read(ctx, func(ctx context.Context, tx control.Tx) error {
		host, err = tx.Hosts().Get(ctx, hostID)
		return err
	})
	if err != nil {
		return domain.Host{}, hostGone(err, hostID)
	}
	return host, nil
}

// hostGone turns the absence of the host's row into the fault that sends the agent
// to join again; other faults stay as they are.
func hostGone(err error, hostID string) error {
	fault := domain.AsFault(err)
	if fault.Kind == domain.NotFound && fault.Code == "compute-node-not-found" {
		return domain.WrapFault(err, domain.Unauthenticated, wire.CodeHostGone,
			"host %s is not of this deployment any more; join again with a new token", hostID)
	}
	return err
}
