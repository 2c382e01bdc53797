//go:build integration

package app

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/kit/asking"
)

// reply is what a route of the API answered.
type reply struct {
	request asking.Request
	status  int
	text    string
}

// askAll sends a good request to every route, all at once.
func (s *served) askAll(n asking.Names) []reply {
	s.t.Helper()
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	requests := asking.All(n)
	answers := make([]reply, len(requests))
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() {
			r := httptest.NewRequestWithContext(ctx, request.Method, request.Path+"?"+request.Query, strings.NewReader(request.Body))
			r.Header = request.Header(s.token)
			w := httptest.NewRecorder()
			if request.Streams { // its answer has no end; that it begins is enough
				begins, stop := context.WithCancel(ctx)
				defer stop()
				s.door.ServeHTTP(opening{w, stop}, r.WithContext(begins))
			} else {
				s.door.ServeHTTP(w, r)
			}
			answers[i] = reply{request, w.Code, w.Body.String()}
		})
	}
	all.Wait()
	return answers
}

// opening ends a request once its answer begins.
type opening struct {
	*httptest.ResponseRecorder
	end func()
}

// WriteHeader implements http.ResponseWriter.
func (o opening) WriteHeader(status int) {
	o.ResponseRecorder.WriteHeader(status)
	o.end()
}

// Write implements http.ResponseWriter.
func (o opening) Write(p []byte) (int, error) {
	defer o.end()
	return o.ResponseRecorder.Write(p)
}

// Flush implements http.Flusher.
func (o opening) Flush() {
	o.ResponseRecorder.Flush()
	o.end()
}

// names are what the routes are reply about: nothing of it is there but the container,
// the capsule, the registry and the network, which are made here.
func (s *served) names() asking.Names {
	s.t.Helper()
	s.want(202, "POST", "/v1/containers", `{"image":"cirros","name":"web"}`, nil)
	s.want(202, "POST", "/v1/capsules", `{"template":{"kind":"capsule","metadata":{"name":"pod"},"spec":{"containers":[{"image":"cirros"}]}}}`, nil)
	s.want(201, "POST", "/v1/registries", `{"registry":{"domain":"registry.example","name":"store"}}`, nil)
	var made struct{ UUID string }
	s.want(200, "POST", "/v1/networks", `{"name":"back"}`, &made)
	return asking.Names{Container: "web", Capsule: "pod", Registry: "store", Network: made.UUID, Image: made.UUID, Host: "nosuch", Project: "p1", Request: "req-x"}
}

// outage asks every route while the database is away and after it has come back.
func (s *served) outage(away, back func(), writesOnly bool) {
	s.t.Helper()
	n := s.names()
	away()
	refused := 0
	for _, a := range s.askAll(n) {
		reads := a.request.Method == http.MethodGet
		switch {
		case a.status == http.StatusServiceUnavailable || a.status == http.StatusGatewayTimeout:
			refused++
		case a.status >= http.StatusInternalServerError, !writesOnly, !reads && a.status < http.StatusMultipleChoices:
			s.t.Errorf("%s while the database is away: %d %s", a.request, a.status, a.text)
		}
	}
	const least = 10
	if refused < least {
		s.t.Errorf("only %d routes noticed that the database is away", refused)
	}
	back()
	for _, a := range s.askAll(n) {
		if a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
			s.t.Errorf("%s after the database came back: %d %s", a.request, a.status, a.text)
		}
	}
	s.want(200, "GET", "/v1/containers", "", nil)
	s.want(202, "POST", "/v1/containers", `{"image":"cirros"}`, nil)
}

// TestWhileTheDatabaseIsLocked holds that a database that somebody else has locked is
// a 503: what only reads goes on.
func TestWhileTheDatabaseIsLocked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "locked.db")
	s := serve(t, &http.Client{}, "api.extensions=true", "database.connection=sqlite:///"+file)
	other, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	lock, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do := func(statement string) {
		if _, err := lock.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	s.outage(func() { do("BEGIN IMMEDIATE") }, func() { do("ROLLBACK") }, true)
}
