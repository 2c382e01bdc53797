package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type trust struct{ *tx }

func ticketFields(t *control.Ticket) []column.Field {
	return []column.Field{
		column.Text("kind", &t.Kind),
		column.Blob("hash", &t.Hash),
		column.Text("subject", &t.Subject),
		column.Text("exec_id", &t.ExecID),
		column.Text("user_id", &t.UserID),
		column.Text("project_id", &t.ProjectID),
	}
}

func authorityFields(a *control.Authority) []column.Field {
	return []column.Field{
		column.Text("deployment_id", &a.DeploymentID),
		column.Blob("cert_pem", &a.CertPEM),
		column.Blob("sealed_key", &a.SealedKey),
	}
}

func (s trust) PutTicket(ctx context.Context, t control.Ticket) error {
	now, err := hosts(s).Now(ctx)
	if err != nil {
		return err
	}
	expires := now.Add(t.TTL)
	return s.insert(ctx, "tickets", append(ticketFields(&t), column.Moment("expires_at", &expires)))
}

// Redeem returns the ticket with the time it had left as its TTL.
func (s trust) Redeem(ctx context.Context, kind control.TicketKind, hash []byte) (control.Ticket, error) {
	unknown := domain.NewFault(domain.NotFound, "ticket-not-found", "The ticket is unknown, expired or used.")
	found, err := one(ctx, s.tx, unknown, storedTicketFields, "FROM tickets WHERE kind = ? AND hash = ?", string(kind), hash)
	if err != nil {
		return control.Ticket{}, err
	}
	// Of two who found it, the DELETE of only one matches.
	matched, err := s.exec(ctx, "DELETE FROM tickets WHERE kind = ? AND hash = ? AND expires_at > @now", string(kind), hash)
	if err != nil {
		return control.Ticket{}, err
	}
	if matched == 0 {
		return control.Ticket{}, unknown
	}
	now, err := hosts(s).Now(ctx)
	found.TTL = found.expires.Sub(now)
	return found.Ticket, err
}

// storedTicket is a ticket with the time at which it ends.
type storedTicket struct {
	control.Ticket
	expires time.Time
}

func storedTicketFields(t *storedTicket) []column.Field {
	return append(ticketFields(&t.Ticket), column.Moment("expires_at", &t.expires))
}

func (s trust) Peek(ctx context.Context, kind control.TicketKind, hash []byte) error {
	var there int
	err := s.scalar(ctx, []any{&there}, "SELECT 1 FROM tickets WHERE kind = ? AND hash = ? AND expires_at > @now", string(kind), hash)
	if errors.Is(err, sql.ErrNoRows) {
		return domain.NewFault(domain.NotFound, "ticket-not-found", "The ticket is unknown, expired or used.")
	}
	return err
}

func (s trust) Purge(ctx context.Context) (int, error) {
	purged, err := s.exec(ctx, "DELETE FROM tickets WHERE expires_at <= @now")
	if err != nil {
		return 0, err
	}
	if _, err := s.exec(ctx, "DELETE FROM admissions WHERE revoked_at > 0 AND revoked_at <= @now - ?", revokedFor.Microseconds()); err != nil {
		return 0, err
	}
	seats, err := s.exec(ctx, "DELETE FROM console_seats WHERE expires_at <= @now")
	return int(purged + seats), err
}

func (s trust) Consoles() control.Consoles { return consoles(s) }

func (s trust) Admissions() control.Admissions { return admissions(s) }

func (s trust) Authority(ctx context.Context) (control.Authority, error) {
	missing := domain.NewFault(domain.NotFound, "authority-not-found", "The deployment has no authority yet.")
	return one(ctx, s.tx, missing, authorityFields, "FROM authority")
}

func (s trust) SetAuthority(ctx context.Context, a control.Authority) (control.Authority, error) {
	stored, err := s.Authority(ctx)
	if !domain.IsKind(err, domain.NotFound) {
		return stored, err
	}
	only := 1
	return a, s.again(s.insert(ctx, "authority", append(authorityFields(&a), column.Number("id", &only))))
}
