package term

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-zun/zun/internal/control"
)

// visitor is who stands at the door, as far as it is known.
type visitor struct {
	from   string
	origin string
	claim  control.TicketClaim
	visit  control.Visit
}

// audit writes one record for every console refused, opened and closed. Tickets
// are never in it, nor a byte of what was carried.
type audit struct {
	log   *slog.Logger
	now   func() time.Time
	meter Meter
}

func (a audit) refused(ctx context.Context, who visitor, no *refusal) {
	a.meter.Refused(no.status)
	a.log.InfoContext(ctx, "console", append(who.attributes(), "event", "refused", "status", no.status, "reason", no.text, "error", no.cause)...)
}

// opened returns the time of the record.
func (a audit) opened(ctx context.Context, who visitor, subprotocol string) time.Time {
	a.meter.Opened()
	a.log.InfoContext(ctx, "console", append(who.attributes(), "event", "opened", "subprotocol", subprotocol)...)
	return a.now()
}

func (a audit) closed(ctx context.Context, who visitor, began time.Time, s *session, end ending) {
	a.meter.Closed(end.by)
	a.log.InfoContext(ctx, "console", append(who.attributes(),
		"event", "closed", "ended_by", end.by, "code", int(end.code), "reason", end.reason, "error", end.cause,
		"bytes_in", s.in.Load(), "bytes_out", s.out.Load(), "duration", a.now().Sub(began).Round(time.Millisecond).String())...)
}

func (v visitor) attributes() []any {
	const most = 200 // a header may be as long as a stranger likes
	origin := v.origin
	if len(origin) > most {
		origin = origin[:most]
	}
	return []any{
		"console", v.visit.Console, "from", v.from, "origin", origin,
		"user", v.visit.UserID, "project", v.visit.ProjectID,
		"container", string(v.claim.Container), "exec", v.claim.ExecID,
		"host", v.visit.Host.Name,
	}
}
