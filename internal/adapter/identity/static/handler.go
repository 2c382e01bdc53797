package static

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/answer"
)

const (
	maxBody      = 64 << 10         // bytes of a request; a log-in needs a few hundred
	loginTimeout = 15 * time.Second // for a free place among the password checks
)

// Handler serves the identity API. It answers at "/" (version discovery) and below
// "/v3"; a prefix such as /identity is stripped by who mounts it.
func (i *Identity) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", i.versions)
	for _, path := range []string{"GET /v3", "GET /v3/{$}"} {
		mux.HandleFunc(path, i.version)
	}
	mux.HandleFunc("POST /v3/auth/tokens", i.issue)
	for path, serve := range map[string]authorised{
		"GET /v3/auth/tokens":         i.validate,
		"DELETE /v3/auth/tokens":      i.revoke,
		"GET /v3/auth/catalog":        i.showCatalog,
		"GET /v3/auth/projects":       i.ownProjects,
		"GET /v3/auth/domains":        i.noDomains,
		"GET /v3/projects":            i.listProjects,
		"GET /v3/projects/{id}":       i.showProject,
		"GET /v3/users":               i.listUsers,
		"GET /v3/users/{id}":          i.showUser,
		"GET /v3/users/{id}/projects": i.userProjects,
		"GET /v3/roles":               i.listRoles,
		"GET /v3/roles/{id}":          i.showRole,
		"GET /v3/domains":             i.listDomains,
		"GET /v3/domains/{id}":        i.showDomain,
	} {
		mux.HandleFunc(path, i.asCaller(serve))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		i.refuse(w, domain.NewFault(domain.NotFound, "not-found", "The resource could not be found."))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" { // what is left of a stripped prefix
			i.versions(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// authorised serves a request whose X-Auth-Token was found good.
type authorised func(w http.ResponseWriter, r *http.Request, caller grant) error

// asCaller checks the token of a request before it is served.
func (i *Identity) asCaller(serve authorised) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, err := i.verify(r.Header.Get("X-Auth-Token"))
		if err != nil {
			i.log.DebugContext(r.Context(), "token refused", "reason", err)
			i.refuse(w, unauthenticated())
			return
		}
		if err := serve(w, r, caller); err != nil {
			i.refuse(w, err)
		}
	}
}

func unauthenticated() *domain.Fault {
	return domain.NewFault(domain.Unauthenticated, "unauthorized", "The request you have made requires authentication.")
}

func forbidden() *domain.Fault {
	return domain.NewFault(domain.Forbidden, "forbidden", "You are not authorized to perform the requested action.")
}

func missing(what, id string) *domain.Fault {
	return domain.NewFault(domain.NotFound, "not-found", "Could not find %s: %s.", what, id)
}

// refuse answers an error in Keystone's form.
func (i *Identity) refuse(w http.ResponseWriter, err error) {
	fault := domain.AsFault(err)
	status, message := answer.Status(fault.Kind), fault.Message
	var slow *slowedDown
	if errors.As(err, &slow) {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(slow.wait.Seconds()))))
	}
	switch status {
	case http.StatusInternalServerError:
		i.log.Error("identity request failed", "error", err)
		message = "An unexpected error prevented the server from fulfilling your request."
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", i.Challenge())
	}
	i.answer(w, status, map[string]any{"error": failure{Code: status, Title: http.StatusText(status), Message: message}})
}

// slowedDown is the cause of a refusal because of too many failed log-ins.
type slowedDown struct{ wait time.Duration }

func (s *slowedDown) Error() string { return fmt.Sprintf("too many failed log-ins, wait %s", s.wait) }

// answer writes body as JSON. Replies differ by token, so caches must not mix them.
func (i *Identity) answer(w http.ResponseWriter, status int, body any) {
	content, err := json.Marshal(body)
	if err != nil {
		i.log.Error("encode identity reply", "error", err)
		status, content = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "X-Auth-Token")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	if _, err := w.Write(content); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		i.log.Debug("write identity reply", "error", err)
	}
}

// peer is the address that a request came from.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
