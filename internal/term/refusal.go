package term

import (
	"io"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/domain"
)

// refusal is a plain answer before the upgrade.
type refusal struct {
	status int
	text   string
	cause  error // for the log; may be nil
}

func refused(status int, text string) *refusal { return &refusal{status: status, text: text} }

// refusalOf turns a fault into an answer. Causes stay inside.
func refusalOf(err error) *refusal {
	fault := domain.AsFault(err)
	r := &refusal{status: http.StatusBadGateway, text: fault.Message, cause: err}
	switch fault.Kind {
	case domain.Forbidden, domain.Unauthenticated:
		r.status = http.StatusForbidden
	case domain.NotFound, domain.Conflict, domain.Invalid, domain.Unsupported:
		r.status = http.StatusNotFound // the terminal is not there (any more)
	case domain.TooLarge:
		r.status = http.StatusTooManyRequests
	case domain.Unavailable:
		r.status = http.StatusServiceUnavailable
	case domain.Timeout:
		r.status = http.StatusGatewayTimeout
	default:
		r.text = "the console could not be opened"
	}
	return r
}

func answer(w http.ResponseWriter, r *refusal) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	switch r.status {
	case http.StatusBadRequest:
		h.Set("Sec-WebSocket-Version", version)
	case http.StatusUpgradeRequired:
		h.Set("Upgrade", "websocket")
		// Lines of their own, the end first: net/http hangs up only for what begins so.
		h["Connection"] = []string{"close", "Upgrade"}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, r.text+"\n") // who does not wait for the answer misses it
}

// ending is how a console ended: what the user's side is told, and for the record
// who ended it.
type ending struct {
	by     string // "target", "user", "idle", ...
	code   websocket.StatusCode
	reason string
	cause  error
}

// endingOf says that the target's stream broke.
func endingOf(err error) ending {
	fault := domain.AsFault(err)
	end := ending{by: "host", code: websocket.StatusInternalError, reason: "The terminal broke", cause: err}
	switch fault.Kind {
	case domain.Unavailable, domain.Timeout:
		end.reason = "The host of the container is gone"
	case domain.Internal:
	default:
		end.reason = short("The terminal broke: " + fault.Message)
	}
	return end
}

// short cuts s to what the reason of a close frame may hold.
func short(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
