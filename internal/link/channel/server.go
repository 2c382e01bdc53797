package channel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// Guard says who may call a server. Deployment is asked at each call, because an
// agent serves before it knows its own.
type Guard struct {
	Deployment func() string
	Role       trust.Role // of every caller, but for what Also says
	// Also names, by the full name of a method, the one role that may call it besides
	// Role, or instead of it where Instead is set.
	Also map[string]Exception
	Open []string // full names of the methods that need no certificate
	// Judge refuses a caller although its certificate is good. It is asked at each call.
	Judge func(ctx context.Context, who trust.Identity) error
	Lines *Lines // where the callers' connections are listed
	Now   trust.Clock
	Log   *slog.Logger
}

// Exception is a role that may call a method which others of its kind may not.
type Exception struct {
	Role    trust.Role
	Instead bool // of the server's usual callers
}

// allows says whether a caller of role may call method.
func (g Guard) allows(method string, role trust.Role) bool {
	exception, known := g.Also[method]
	if known && role == exception.Role {
		return true
	}
	return role == g.Role && !exception.Instead
}

// NewServer returns a server whose calls pass guard and whose errors leave as faults.
func NewServer(config *tls.Config, guard Guard, timing Timing) *grpc.Server {
	return grpc.NewServer(
		grpc.Creds(listed{credentials.NewTLS(config), guard.Lines}),
		grpc.InTapHandle(guard.tap),
		grpc.ChainUnaryInterceptor(guard.unary),
		grpc.ChainStreamInterceptor(guard.stream),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: timing.Ping, Timeout: timing.PingTimeout, MaxConnectionAge: timing.MaxAge,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: timing.Ping / 2, PermitWithoutStream: true}),
		grpc.ConnectionTimeout(timing.Connect),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connWindow),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.WaitForHandlers(true),
	)
}

// Serve serves on listener until ctx ends, then waits for open calls for at most
// timing.Drain and cuts the rest. All its goroutines have ended when it returns.
func Serve(ctx context.Context, server *grpc.Server, listener net.Listener, timing Timing) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		server.Stop()
		if errors.Is(err, grpc.ErrServerStopped) {
			return nil
		}
		return fmt.Errorf("serve link: %w", err)
	case <-ctx.Done():
	}
	cut := time.AfterFunc(timing.Drain, server.Stop)
	server.GracefulStop()
	cut.Stop()
	<-served
	return nil
}

type callerKey struct{}

// Caller returns who makes the call being served; the zero Identity on the open method.
func Caller(ctx context.Context) trust.Identity {
	who, _ := ctx.Value(callerKey{}).(trust.Identity)
	return who
}

func (g Guard) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (reply any, err error) {
	defer func() { err = g.leave(ctx, info.FullMethod, err, recover()) }()
	ctx, err = g.enter(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (g Guard) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() { err = g.leave(stream.Context(), info.FullMethod, err, recover()) }()
	ctx, err := g.enter(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return next(srv, known{stream, ctx})
}

// known is a stream whose context tells the caller.
type known struct {
	grpc.ServerStream
	ctx context.Context
}

func (k known) Context() context.Context { return k.ctx }

// tap refuses a stranger before the message is read that a call begins with: it may be
// large, and whoever sends it may take for ever.
func (g Guard) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	_, err := g.identify(ctx, info.FullMethodName)
	return ctx, wire.FromError(err)
}

// enter judges the caller.
func (g Guard) enter(ctx context.Context, method string) (context.Context, error) {
	who, err := g.identify(ctx, method)
	if err != nil || slices.Contains(g.Open, method) {
		return ctx, err
	}
	if err := g.Judge(ctx, who); err != nil {
		return nil, err
	}
	return context.WithValue(ctx, callerKey{}, who), nil
}

// identify returns whose certificate is shown if it may open method; nobody's for the
// open methods. The certificate's end is looked at again, because a connection may live
// longer than the certificate it was opened with.
func (g Guard) identify(ctx context.Context, method string) (who trust.Identity, err error) {
	if slices.Contains(g.Open, method) {
		return who, nil
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return who, domain.NewFault(domain.Unauthenticated, "no-certificate", "a certificate is required")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return who, domain.NewFault(domain.Unauthenticated, "no-certificate", "a certificate is required")
	}
	leaf := info.State.VerifiedChains[0][0]
	if who, err = trust.IdentityOf(leaf); err != nil {
		return who, err
	}
	if g.Now().After(leaf.NotAfter) {
		return who, domain.NewFault(domain.Unauthenticated, wire.CodeHostGone, "the certificate of %s has expired", who)
	}
	if !g.allows(method, who.Role) || who.Deployment != g.Deployment() {
		return who, domain.NewFault(domain.Forbidden, "wrong-role", "a %s of deployment %s may not call this", who.Role, who.Deployment)
	}
	return who, nil
}

// leave turns the end of a call into a status. What is unexplained is logged here,
// on the side that knows the cause, since causes do not travel.
func (g Guard) leave(ctx context.Context, method string, err error, panicked any) error {
	if panicked != nil {
		err = fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	}
	if err != nil && domain.IsKind(err, domain.Internal) && ctx.Err() == nil {
		g.Log.ErrorContext(ctx, "call over the link failed", "method", method, "caller", Caller(ctx).ID, "error", err)
	}
	return wire.FromError(err)
}
