package node

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/replica"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// retryAfter is the pause after a control that did not answer.
const retryAfter = 2 * time.Second

// Enter gives the host its identity: the one kept from a former run if it is still
// good, else a new one for the join token. One that control calls gone, as that of a
// host taken out of the fleet, is not good. While no control answers it tries again
// until ctx ends. Faults: Unauthenticated (no identity and no token), Forbidden (token
// refused, foreign control), Conflict (the name is alive elsewhere), Unavailable
// with code "host-unreachable" (control cannot dial back), NotAcceptable (versions).
func (l *Link) Enter(ctx context.Context) error {
	kept, err := l.deps.Vault.Load()
	if err != nil {
		return err
	}
	if kept != nil && !kept.Expired(l.now()) {
		l.held.Store(kept)
		if l.deps.Token == "" || !domain.IsKind(l.Register(ctx), domain.Unauthenticated) {
			return nil
		}
		l.held.Store(nil)
		l.brains.Reconnect() // what was opened shows the old certificate
	}
	if l.deps.Token == "" {
		return l.needToken(kept)
	}
	token, err := trust.ParseToken(l.deps.Token)
	if err != nil {
		return err
	}
	fresh, err := l.join(ctx, token)
	if err != nil {
		return err
	}
	// Kept before it is used: a restart must not find the token spent and no identity.
	if err := l.deps.Vault.Save(fresh); err != nil {
		return err
	}
	l.held.Store(fresh)
	l.log.InfoContext(ctx, "joined", "host", l.deps.HostName, "uuid", fresh.Identity.ID, "deployment", fresh.Identity.Deployment)
	return nil
}

func (l *Link) needToken(kept *trust.Credential) error {
	if kept == nil {
		return domain.NewFault(domain.Unauthenticated, wire.CodeHostGone,
			"host %s has not joined a deployment yet; it needs a join token", l.deps.HostName)
	}
	return domain.NewFault(domain.Unauthenticated, wire.CodeHostGone,
		"the certificate of host %s expired at %s; join again with a new token", l.deps.HostName, kept.Expires().Format(time.RFC3339))
}

func (l *Link) join(ctx context.Context, token trust.Token) (*trust.Credential, error) {
	csr, err := trust.Request(l.interim)
	if err != nil {
		return nil, err
	}
	req := &linkv1.JoinRequest{
		Protocol: wire.Protocol, Secret: token.Secret, HostName: l.deps.HostName,
		AdvertiseAddress: l.deps.AdvertiseAddress, Zone: l.deps.Zone, Csr: csr, Replace: l.deps.Replace,
	}
	for {
		reply, err := replica.Meet(ctx, l.brains, token.Authority, func(ctx context.Context, conn grpc.ClientConnInterface) (*linkv1.JoinReply, error) {
			return linkv1.NewControlClient(conn).Join(ctx, req)
		})
		if err == nil {
			return trust.NewCredential(l.interim, reply.GetChain())
		}
		if !replica.Silent(err) {
			return nil, fmt.Errorf("join: %w", err)
		}
		l.log.WarnContext(ctx, "no control answers; trying again", "error", err)
		if !pause(ctx, retryAfter) {
			return nil, fmt.Errorf("join: %w", err)
		}
	}
}

// Run registers the host's address with control, then keeps its certificate fresh
// until ctx ends, and returns nil. It returns an Unauthenticated fault when control
// does not know the host any more or the certificate ran out: only a new join helps.
func (l *Link) Run(ctx context.Context) error {
	registered := false
	for {
		wait, err := l.step(ctx, &registered)
		if domain.IsKind(err, domain.Unauthenticated) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "control did not take the host's registration or renewal; trying again", "error", err)
		}
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// longestWait bounds one pause of Run, because a timer does not follow a wall clock
// that is set anew.
const longestWait = time.Hour

func (l *Link) step(ctx context.Context, registered *bool) (time.Duration, error) {
	if held, err := l.credential(); err != nil {
		return retryAfter, err
	} else if held.Expired(l.now()) {
		return retryAfter, l.needToken(held)
	}
	if !*registered {
		if err := l.Register(ctx); err != nil {
			return retryAfter, err
		}
		*registered = true
	}
	return l.Renew(ctx)
}

// Register tells control where this agent is reached.
func (l *Link) Register(ctx context.Context) error {
	req := &linkv1.RegisterRequest{
		Protocol: wire.Protocol, HostId: l.HostID(), AdvertiseAddress: l.deps.AdvertiseAddress, Zone: l.deps.Zone,
	}
	_, err := ask(ctx, l.brains, func(ctx context.Context, c linkv1.ControlClient) (*linkv1.RegisterReply, error) {
		return c.Register(ctx, req)
	})
	return err
}

// Renew replaces the certificate if two thirds of its life are over, and returns
// when to look again. Connections to control are opened anew with it; a call under
// way ends as Unavailable, which its caller repeats.
func (l *Link) Renew(ctx context.Context) (next time.Duration, err error) {
	held, err := l.credential()
	if err != nil {
		return retryAfter, err
	}
	if due := held.RenewAt().Sub(l.now()); due > 0 {
		return min(due, longestWait), nil
	}
	fresh, err := l.renewal(ctx)
	if err != nil {
		return retryAfter, err
	}
	if err := l.deps.Vault.Save(fresh); err != nil {
		return retryAfter, err
	}
	l.held.Store(fresh)
	l.brains.Reconnect()
	l.log.InfoContext(ctx, "certificate renewed", "host", l.deps.HostName, "until", fresh.Expires())
	return min(fresh.RenewAt().Sub(l.now()), longestWait), nil
}

func (l *Link) renewal(ctx context.Context) (*trust.Credential, error) {
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	csr, err := trust.Request(key)
	if err != nil {
		return nil, err
	}
	req := &linkv1.RenewRequest{HostId: l.HostID(), Csr: csr}
	reply, err := ask(ctx, l.brains, func(ctx context.Context, c linkv1.ControlClient) (*linkv1.RenewReply, error) {
		return c.Renew(ctx, req)
	})
	if err != nil {
		return nil, err
	}
	return trust.NewCredential(key, reply.GetChain())
}

// pause waits for d; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
