package term

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// origins are the browser pages that may open consoles. They are read once from the
// configuration; no request adds to them or is compared with its own Host header.
type origins struct {
	schemes []string // of a page that fits the door's own scheme
	hosts   []string // lower case, without port
	whole   []string // scheme://host[:port], lower case
}

// readBase reads who may come from the door's public address and the operator's
// list, and returns the address's path.
func readBase(base string, allowed []string) (origins, string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return origins{}, "", fmt.Errorf("read [websocket_proxy] base_url: %q is no ws: or wss: address", base)
	}
	o := origins{schemes: []string{"http", "ws"}, hosts: []string{strings.ToLower(u.Hostname())}}
	if u.Scheme == "wss" {
		o.schemes = []string{"https", "wss"}
	}
	for _, entry := range allowed {
		entry = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(entry), "/"))
		switch {
		case entry == "":
		case strings.Contains(entry, "://"):
			o.whole = append(o.whole, entry)
		default:
			o.hosts = append(o.hosts, strings.Trim(entry, "[]"))
		}
	}
	path := u.Path
	if path == "" {
		path = "/"
	}
	return o, path, nil
}

// allow judges the Origin headers of a request. None at all is a client that is no
// browser: it cannot be made to connect by a foreign page, and its ticket decides.
func (o origins) allow(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	if len(headers) > 1 {
		return false
	}
	if strings.ContainsAny(headers[0], "?#") { // an origin has no query, not even an empty one
		return false
	}
	u, err := url.Parse(strings.ToLower(headers[0]))
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return false // also "null", which any sandboxed page sends
	}
	if slices.Contains(o.whole, u.Scheme+"://"+u.Host) {
		return true
	}
	return slices.Contains(o.schemes, u.Scheme) && slices.Contains(o.hosts, u.Hostname())
}
