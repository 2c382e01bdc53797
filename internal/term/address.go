package term

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientOf is the address a request comes from: that of the peer, or what trusted
// proxies say of theirs, read from the right, because everything to the left of the
// first stranger was written by a stranger.
func clientOf(r *http.Request, trusted []netip.Prefix) string {
	from := hostOf(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !isTrusted(from, trusted) {
			return from
		}
		address, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(hop), "[]"))
		if err != nil {
			return from
		}
		from = address.Unmap().String()
	}
	return from
}

// isSecure says whether the user's own connection is encrypted.
func isSecure(r *http.Request, trusted []netip.Prefix) bool {
	if r.TLS != nil {
		return true
	}
	return isTrusted(hostOf(r.RemoteAddr), trusted) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func hostOf(remote string) string {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	return peer.Addr().Unmap().String()
}

func isTrusted(address string, trusted []netip.Prefix) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// isUpgrade says whether a request asks for a websocket at all.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && names(r.Header["Connection"], "upgrade") && names(r.Header["Upgrade"], "websocket")
}

// names says whether a header of comma separated words holds word.
func names(values []string, word string) bool {
	for _, v := range values {
		for _, w := range strings.Split(v, ",") {
			if strings.EqualFold(strings.TrimSpace(w), word) {
				return true
			}
		}
	}
	return false
}
