// Package address knows by which path a client asks, and at which address it reaches
// the API: through a prefix, a proxy, or a configured endpoint.
package address

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-zun/zun/internal/rest/view"
)

// Canonical returns the path by which the routes know what was asked: with /v1 in
// front, without slashes too many and without a .json suffix. False: no such path.
func Canonical(escaped, prefix string) (string, bool) {
	if prefix != "" && (escaped == prefix || strings.HasPrefix(escaped, prefix+"/")) {
		escaped = strings.TrimPrefix(escaped, prefix)
	}
	if escaped == "" || escaped == "/" {
		return "/", true
	}
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	if parts[0] != "v1" && parts[0] != "v1.json" {
		parts = append([]string{"v1"}, parts...)
	}
	kept := []string{"v1"}
	for i, part := range parts[1:] {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "." || plain == ".." || strings.ContainsRune(plain, 0) || !utf8.ValidString(plain) {
			return "", false
		}
		if part == "" && i == 0 && len(parts) > 2 {
			return "", false
		}
		if part != "" {
			kept = append(kept, part)
		}
	}
	last := len(kept) - 1
	if trimmed := strings.TrimSuffix(kept[last], ".json"); trimmed != "" {
		kept[last] = trimmed
	}
	return "/" + strings.Join(kept, "/"), true
}

// At returns r with its path replaced.
func At(r *http.Request, escaped string) *http.Request {
	moved := *r
	u := *r.URL
	u.RawPath = escaped
	u.Path, _ = url.PathUnescape(escaped) // Canonical has unescaped every part of it
	moved.URL = &u
	return &moved
}

// Public is how this API is published.
type Public struct {
	Endpoint string         // where clients reach it; empty: from the request
	Prefix   string         // of the paths of requests
	Proxies  []netip.Prefix // the peers whose X-Forwarded headers are believed
}

// Base returns where the client reaches the API: the configured endpoint, else what
// a trusted proxy says, else what the request itself says.
func (p Public) Base(r *http.Request) view.Base {
	if p.Endpoint != "" {
		return view.Base(strings.TrimSuffix(strings.TrimSuffix(p.Endpoint, "/"), "/v1"))
	}
	scheme, host, prefix := "http", r.Host, p.Prefix
	if r.TLS != nil {
		scheme = "https"
	}
	if p.trusts(r.RemoteAddr) {
		scheme = orHeader(r, "X-Forwarded-Proto", scheme)
		host = orHeader(r, "X-Forwarded-Host", host)
		prefix = orHeader(r, "X-Forwarded-Prefix", prefix)
	}
	return view.Base(scheme + "://" + host + strings.TrimSuffix(prefix, "/"))
}

// trusts says whether the peer is a proxy whose headers are believed.
func (p Public) trusts(remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, proxies := range p.Proxies {
		if proxies.Contains(peer.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// orHeader returns the first of a forwarded header's values: the one that the
// client itself used.
func orHeader(r *http.Request, name, fallback string) string {
	first, _, _ := strings.Cut(r.Header.Get(name), ",")
	if first = strings.TrimSpace(first); first != "" {
		return first
	}
	return fallback
}
