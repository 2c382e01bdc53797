package control

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/url"

	"github.com/go-zun/zun/internal/domain"
)

// ExecSession prepares a session in the engine and a one-use ticket for it.
func (c *Control) ExecSession(ctx context.Context, actor domain.Actor, ref Ref, command []string, tty bool) (Session, error) {
	row, calls, err := c.reach(ctx, actor, ref, domain.VerbExecute)
	if err != nil {
		return Session{}, err
	}
	bound, cancel := context.WithTimeout(ctx, c.options.ResponseTimeout)
	defer cancel()
	execID, err := calls.Terminals().ExecCreate(bound, row.ID, command, tty)
	if err != nil {
		return Session{}, answered(bound, row, err)
	}
	return c.session(ctx, actor, row, TicketExec, execID)
}

// Attach gives a one-use ticket for the container's own terminal.
func (c *Control) Attach(ctx context.Context, actor domain.Actor, ref Ref) (Session, error) {
	row, _, err := c.reach(ctx, actor, ref, domain.VerbAttach)
	if err != nil {
		return Session{}, err
	}
	if !row.Spec.Interactive {
		return Session{}, domain.NewFault(domain.Invalid, "no-interactive-flag",
			"Container doesn't support to be attached, please check the interactive set properly")
	}
	return c.session(ctx, actor, row, TicketAttach, "")
}

// session stores the ticket by its hash only; the secret itself leaves in the URL.
func (c *Control) session(ctx context.Context, actor domain.Actor, row domain.Container, kind TicketKind, execID string) (Session, error) {
	secret, err := c.rand.Bytes(32)
	if err != nil {
		return Session{}, err
	}
	s := Session{ExecID: execID, Container: row.ID, Ticket: hex.EncodeToString(secret)}
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		return t.Trust().PutTicket(ctx, Ticket{
			Kind: kind, Hash: ticketHash(s.Ticket), Subject: string(row.ID), ExecID: execID,
			UserID: actor.UserID, ProjectID: row.ProjectID, TTL: c.options.TicketTTL,
		})
	})
	if err != nil {
		return Session{}, fmt.Errorf("store the ticket: %w", err)
	}
	s.URL = c.options.ConsoleURL + "?token=" + s.Ticket + "&uuid=" + string(row.ID)
	if execID != "" {
		s.URL += "&exec_id=" + url.QueryEscape(execID)
	}
	return s, nil
}

func ticketHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Redeem takes the ticket that claim shows out of the store, once, and says what it
// stands for. NotFound says that it is unknown, expired, used, or for something
// else; a ticket shown for something else stays good for what it was made for. A
// host that is down is Unavailable, and the ticket is kept as well.
func (c *Control) Redeem(ctx context.Context, claim TicketClaim) (visit Visit, err error) {
	kind := TicketExec
	if claim.ExecID == "" {
		kind = TicketAttach
	}
	hash := ticketHash(claim.Secret)
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		ticket, err := t.Trust().Redeem(ctx, kind, hash)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(ticket.Hash, hash) != 1 || ticket.Subject != string(claim.Container) || ticket.ExecID != claim.ExecID {
			return foreignTicket()
		}
		row, err := t.Containers().Get(ctx, Everything(), claim.Container)
		if err != nil {
			return err
		}
		if row.ProjectID != ticket.ProjectID {
			return foreignTicket()
		}
		host, err := hostOf(ctx, t.Tx, c.options, row)
		visit = Visit{Container: row.ID, ExecID: ticket.ExecID, UserID: ticket.UserID, ProjectID: ticket.ProjectID, Host: host}
		return err
	})
	return visit, err
}

func foreignTicket() error {
	return domain.NewFault(domain.NotFound, "ticket-not-found", "The ticket is not valid for this terminal.")
}

// Enter opens the byte path of a visit. ctx is the life of the stream.
func (c *Control) Enter(ctx context.Context, visit Visit) (Stream, error) {
	return c.nodes.Calls(visit.Host).Terminals().Open(ctx, visit.Container, visit.ExecID)
}

// ExecResize sets the size of a session's terminal, in columns and rows.
func (c *Control) ExecResize(ctx context.Context, actor domain.Actor, ref Ref, execID string, w, h int) error {
	row, calls, err := c.reach(ctx, actor, ref, domain.VerbExecuteResize)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.ResponseTimeout)
	defer cancel()
	err = calls.Terminals().ExecResize(ctx, row.ID, execID, w, h)
	if domain.IsKind(err, domain.NotFound) {
		return domain.WrapFault(err, domain.Invalid, "invalid", "no such exec instance: %s", execID)
	}
	return answered(ctx, row, err)
}

// Resize sets the size of the container's own terminal, in columns and rows.
func (c *Control) Resize(ctx context.Context, actor domain.Actor, ref Ref, w, h int) error {
	row, calls, err := c.reach(ctx, actor, ref, domain.VerbResize)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.ResponseTimeout)
	defer cancel()
	return answered(ctx, row, calls.Terminals().Resize(ctx, row.ID, w, h))
}
