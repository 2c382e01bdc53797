package insides

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/url"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// ExecSession prepares a session in the engine and a one-use ticket for it.
func (i *Insides) ExecSession(ctx context.Context, actor domain.Actor, ref control.Ref, command []string, tty bool) (control.Session, error) {
	if err := domain.CheckCommand(command); err != nil {
		return control.Session{}, err
	}
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbExecute)
	if err != nil {
		return control.Session{}, err
	}
	bound, cancel := context.WithTimeout(ctx, i.control.Options().ResponseTimeout)
	defer cancel()
	execID, err := calls.Terminals().ExecCreate(bound, row.ID, command, tty)
	if err != nil {
		return control.Session{}, answered(bound, row, err)
	}
	return i.session(ctx, actor, row, control.TicketExec, execID)
}

// Attach gives a one-use ticket for the container's own terminal.
func (i *Insides) Attach(ctx context.Context, actor domain.Actor, ref control.Ref) (control.Session, error) {
	row, _, err := i.reach(ctx, actor, ref, domain.VerbAttach)
	if err != nil {
		return control.Session{}, err
	}
	if !row.Spec.Interactive {
		return control.Session{}, domain.NewFault(domain.Invalid, "no-interactive-flag",
			"Container doesn't support to be attached, please check the interactive set properly")
	}
	return i.session(ctx, actor, row, control.TicketAttach, "")
}

// session stores the ticket by its hash only; the secret itself leaves in the URL.
func (i *Insides) session(ctx context.Context, actor domain.Actor, row domain.Container, kind control.TicketKind, execID string) (control.Session, error) {
	secret, err := i.control.Dice().Bytes(32)
	if err != nil {
		return control.Session{}, err
	}
	s := control.Session{ExecID: execID, Container: row.ID, Ticket: hex.EncodeToString(secret)}
	err = i.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		return t.Trust().PutTicket(ctx, control.Ticket{
			Kind: kind, Hash: ticketHash(s.Ticket), Subject: string(row.ID), ExecID: execID,
			UserID: actor.UserID, ProjectID: row.ProjectID, TTL: i.control.Options().TicketTTL,
		})
	})
	if err != nil {
		return control.Session{}, fmt.Errorf("store the ticket: %w", err)
	}
	s.URL = i.control.Options().ConsoleURL + "?token=" + s.Ticket + "&uuid=" + string(row.ID)
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
// host that is down is Unavailable, and as many consoles as there may be are
// TooLarge; the ticket is kept then as well.
func (i *Insides) Redeem(ctx context.Context, claim control.TicketClaim) (visit control.Visit, err error) {
	kind := control.TicketExec
	if claim.ExecID == "" {
		kind = control.TicketAttach
	}
	hash := ticketHash(claim.Secret)
	err = i.control.Look(ctx, func(ctx context.Context, tx control.Tx) error { return tx.Trust().Peek(ctx, kind, hash) })
	if err != nil {
		return visit, err
	}
	console, err := i.control.Dice().UUID()
	if err != nil {
		return visit, err
	}
	err = i.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		ticket, err := t.Trust().Redeem(ctx, kind, hash)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(ticket.Hash, hash) != 1 || ticket.Subject != string(claim.Container) || ticket.ExecID != claim.ExecID {
			return foreignTicket()
		}
		row, err := t.Containers().Get(ctx, control.Everything(), claim.Container)
		if err != nil {
			return err
		}
		if row.ProjectID != ticket.ProjectID {
			return foreignTicket()
		}
		host, err := control.HostOf(ctx, t, i.control.Options(), row)
		if err != nil {
			return err
		}
		visit = control.Visit{
			Console: console, Container: row.ID, ExecID: ticket.ExecID, UserID: ticket.UserID, ProjectID: ticket.ProjectID, Host: host,
		}
		return i.seat(ctx, t, visit)
	})
	return visit, err
}

func foreignTicket() error {
	return domain.NewFault(domain.NotFound, "ticket-not-found", "The ticket is not valid for this terminal.")
}

// Enter opens the byte path of a visit. ctx is the life of the stream.
func (i *Insides) Enter(ctx context.Context, visit control.Visit) (control.Stream, error) {
	return i.nodes.Calls(visit.Host).Terminals().Open(ctx, visit.Container, visit.ExecID)
}

// ExecResize sets the size of a session's terminal, in columns and rows.
func (i *Insides) ExecResize(ctx context.Context, actor domain.Actor, ref control.Ref, execID string, w, h int) error {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbExecuteResize)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().ResponseTimeout)
	defer cancel()
	err = calls.Terminals().ExecResize(ctx, row.ID, execID, w, h)
	if domain.IsKind(err, domain.NotFound) {
		return domain.WrapFault(err, domain.Invalid, "invalid", "no such exec instance: %s", execID)
	}
	return answered(ctx, row, err)
}

// Resize sets the size of the container's own terminal, in columns and rows.
func (i *Insides) Resize(ctx context.Context, actor domain.Actor, ref control.Ref, w, h int) error {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbResize)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().ResponseTimeout)
	defer cancel()
	return answered(ctx, row, calls.Terminals().Resize(ctx, row.ID, w, h))
}
