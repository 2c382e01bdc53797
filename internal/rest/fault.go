package rest

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/answer"
	"github.com/go-zun/zun/internal/rest/journal"
	"github.com/go-zun/zun/internal/rest/negotiation"
)

// refusal is an error that says itself what is sent.
type refusal struct {
	status int
	allow  string
	body   api.Fault
}

// Error returns the title.
func (a *refusal) Error() string { return a.body.Title }

// notAllowed refuses a method that a known path does not have.
func notAllowed(allow string) error {
	return &refusal{status: http.StatusMethodNotAllowed, allow: allow, body: framework(http.StatusMethodNotAllowed, "")}
}

// noSuchPath refuses a path that is not in the table.
func noSuchPath() error { return domain.NewFault(domain.NotFound, "", "") }

// framework is the body of what is refused before a handler was found: the code is
// empty behind the dot and the title is the reason phrase.
func framework(status int, detail string) api.Fault {
	return api.Fault{Code: "container.", Title: http.StatusText(status), Detail: detail}
}

// refuse sends err. What is no fault is masked: the client gets an id, the log the
// error under the same id.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var ready *refusal
	if errors.As(err, &ready) {
		if ready.allow != "" {
			negotiation.Withdraw(w.Header())
			w.Header().Set("Allow", ready.allow)
		}
		d.sendFault(w, ready.status, ready.body)
		return
	}
	var outside *negotiation.OutOfRange
	if errors.As(err, &outside) {
		d.sendFault(w, http.StatusNotAcceptable, outside.Body())
		return
	}
	fault := domain.AsFault(err)
	status := answer.Status(fault.Kind)
	body := api.Fault{Code: "container." + fault.Code, Title: fault.Message, Detail: fault.Message}
	switch {
	case status == http.StatusUnauthorized:
		d.challenge(w)
		return
	case status == http.StatusInternalServerError:
		body = d.mask(r, err)
	case fault.Code == "":
		body = framework(status, fault.Message)
		if negotiation.Agreed(w.Header()) {
			negotiation.Withdraw(w.Header()) // a refused version keeps the range to choose from
		}
	case status >= http.StatusInternalServerError:
		d.Log.WarnContext(r.Context(), "back end", slog.String("error", err.Error()), journal.Attr(r))
	}
	d.sendFault(w, status, body)
}

func (d *door) mask(r *http.Request, err error) api.Fault {
	id := uuid.NewString()
	d.Log.ErrorContext(r.Context(), "unexpected failure", slog.String("correlation", id), slog.String("error", err.Error()), journal.Attr(r))
	return framework(http.StatusInternalServerError,
		"Your request could not be handled because of a problem in the server. Error Correlation id is: "+id)
}

// challenge is the 401, in the words of the identity service whose token is missing.
func (d *door) challenge(w http.ResponseWriter) {
	negotiation.Withdraw(w.Header())
	w.Header().Set("WWW-Authenticate", d.Identity.Challenge())
	answer.Send(w, http.StatusUnauthorized, api.Unauthorized{Error: api.UnauthorizedError{
		Code: http.StatusUnauthorized, Title: http.StatusText(http.StatusUnauthorized),
		Message: "The request you have made requires authentication.",
	}})
}

func (d *door) sendFault(w http.ResponseWriter, status int, body api.Fault) {
	body.Status = status
	body.RequestID = w.Header().Get(api.HeaderRequestID)
	if body.Links == nil {
		body.Links = []api.Link{}
	}
	answer.Send(w, status, api.Faults{Errors: []api.Fault{body}})
}
