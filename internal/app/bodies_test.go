package app

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// say sends a request by hand and returns all that comes until the other side hangs up.
func say(t *testing.T, address, request string, within time.Duration) (answer string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(within))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("%v after %q", err, whole)
	}
	return string(whole)
}

// TestBodiesComeInTime promises bodies that do not come, to a handler that awaits them and
// to one that does not.
func TestBodiesComeInTime(t *testing.T) {
	var failed error
	server := httptest.NewServer(boundBodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, failed = io.ReadAll(r.Body)
		}
		w.WriteHeader(http.StatusTeapot)
	}), 50*time.Millisecond, 50*time.Millisecond))
	t.Cleanup(server.Close)
	for _, path := range []string{"/read", "/unread"} {
		for _, body := range []string{"Content-Length: 5\r\n\r\nhal", "Transfer-Encoding: chunked\r\n\r\n"} {
			failed = nil
			answer := say(t, server.Listener.Addr().String(), "POST "+path+" HTTP/1.1\r\nHost: api\r\n"+body, 10*time.Second)
			if !strings.HasPrefix(answer, "HTTP/1.1 418 ") || (failed != nil) != (path == "/read") {
				t.Errorf("%s, %q: %q, %v", path, body, answer, failed)
			}
		}
	}
}

// TestAnAnswerMayTakeLongerThanItsBody has one be made long after the body came, whether it
// was read or not: neither it nor the next request on the connection is cut off.
func TestAnAnswerMayTakeLongerThanItsBody(t *testing.T) {
	const bound = 20 * time.Millisecond
	server := httptest.NewServer(boundBodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Error(err)
			}
		}
		if err := http.NewResponseController(w).Flush(); err != nil { // what streams begins so
			t.Error(err)
		}
		select {
		case <-r.Context().Done():
			t.Error("the request was given up")
		case <-time.After(5 * bound): // longer than the body may take
		}
	}), bound, bound))
	t.Cleanup(server.Close)
	for _, method := range []string{http.MethodPost, http.MethodPost, http.MethodGet, http.MethodGet} {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(answer.Body); err != nil {
			t.Error(err)
		}
		_ = answer.Body.Close()
	}
}

// TestTheFrontAwaitsNoBodyForEver asks the service itself, as a stranger may.
func TestTheFrontAwaitsNoBodyForEver(t *testing.T) {
	t.Parallel()
	s := serve(t, &http.Client{})
	answer := say(t, s.address, "GET / HTTP/1.1\r\nHost: api\r\nContent-Length: 100\r\n\r\n{", 4*leftoverTime)
	if !strings.HasPrefix(answer, "HTTP/1.1 ") {
		t.Errorf("answered with %q", answer)
	}
}
