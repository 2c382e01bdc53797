package rest

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-zun/zun/internal/rest/view"
)

// canonical returns the path by which the routes know what was asked: with /v1 in
// front, without slashes too many and without a .json suffix. False: no such path.
func canonical(escaped, prefix string) (string, bool) {
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

// at returns r with its path replaced.
func at(r *http.Request, escaped string) *http.Request {
	moved := *r
	u := *r.URL
	u.RawPath = escaped
	u.Path, _ = url.PathUnescape(escaped) // canonical has unescaped every part of it
	moved.URL = &u
	return &moved
}

// base returns where the client reaches the API: the configured endpoint, else what
// a trusted proxy says, else what the request itself says.
func (d *door) base(r *http.Request) view.Base {
	if d.Options.PublicEndpoint != "" {
		return view.Base(strings.TrimSuffix(strings.TrimSuffix(d.Options.PublicEndpoint, "/"), "/v1"))
	}
	scheme, host, prefix := "http", r.Host, d.Options.PathPrefix
	if r.TLS != nil {
		scheme = "https"
	}
	if d.trusts(r.RemoteAddr) {
		scheme = orHeader(r, "X-Forwarded-Proto", scheme)
		host = orHeader(r, "X-Forwarded-Host", host)
		prefix = orHeader(r, "X-Forwarded-Prefix", prefix)
	}
	return view.Base(scheme + "://" + host + strings.TrimSuffix(prefix, "/"))
}

// trusts says whether the peer is a proxy whose headers are believed.
func (d *door) trusts(remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, p := range d.Options.TrustedProxies {
		if p.Contains(peer.Addr().Unmap()) {
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
