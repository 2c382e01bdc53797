package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/adapter/identity/static"
	"github.com/go-zun/zun/internal/adapter/policy"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/internal/rest/cors"
	"github.com/go-zun/zun/internal/rest/schema"
	"github.com/go-zun/zun/internal/rest/stream"
)

// identityPath is where the built-in identity stands beside the API.
const identityPath = "/identity"

// newDoor puts the front door together: the API, the built-in identity if that is
// the driver, and the figures.
func newDoor(c config.Config, b *brain, m *metrics, log *slog.Logger) (http.Handler, error) {
	rules, err := policy.Open(policyOptions(c, log))
	if err != nil {
		return nil, err
	}
	people, err := openIdentity(c, log)
	if err != nil {
		return nil, err
	}
	door, err := rest.New(rest.Deps{
		Containers: b.containers, Wiring: b.wiring, Insides: b.insides, Files: b.insides, Snapshots: b.snapshots, Records: b.books,
		Fleet: b.fleet, Limits: b.books, Registries: b.books,
		Capsules: b.capsules, Images: b.stock, Networks: b.networks, Feed: b.books, Output: b.insides, FollowMeter: m.follow, Stopping: b.stopping,
		Identity: rules.Judged(people), Policy: rules, Ping: b.control.Ping, Metrics: m.handler(), Log: log,
		Options: restOptions(c),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(identityPath+"/", http.StripPrefix(identityPath, people.Handler()))
	mux.Handle(identityPath, http.StripPrefix(identityPath, people.Handler()))
	return byPath{mux: mux, api: m.measured(door), prefix: pathPrefix(c)}, nil
}

// byPath hands the identity's paths to its own handler and everything else,
// uncleaned, to the API, whose rules of paths are its own.
type byPath struct {
	mux    *http.ServeMux
	api    http.Handler
	prefix string // of the public endpoint, which a proxy may leave on paths
}

// ServeHTTP implements http.Handler.
func (b byPath) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, b.prefix)
	if path == identityPath || strings.HasPrefix(path, identityPath+"/") {
		http.StripPrefix(strings.TrimSuffix(r.URL.Path, path), b.mux).ServeHTTP(w, r)
		return
	}
	b.api.ServeHTTP(w, r)
}

func policyOptions(c config.Config, log *slog.Logger) policy.Options {
	return policy.Options{File: c.Policy.File, Required: c.Policy.Required, Dirs: c.Policy.Dirs, Now: time.Now, Log: log}
}

func openIdentity(c config.Config, log *slog.Logger) (*static.Identity, error) {
	if c.Identity.Driver != "static" {
		return nil, fmt.Errorf("[identity] driver %q is not built in: use static", c.Identity.Driver)
	}
	base := publicURL(c)
	return static.Open(static.Options{
		UsersFile: c.Identity.UsersFile, KeyFile: c.Identity.TokenKeyFile, RevocationFile: c.Identity.RevocationFile,
		OpenRCFile: c.Identity.OpenRCFile, CloudsFile: c.Identity.CloudsFile,
		IdentityURL: base + identityPath, ContainerURL: base + "/v1", Region: c.Identity.Region,
		TokenLife: c.Identity.TokenLife, Source: callers(c.API.TrustedProxies), Now: time.Now, Log: log,
	})
}

// callers tells whom failed log-ins are counted against. Behind a proxy all requests come
// from one address: a stranger's guesses would be counted against everybody.
func callers(proxies []netip.Prefix) func(*http.Request) string {
	return func(r *http.Request) string {
		return domain.Caller(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), proxies)
	}
}

// publicURL is where clients reach this process.
func publicURL(c config.Config) string {
	if c.API.PublicEndpoint != "" {
		return c.API.PublicEndpoint
	}
	scheme := "http"
	if c.API.TLS {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(c.API.Listen)
	if err != nil {
		return scheme + "://" + c.API.Listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = c.MyIP.String()
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// pathPrefix is the path that the public endpoint stands under, such as "/container";
// a proxy may leave it on the requests that it hands on.
func pathPrefix(c config.Config) string {
	at, err := url.Parse(c.API.PublicEndpoint)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(at.Path, "/"), "/v1")
}

func restOptions(c config.Config) rest.Options {
	return rest.Options{
		Extensions: c.API.Extensions, PublicEndpoint: c.API.PublicEndpoint, PathPrefix: pathPrefix(c), TrustedProxies: c.API.TrustedProxies, MaxLimit: c.API.MaxLimit,
		DisableFile: "/etc/zun/healthcheck_disable",
		Follow: rest.FollowOptions{
			PerContainer: c.API.LogFollow.PerContainer, PerProject: c.API.LogFollow.PerProject, Timing: stream.Timing{Longest: c.API.LogFollow.Longest},
		},
		Schema: schema.Limits{
			MinCPU: c.Bounds.MinCPU, MaxCPU: c.Bounds.MaxCPU, MinMemoryMB: c.Bounds.MinMemoryMB, MaxMemoryMB: c.Bounds.MaxMemoryMB,
			MinDiskGB: c.Bounds.MinDiskGB, MaxDiskGB: c.Bounds.MaxDiskGB, ImageDrivers: c.Defaults.ImageDrivers,
		},
		CORS: cors.Rules{
			Origins: c.CORS.Origins, Methods: c.CORS.Methods, Headers: c.CORS.Headers, Exposed: c.CORS.Exposed,
			Credentials: c.CORS.Credentials, MaxAge: c.CORS.MaxAge,
		},
	}
}

// runDoor serves the front door on l until ctx ends.
func runDoor(ctx context.Context, c config.Config, l net.Listener, door http.Handler, log *slog.Logger) error {
	log.InfoContext(ctx, "serving", "address", c.API.Listen, "url", publicURL(c))
	if err := newFront(l, door, c.API.StopTimeout, log).Run(ctx); err != nil {
		return fmt.Errorf("front door: %w", err)
	}
	return nil
}
