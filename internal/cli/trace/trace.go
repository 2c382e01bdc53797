// Package trace shows what goes to the service and comes back.
package trace

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Tripper shows requests and answers without their secrets.
type Tripper struct {
	Next http.RoundTripper
	To   io.Writer
}

// RoundTrip implements http.RoundTripper.
func (t Tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = fmt.Fprintf(t.To, "> %s %s", req.Method, shown(req.URL))
	if v := req.Header.Get("OpenStack-API-Version"); v != "" {
		_, _ = fmt.Fprintf(t.To, " (%s)", v)
	}
	_, _ = fmt.Fprintln(t.To)
	resp, err := t.Next.RoundTrip(req)
	if err != nil {
		_, _ = fmt.Fprintf(t.To, "< %v\n", err)
		return nil, err
	}
	_, _ = fmt.Fprintf(t.To, "< %s %s\n", resp.Status, resp.Header.Get("X-Openstack-Request-Id"))
	return resp, nil
}

// shown is an address without what opens something: a password, or a console's ticket.
func shown(u *url.URL) string {
	q := u.Query()
	if !q.Has("token") {
		return u.Redacted()
	}
	q.Set("token", "xxxxx")
	copied := *u
	copied.RawQuery = q.Encode()
	return copied.Redacted()
}
