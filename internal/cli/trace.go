package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// tracer shows requests and answers without their secrets.
type tracer struct {
	next http.RoundTripper
	to   io.Writer
}

// RoundTrip implements http.RoundTripper.
func (t tracer) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = fmt.Fprintf(t.to, "> %s %s", req.Method, shown(req.URL))
	if v := req.Header.Get("OpenStack-API-Version"); v != "" {
		_, _ = fmt.Fprintf(t.to, " (%s)", v)
	}
	_, _ = fmt.Fprintln(t.to)
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		_, _ = fmt.Fprintf(t.to, "< %v\n", err)
		return nil, err
	}
	_, _ = fmt.Fprintf(t.to, "< %s %s\n", resp.Status, resp.Header.Get("X-Openstack-Request-Id"))
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
