package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// relation is something that two or more options must fulfil together.
type relation struct {
	option string // the one to blame, "section.name"
	broken bool
	reason string
}

// contradictions lists the values of c that are good each by itself but not together.
// They are blamed on one option each, at its place in the files.
func (s *settings) contradictions(c Config) []error {
	var faults []error
	for _, r := range append(relations(c), poolRelations(c.Local)...) {
		if r.broken {
			from := s.origin(r.option)
			faults = append(faults, &Error{File: from.file, Line: from.line, Option: r.option, Reason: r.reason})
		}
	}
	return faults
}

func relations(c Config) []relation {
	above := func(what string, least any) string { return fmt.Sprintf("expected at least %s, %v", what, least) }
	return []relation{
		{"DEFAULT.maximum_cpus", c.Bounds.MaxCPU < c.Bounds.MinCPU, above("minimum_cpus", c.Bounds.MinCPU)},
		{"DEFAULT.maximum_memory", c.Bounds.MaxMemoryMB < c.Bounds.MinMemoryMB, above("minimum_memory", c.Bounds.MinMemoryMB)},
		{"DEFAULT.maximum_disk", c.Bounds.MaxDiskGB < c.Bounds.MinDiskGB, above("minimum_disk", c.Bounds.MinDiskGB)},
		{"DEFAULT.default_image_driver", !slices.Contains(c.Defaults.ImageDrivers, c.Defaults.ImageDriver),
			fmt.Sprintf("%q: expected one of image_driver_list, %v", c.Defaults.ImageDriver, c.Defaults.ImageDrivers)},
		{"deadlines.total", c.Deadlines.Total < c.Deadlines.Silence, above("[deadlines] silence", c.Deadlines.Silence)},
		{"api.enable_ssl_api", c.API.TLS && (c.SSL.CertFile == "" || c.SSL.KeyFile == ""), "expected [ssl] cert_file and key_file beside it"},
		{"websocket_proxy.cert", (c.WebSocket.CertFile == "") != (c.WebSocket.KeyFile == ""), "expected cert and key together"},
		{"websocket_proxy.ssl_only", c.WebSocket.TLSOnly && c.WebSocket.CertFile == "", "expected cert and key beside it"},
		{"image_cache.disk_high_watermark", c.ImageCache.HighWatermark < c.ImageCache.LowWatermark,
			above("disk_low_watermark", c.ImageCache.LowWatermark*100)},
		{"docker.cert_file", (c.Docker.CertFile == "") != (c.Docker.KeyFile == ""), "expected cert_file and key_file together"},
		{"identity.driver", c.Identity.Driver == "keystone" && c.Keystone.AuthURL == "", "expected [keystone_authtoken] auth_url beside keystone"},
	}
}

// poolRelations holds that each pool is one network of its own family, as project
// networks are cut from it.
func poolRelations(l Local) []relation {
	other := func(pool []netip.Prefix, is4 bool) bool {
		return slices.ContainsFunc(pool, func(p netip.Prefix) bool { return p.Addr().Is4() != is4 })
	}
	return []relation{
		{"local.ipv4_pool", len(l.IPv4Pool) != 1 || other(l.IPv4Pool, true), "expected one IPv4 network"},
		{"local.ipv6_pool", len(l.IPv6Pool) > 1 || other(l.IPv6Pool, false), "expected one IPv6 network, or none"},
	}
}
