package term

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// version is that of the only websocket protocol there is, and keyBytes what a client
// shows of itself in it.
const (
	version  = "13"
	keyBytes = 16
)

// clientOf is the address a request comes from, also behind trusted proxies.
func clientOf(r *http.Request, trusted []netip.Prefix) string {
	return domain.Caller(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), trusted)
}

// isSecure says whether the user's own connection is encrypted.
func isSecure(r *http.Request, trusted []netip.Prefix) bool {
	if r.TLS != nil {
		return true
	}
	return domain.Trusted(r.RemoteAddr, trusted) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// isUpgrade says whether a request asks for a websocket at all.
func isUpgrade(r *http.Request) bool {
	return r.ProtoAtLeast(1, 1) && r.Method == http.MethodGet && names(r.Header["Connection"], "upgrade") && names(r.Header["Upgrade"], "websocket")
}

// isHandshake says whether an upgrade can succeed: what the library would refuse once the
// ticket is spent and the terminal begun is refused before. A body would be read as the
// user's first messages.
func isHandshake(r *http.Request) bool {
	keys := r.Header.Values("Sec-WebSocket-Key")
	if r.ContentLength != 0 || len(keys) != 1 || r.Header.Get("Sec-WebSocket-Version") != version {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == keyBytes
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
