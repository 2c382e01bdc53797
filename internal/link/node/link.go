package node

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/member"
	"github.com/go-zun/zun/internal/link/replica"
	"github.com/go-zun/zun/internal/link/trust"
)

// Calls are the direct calls as the agent carries them out.
type Calls interface {
	Observe(ctx context.Context, id domain.ContainerID) (domain.Observation, error)
	ExecRun(ctx context.Context, id domain.ContainerID, cmd []string) (domain.ExecResult, error)
	Logs(ctx context.Context, id domain.ContainerID, q domain.LogQuery, sink func(stream domain.LogStream, chunk []byte) error) error
	Follow(ctx context.Context, id domain.ContainerID, q domain.FollowQuery, sink journal.Sink) error
	Top(ctx context.Context, id domain.ContainerID, psArgs string) (domain.ProcessTable, error)
	Stats(ctx context.Context, id domain.ContainerID) (domain.Stats, error)
}

// Terminals are the interactive calls as the agent carries them out.
type Terminals interface {
	ExecCreate(ctx context.Context, id domain.ContainerID, cmd []string, tty bool) (string, error)
	ExecResize(ctx context.Context, id domain.ContainerID, execID string, w, h int) error
	Resize(ctx context.Context, id domain.ContainerID, w, h int) error
	Open(ctx context.Context, id domain.ContainerID, execID string) (agent.Stream, error)
}

// Archives are the file calls as the agent carries them out.
type Archives interface {
	Get(ctx context.Context, id domain.ContainerID, path string, sink func(chunk []byte) error) (domain.PathStat, error)
	Put(ctx context.Context, id domain.ContainerID, path string, source agent.Reader) error
}

// Hands are what the agent offers to control.
type Hands struct {
	Wake      func(rev int64) // returns at once
	Calls     Calls
	Terminals Terminals
	Archives  Archives
	Images    Images
}

// Deps are what a Link stands on. Zone, Token and Replace may be empty.
type Deps struct {
	HostName         string
	Zone             string
	AdvertiseAddress string   // where control reaches this agent, host:port
	Controls         []string // host:port of the control replicas, tried in turn
	Token            string   // as the operator carried it; needed to join only
	Replace          bool     // take the name over although its holder is alive
	Vault            member.Vault
	Dial             channel.Dialer
	Timing           channel.Timing
	Clock            func() time.Time
	Log              *slog.Logger
}

// Link is one host's end of the wire. Serve it first, since control looks back
// during Enter; then Enter, then Attach the agent, then Run.
type Link struct {
	deps    Deps
	now     trust.Clock
	log     *slog.Logger
	interim *ecdsa.PrivateKey // shown and certified at a join
	member  *member.Member
	hands   atomic.Pointer[Hands]
	permits *permits
	bars    *bars
}

// New returns a link that has done nothing yet.
func New(d Deps) (*Link, error) {
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	l := &Link{deps: d, now: d.Clock, log: d.Log, interim: key, permits: newPermits(), bars: &bars{}}
	l.member = member.New(member.Deps{
		Who: "host " + d.HostName, Token: d.Token, TokenFrom: "zun-api host-token " + d.HostName, Key: key, Vault: d.Vault, Calls: l.calls(),
		Replicas: replica.Deps{Addresses: d.Controls, Clock: d.Clock, Dial: d.Dial, Timing: d.Timing}, Log: d.Log,
	})
	return l, nil
}

// Close closes the connections to control. Serve and Run end by their ctx.
func (l *Link) Close() { l.member.Close() }

// HostID is the host's uuid; empty before Enter returned.
func (l *Link) HostID() string { return l.member.Identity().ID }

// Deployment is the id that marks the deployment's objects; empty before Enter returned.
func (l *Link) Deployment() string { return l.member.Identity().Deployment }

// Attach lets control reach hands; calls that come earlier are Unavailable.
func (l *Link) Attach(hands Hands) { l.hands.Store(&hands) }

// Control returns the way to the brain.
func (l *Link) Control() agent.Control { return upward{l} }

// Serve answers control on listener until ctx ends; it closes listener.
func (l *Link) Serve(ctx context.Context, listener net.Listener) error {
	guard := channel.Guard{
		Deployment: l.Deployment, Role: trust.RoleControl, Now: l.now, Log: l.log,
		Judge: l.bars.judge, Lines: &l.bars.lines,
		Also: map[string]channel.Exception{linkv1.Node_Open_FullMethodName: {Role: trust.RoleProxy}},
	}
	server := channel.NewServer(trust.NodeServer(l.member.Credential, l.interim, l.now), guard, l.deps.Timing)
	linkv1.RegisterNodeServer(server, &service{link: l})
	if err := channel.Serve(ctx, server, listener, l.deps.Timing); err != nil {
		return fmt.Errorf("serve host %s: %w", l.deps.HostName, err)
	}
	return nil
}
