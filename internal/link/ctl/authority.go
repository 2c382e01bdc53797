package ctl

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/roll"
	"github.com/go-zun/zun/internal/link/trust"
)

// TokenLife is how long a join token may wait for its host.
const TokenLife = time.Hour

// Authority is the deployment's authority as this replica holds it, with the
// replica's own certificate, which lives in memory and renews itself.
type Authority struct {
	store control.Store
	ca    *trust.Authority
	now   trust.Clock
	id    string // of this process
	roll  *roll.Roll

	mu  sync.Mutex
	own *trust.Credential
}

// OpenAuthority reads the deployment's authority from store, or makes it. Of several
// replicas that make one at once the first wins and the others take the winner's.
// The key is sealed with secrets, which all replicas share; one that cannot be
// opened is an Internal fault.
func OpenAuthority(ctx context.Context, store control.Store, secrets control.Secrets, now trust.Clock) (*Authority, error) {
	var kept control.Authority
	err := store.Read(ctx, func(ctx context.Context, tx control.Tx) (err error) {
		kept, err = tx.Trust().Authority(ctx)
		return err
	})
	if domain.IsKind(err, domain.NotFound) {
		kept, err = makeAuthority(ctx, store, secrets, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read the deployment's authority: %w", err)
	}
	key, err := secrets.Open(kept.SealedKey)
	if err != nil {
		return nil, fmt.Errorf("open the authority's key: %w", err)
	}
	ca, err := trust.LoadAuthority(kept.DeploymentID, kept.CertPEM, key)
	if err != nil {
		return nil, err
	}
	return &Authority{store: store, ca: ca, now: now, id: uuid.NewString(), roll: roll.New(store, now)}, nil
}

func makeAuthority(ctx context.Context, store control.Store, secrets control.Secrets, now trust.Clock) (control.Authority, error) {
	fresh, err := trust.NewAuthority(uuid.NewString(), now())
	if err != nil {
		return control.Authority{}, err
	}
	key, err := fresh.KeyDER()
	if err != nil {
		return control.Authority{}, err
	}
	sealed, err := secrets.Seal(key)
	if err != nil {
		return control.Authority{}, fmt.Errorf("seal the authority's key: %w", err)
	}
	kept := control.Authority{DeploymentID: fresh.Deployment(), CertPEM: fresh.CertPEM(), SealedKey: sealed}
	err = store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		winner, err := tx.Trust().SetAuthority(ctx, kept)
		if err == nil {
			kept = winner
		}
		return err
	})
	return kept, err
}

// Deployment is the id that marks everything this deployment owns.
func (a *Authority) Deployment() string { return a.ca.Deployment() }

// Token makes a join token for the host of that name, good once and for TokenLife.
// It is the only time that the secret is seen; the store keeps its hash.
func (a *Authority) Token(ctx context.Context, hostName string) (string, error) {
	return a.token(ctx, control.TicketJoin, hostName)
}

// DoorToken makes a join token for the console door of that name, as Token does for a host.
func (a *Authority) DoorToken(ctx context.Context, name string) (string, error) {
	return a.token(ctx, control.TicketDoor, name)
}

func (a *Authority) token(ctx context.Context, kind control.TicketKind, name string) (string, error) {
	if name == "" {
		return "", domain.NewFault(domain.Invalid, "bad-host-name", "a join token needs the name of who is to join")
	}
	token, err := trust.NewToken(a.ca.Hash())
	if err != nil {
		return "", err
	}
	ticket := control.Ticket{Kind: kind, Hash: trust.HashSecret(token.Secret), Subject: name, TTL: TokenLife}
	err = a.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		return tx.Trust().PutTicket(ctx, ticket)
	})
	if err != nil {
		return "", fmt.Errorf("keep join token: %w", err)
	}
	return token.String(), nil
}

// Credential is the replica's own certificate in force. A new one is made when two
// thirds of the former's life are over, at the handshake that needs it.
func (a *Authority) Credential() (*trust.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.own != nil && a.now().Before(a.own.RenewAt()) {
		return a.own, nil
	}
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	chain, err := a.ca.Issue(key.Public(), trust.Identity{Role: trust.RoleControl, ID: a.id}, a.now())
	if err != nil {
		return nil, err
	}
	a.own, err = trust.NewCredential(key, chain)
	return a.own, err
}

// errOnlyLooking rolls a transaction back that should leave no trace.
var errOnlyLooking = errors.New("only looking")

// look says whom the ticket of secret is for and leaves it valid.
func (a *Authority) look(ctx context.Context, secret []byte) (subject string, err error) {
	err = a.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		ticket, err := redeem(ctx, tx, control.TicketJoin, secret)
		if err != nil {
			return err
		}
		subject = ticket.Subject
		return errOnlyLooking
	})
	if errors.Is(err, errOnlyLooking) {
		return subject, nil
	}
	return "", err
}

func redeem(ctx context.Context, tx control.Tx, kind control.TicketKind, secret []byte) (control.Ticket, error) {
	ticket, err := tx.Trust().Redeem(ctx, kind, trust.HashSecret(secret))
	if domain.IsKind(err, domain.NotFound) {
		return control.Ticket{}, domain.WrapFault(err, domain.Forbidden, "join-refused", "the join token is unknown, expired or was used before; ask for a new one")
	}
	return ticket, err
}
