package member

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/replica"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

const (
	// retryAfter is the pause after a control that did not answer.
	retryAfter = 2 * time.Second
	// longestWait bounds one pause of Run, because a timer does not follow a wall clock
	// that is set anew.
	longestWait = time.Hour
)

// Vault keeps a credential between runs; trust.Vault is one.
type Vault interface {
	// Load returns nil when there is none.
	Load() (*trust.Credential, error)
	Save(c *trust.Credential) error
}

// Calls are what hosts and doors ask control in words of their own.
type Calls struct {
	// Join trades the secret of a token for a chain, over a connection without certificate.
	Join func(ctx context.Context, conn grpc.ClientConnInterface, secret, csr []byte) (chain [][]byte, err error)
	// Renew trades the certificate in force for a chain.
	Renew func(ctx context.Context, conn grpc.ClientConnInterface, csr []byte) (chain [][]byte, err error)
	// Greet is the first call with a certificate, and so tells whether it is good.
	Greet func(ctx context.Context, conn grpc.ClientConnInterface) error
}

// Deps are what a Member stands on. Token may be empty once it has joined.
type Deps struct {
	Who   string // for errors and the log: "host node-1"
	Token string // as the operator carried it
	// TokenFrom is the command that makes a token for it.
	TokenFrom string
	Key       *ecdsa.PrivateKey // which the first certificate is for
	Vault     Vault
	Calls     Calls
	Replicas  replica.Deps // but for Source
	Log       *slog.Logger
}

// Member is one that belongs to a deployment, or is to. It is safe for concurrent use,
// but for Enter, Run and Renew, which are one after the other.
type Member struct {
	deps   Deps
	now    trust.Clock
	held   atomic.Pointer[trust.Credential]
	brains *replica.Set
	lost   chan error // why control takes the certificate no more
}

// New returns a member that has done nothing yet.
func New(d Deps) *Member {
	m := &Member{deps: d, now: d.Replicas.Clock, lost: make(chan error, 1)}
	d.Replicas.Source = m.Credential
	m.brains = replica.New(d.Replicas)
	return m
}

// Close closes the connections to control. Run ends by its ctx.
func (m *Member) Close() { m.brains.Close() }

// Credential is the certificate in force.
func (m *Member) Credential() (*trust.Credential, error) {
	if c := m.held.Load(); c != nil {
		return c, nil
	}
	return nil, domain.NewFault(domain.Unauthenticated, wire.CodeHostGone, "%s has not joined a deployment yet", m.deps.Who)
}

// Identity is who the certificate in force speaks for; zero before Enter returned.
func (m *Member) Identity() trust.Identity {
	if c := m.held.Load(); c != nil {
		return c.Identity
	}
	return trust.Identity{}
}

// Ask makes call at the replica of control that answers. That control takes the
// certificate no more ends Run.
func Ask[T any](ctx context.Context, m *Member, call replica.Call[T]) (T, error) {
	reply, err := replica.Ask(ctx, m.brains, call)
	if f := domain.AsFault(err); err != nil && f.Kind == domain.Unauthenticated && f.Code == wire.CodeHostGone {
		select {
		case m.lost <- err:
		default: // Run has not taken the former one yet
		}
	}
	return reply, err
}

// Enter gives the member its identity: the one kept from a former run if it is still
// good, else a new one for the join token. Where there is a token, control is asked
// whether the kept one is good, because whoever gave a token may know better. While no
// control answers it tries again until ctx ends. Faults: Unauthenticated (no identity
// and no token), Forbidden (token refused, foreign control), NotAcceptable (versions),
// and those of the join call.
func (m *Member) Enter(ctx context.Context) error {
	kept, err := m.deps.Vault.Load()
	if err != nil {
		return err
	}
	if kept != nil && !kept.Expired(m.now()) {
		m.held.Store(kept)
		if m.deps.Token == "" || !domain.IsKind(m.Greet(ctx), domain.Unauthenticated) {
			return nil
		}
		m.forget()
	}
	if m.deps.Token == "" {
		return m.needToken(kept)
	}
	token, err := trust.ParseToken(m.deps.Token)
	if err != nil {
		return err
	}
	chain, err := m.join(ctx, token)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	fresh, err := m.keep(m.deps.Key, chain)
	if err != nil {
		return err
	}
	who := fresh.Identity
	m.deps.Log.InfoContext(ctx, "joined", "as", m.deps.Who, "uuid", who.ID, "epoch", who.Epoch, "deployment", who.Deployment)
	return nil
}

// forget drops a certificate that control takes no more.
func (m *Member) forget() {
	m.held.Store(nil)
	m.brains.Reconnect() // what was opened shows the old certificate
	select {
	case <-m.lost:
	default:
	}
}

func (m *Member) needToken(kept *trust.Credential) error {
	if kept == nil {
		return domain.NewFault(domain.Unauthenticated, wire.CodeHostGone,
			"%s has not joined a deployment yet; it needs a join token, made by %s", m.deps.Who, m.deps.TokenFrom)
	}
	return domain.NewFault(domain.Unauthenticated, wire.CodeHostGone,
		"the certificate of %s expired at %s; join again with a new token, made by %s", m.deps.Who, kept.Expires().Format(time.RFC3339), m.deps.TokenFrom)
}

func (m *Member) join(ctx context.Context, token trust.Token) ([][]byte, error) {
	csr, err := trust.Request(m.deps.Key)
	if err != nil {
		return nil, err
	}
	for {
		chain, err := replica.Meet(ctx, m.brains, token.Authority, func(ctx context.Context, conn grpc.ClientConnInterface) ([][]byte, error) {
			return m.deps.Calls.Join(ctx, conn, token.Secret, csr)
		})
		if err == nil || !replica.Silent(err) {
			return chain, err
		}
		m.deps.Log.WarnContext(ctx, "no control answers; trying again", "error", err)
		if !pause(ctx, retryAfter) {
			return nil, err
		}
	}
}

// keep saves a credential before it is used: a restart must not find the token spent
// and no identity.
func (m *Member) keep(key *ecdsa.PrivateKey, chain [][]byte) (*trust.Credential, error) {
	fresh, err := trust.NewCredential(key, chain)
	if err != nil {
		return nil, err
	}
	if err := m.deps.Vault.Save(fresh); err != nil {
		return nil, err
	}
	m.held.Store(fresh)
	return fresh, nil
}

// Greet makes the first call with the certificate in force.
func (m *Member) Greet(ctx context.Context) error {
	_, err := Ask(ctx, m, func(ctx context.Context, conn grpc.ClientConnInterface) (struct{}, error) {
		return struct{}{}, m.deps.Calls.Greet(ctx, conn)
	})
	return err
}

// Run greets control, then keeps the certificate fresh until ctx ends, and returns nil.
// It returns an Unauthenticated fault as soon as any call tells that control takes the
// certificate no more, or when it ran out: only a new join helps.
func (m *Member) Run(ctx context.Context) error {
	greeted := false
	for {
		wait, err := m.step(ctx, &greeted)
		if domain.IsKind(err, domain.Unauthenticated) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			m.deps.Log.WarnContext(ctx, "control did not answer a greeting or a renewal; trying again", "as", m.deps.Who, "error", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case err := <-m.lost:
			timer.Stop()
			return err
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

func (m *Member) step(ctx context.Context, greeted *bool) (time.Duration, error) {
	if held, err := m.Credential(); err != nil {
		return retryAfter, err
	} else if held.Expired(m.now()) {
		return retryAfter, m.needToken(held)
	}
	if !*greeted {
		if err := m.Greet(ctx); err != nil {
			return retryAfter, err
		}
		*greeted = true
	}
	return m.Renew(ctx)
}

// Renew replaces the certificate if two thirds of its life are over, and returns
// when to look again. Connections to control are opened anew with it; a call under
// way ends as Unavailable, which its caller repeats.
func (m *Member) Renew(ctx context.Context) (next time.Duration, err error) {
	held, err := m.Credential()
	if err != nil {
		return retryAfter, err
	}
	if due := held.RenewAt().Sub(m.now()); due > 0 {
		return min(due, longestWait), nil
	}
	key, err := trust.NewKey()
	if err != nil {
		return retryAfter, err
	}
	csr, err := trust.Request(key)
	if err != nil {
		return retryAfter, err
	}
	chain, err := Ask(ctx, m, func(ctx context.Context, conn grpc.ClientConnInterface) ([][]byte, error) {
		return m.deps.Calls.Renew(ctx, conn, csr)
	})
	if err != nil {
		return retryAfter, err
	}
	fresh, err := m.keep(key, chain)
	if err != nil {
		return retryAfter, err
	}
	m.brains.Reconnect()
	m.deps.Log.InfoContext(ctx, "certificate renewed", "as", m.deps.Who, "until", fresh.Expires())
	return min(fresh.RenewAt().Sub(m.now()), longestWait), nil
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
