package local

import (
	"net/netip"
	"os"
	"strings"
)

// usualResolvConf are the places of resolver files. The second is where systemd keeps
// the true servers when the first names only its own loopback server.
func usualResolvConf() []string {
	return []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}
}

// resolvers returns the name servers and search domains of containers. The files are
// read each time, because a laptop's change with its place.
func (l *Local) resolvers() (servers, search []string) {
	if l.opts.DNS != nil {
		return l.opts.DNS, l.opts.DNSSearch
	}
	for _, path := range l.opts.ResolvConf {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if servers, search = readResolvConf(string(text)); len(servers) > 0 {
			break
		}
	}
	if l.opts.DNSSearch != nil {
		search = l.opts.DNSSearch
	}
	return servers, search
}

// readResolvConf reads the servers that a container can reach, and the search domains,
// of which the last line counts.
func readResolvConf(text string) (servers, search []string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			addr, err := netip.ParseAddr(words[1])
			if err == nil && !addr.IsLoopback() && !addr.IsUnspecified() && addr.Zone() == "" {
				servers = append(servers, addr.String())
			}
		case "search", "domain":
			search = words[1:]
		}
	}
	return servers, search
}
