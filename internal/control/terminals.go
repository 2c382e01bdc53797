package control

import (
	"context"
	"crypto/sha256"
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

// OpenSession redeems a ticket, once, and opens the byte path that it stands for.
// NotFound says that the ticket is unknown, expired, used, or for something else.
func (c *Control) OpenSession(ctx context.Context, id domain.ContainerID, execID, ticket string) (Stream, error) {
	kind := TicketExec
	if execID == "" {
		kind = TicketAttach
	}
	var row domain.Container
	var host domain.Host
	err := c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		redeemed, err := t.Trust().Redeem(ctx, kind, ticketHash(ticket))
		if err != nil {
			return err
		}
		if redeemed.Subject != string(id) || redeemed.ExecID != execID {
			return domain.NewFault(domain.NotFound, "ticket-not-found", "The ticket is not valid for this terminal.")
		}
		if row, err = t.Containers().Get(ctx, Everything(), id); err != nil {
			return err
		}
		host, err = hostOf(ctx, t.Tx, c.options, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.nodes.Calls(host).Terminals().Open(ctx, id, execID)
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
