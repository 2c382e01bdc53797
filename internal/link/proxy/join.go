package proxy

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/replica"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

const (
	// retryAfter is the pause after a control that did not answer.
	retryAfter = 2 * time.Second
	// longestWait bounds one pause of Run, because a timer does not follow a wall
	// clock that is set anew.
	longestWait = time.Hour
)

// Join gives the door its identity: the one kept from a former run if it is still
// good, else a new one for the join token. While control does not answer it tries
// again until ctx ends. Faults: Unauthenticated (no identity and no token), Forbidden
// (token refused, foreign control), NotAcceptable (versions).
func (l *Link) Join(ctx context.Context) error {
	kept, err := l.deps.Vault.Load()
	if err != nil {
		return err
	}
	if kept != nil && !kept.Expired(l.now()) {
		l.held.Store(kept)
		return nil
	}
	if l.deps.Token == "" {
		return domain.NewFault(domain.Unauthenticated, wire.CodeHostGone,
			"console door %s has no certificate that is still good; give it a join token made by zun-api door-token %s", l.deps.Name, l.deps.Name)
	}
	token, err := trust.ParseToken(l.deps.Token)
	if err != nil {
		return err
	}
	key, err := trust.NewKey()
	if err != nil {
		return err
	}
	chain, err := l.join(ctx, token, key)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	return l.keep(key, chain)
}

// keep saves a credential before it is used: a restart must not find the token spent
// and no identity.
func (l *Link) keep(key *ecdsa.PrivateKey, chain [][]byte) error {
	fresh, err := trust.NewCredential(key, chain)
	if err != nil {
		return err
	}
	if err := l.deps.Vault.Save(fresh); err != nil {
		return err
	}
	l.held.Store(fresh)
	return nil
}

func (l *Link) join(ctx context.Context, token trust.Token, key *ecdsa.PrivateKey) ([][]byte, error) {
	csr, err := trust.Request(key)
	if err != nil {
		return nil, err
	}
	req := &linkv1.JoinDoorRequest{Protocol: wire.Protocol, Secret: token.Secret, Name: l.deps.Name, Csr: csr}
	for {
		reply, err := replica.Meet(ctx, l.brains, token.Authority, func(ctx context.Context, conn grpc.ClientConnInterface) (*linkv1.JoinDoorReply, error) {
			return linkv1.NewDoorsClient(conn).JoinDoor(ctx, req)
		})
		if err == nil {
			return reply.GetChain(), nil
		}
		if !replica.Silent(err) {
			return nil, err
		}
		l.deps.Log.WarnContext(ctx, "no control answers; trying again", "error", err)
		if !pause(ctx, retryAfter) {
			return nil, err
		}
	}
}

// Run keeps the certificate fresh until ctx ends, and returns nil. It returns an
// Unauthenticated fault when the certificate ran out: only a new join helps.
func (l *Link) Run(ctx context.Context) error {
	for {
		wait, err := l.Renew(ctx)
		if domain.IsKind(err, domain.Unauthenticated) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			l.deps.Log.WarnContext(ctx, "control did not renew the door's certificate; trying again", "error", err)
		}
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// Renew replaces the certificate if two thirds of its life are over, and returns
// when to look again.
func (l *Link) Renew(ctx context.Context) (next time.Duration, err error) {
	held, err := l.credential()
	if err != nil {
		return retryAfter, err
	}
	if due := held.RenewAt().Sub(l.now()); due > 0 {
		return min(due, longestWait), nil
	}
	if held.Expired(l.now()) {
		return retryAfter, domain.NewFault(domain.Unauthenticated, wire.CodeHostGone,
			"the certificate of console door %s expired at %s; join again with a new token", l.deps.Name, held.Expires().Format(time.RFC3339))
	}
	key, err := trust.NewKey()
	if err != nil {
		return retryAfter, err
	}
	csr, err := trust.Request(key)
	if err != nil {
		return retryAfter, err
	}
	req := &linkv1.RenewDoorRequest{Csr: csr}
	reply, err := ask(ctx, l.brains, func(ctx context.Context, c linkv1.DoorsClient) (*linkv1.RenewDoorReply, error) {
		return c.RenewDoor(ctx, req)
	})
	if err != nil {
		return retryAfter, err
	}
	if err := l.keep(key, reply.GetChain()); err != nil {
		return retryAfter, err
	}
	l.brains.Reconnect() // what is open shows the old certificate
	return min(l.held.Load().RenewAt().Sub(l.now()), longestWait), nil
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
