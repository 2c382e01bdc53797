package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-zun/zun/internal/rest/address"
	"github.com/go-zun/zun/internal/rest/cors"
	"github.com/go-zun/zun/internal/rest/feed"
	"github.com/go-zun/zun/internal/rest/follow"
	"github.com/go-zun/zun/internal/rest/health"
	"github.com/go-zun/zun/internal/rest/journal"
	"github.com/go-zun/zun/internal/rest/openapi"
	"github.com/go-zun/zun/internal/rest/schema"
	"github.com/go-zun/zun/internal/rest/stream"
)

// Deps are what the front door stands on. Metrics may be nil: then /metrics is not served.
type Deps struct {
	Containers Containers
	Wiring     Wiring
	Insides    Insides
	Files      Files
	Snapshots  Snapshots
	Records    Records
	Fleet      Fleet
	Limits     Limits
	Registries RegistryBook
	// Capsules may be nil: then their routes are not served.
	Capsules Capsules
	Images   Images
	// Networks may be nil: then none are owned here, and their routes say so.
	Networks Networks
	// Feed, Output and FollowMeter may be nil where extensions are off.
	Feed        Feed
	Output      Output
	FollowMeter follow.Meter
	// Stopping is closed when this process is being stopped, so that streams end; nil: never.
	Stopping <-chan struct{}
	Identity Identity
	Policy   Policy
	// Ping says whether the store answers; the health check asks it.
	Ping    func(ctx context.Context) error
	Metrics http.Handler
	Log     *slog.Logger
	Options Options
}

// Options are the settings of the front door. The zero value of a bound takes the
// documented default.
type Options struct {
	// PublicEndpoint is where clients reach the API when this process cannot see it
	// itself, such as "https://cloud.example/container"; empty: from the request.
	PublicEndpoint string
	// PathPrefix is stripped from the paths of requests, such as "/container".
	PathPrefix string
	// TrustedProxies are the peers whose X-Forwarded headers are believed.
	TrustedProxies []netip.Prefix
	// Extensions serves what the original does not have: the routes marked so, and the
	// labels filter of lists.
	Extensions bool
	// MaxLimit is the most items of one page.
	MaxLimit int
	// MaxBody, MaxArchive and MaxLog bound in bytes a request body, the body of
	// put_archive, and a log that is sent as one answer.
	MaxBody, MaxArchive, MaxLog int64
	// MaxDepth bounds how deep a JSON body may be nested.
	MaxDepth int
	// DisableFile makes the health check answer 503 while it exists; empty: none.
	DisableFile string
	Follow      FollowOptions
	Schema      schema.Limits
	CORS        cors.Rules
}

const (
	defaultMaxLimit   = 1000
	defaultMaxBody    = 4 << 20 // the files to inject come inside the body, 1 MiB of them in base64
	defaultMaxArchive = 1 << 30 // of base64, which is never held
	defaultMaxLog     = 64 << 20
	defaultMaxDepth   = 32
	maxLogFollowers   = 4096 // streams of one process at once
)

func (o Options) withDefaults() Options {
	o.MaxLimit = orElse(o.MaxLimit, defaultMaxLimit)
	o.MaxBody = orElse(o.MaxBody, defaultMaxBody)
	o.MaxArchive = orElse(o.MaxArchive, defaultMaxArchive)
	o.MaxLog = orElse(o.MaxLog, defaultMaxLog)
	o.MaxDepth = orElse(o.MaxDepth, defaultMaxDepth)
	if o.Schema.ImageDrivers == nil {
		o.Schema = schema.DefaultLimits()
	}
	return o
}

func orElse[T int | int64](value, fallback T) T {
	if value <= 0 {
		return fallback
	}
	return value
}

// door is the handler of all API requests.
type door struct {
	Deps
	// logFollowers are those of logs, followers those of events, which share a hub.
	logFollowers, followers *stream.Crowd
	hub                     *feed.Hub
	description             map[string]any // the OpenAPI document
	schemas                 *schema.Set
	routes                  *http.ServeMux
}

// public is how the API is published.
func (d *door) public() address.Public {
	return address.Public{Endpoint: d.Options.PublicEndpoint, Prefix: d.Options.PathPrefix, Proxies: d.Options.TrustedProxies}
}

// New builds the front door. An error is a limit in Options that no schema can hold.
func New(deps Deps) (http.Handler, error) {
	deps.Options = deps.Options.withDefaults()
	schemas, err := schema.NewSet(deps.Options.Schema)
	if err != nil {
		return nil, fmt.Errorf("build schemas: %w", err)
	}
	d := &door{Deps: deps, schemas: schemas, routes: http.NewServeMux()}
	d.followers = stream.NewCrowd(stream.Bounds{PerProject: maxProjectFollowers, Total: maxFollowers})
	d.hub = feed.NewHub(deps.Feed, followEvery, time.Now)
	d.logFollowers = stream.NewCrowd(stream.Bounds{
		PerContainer: deps.Options.Follow.PerContainer, PerProject: deps.Options.Follow.PerProject, Total: maxLogFollowers,
	})
	operations, err := Operations(deps.Options.Schema, deps.Options.Extensions)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	d.description = openapi.Document(operations)
	byPattern := map[string][]Route{}
	for _, r := range Routes() {
		if r.On == OnCapsule && deps.Capsules == nil || r.Extension && !deps.Options.Extensions {
			continue
		}
		byPattern[r.Pattern] = append(byPattern[r.Pattern], r)
	}
	for pattern, routes := range byPattern {
		d.routes.Handle(pattern, place{door: d, routes: routes})
	}
	d.routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { d.refuse(w, r, noSuchPath()) })
	return journal.Keep(d.Log, d.refuse, d.outside()), nil
}

// outside serves what needs no actor and hands the rest on.
func (d *door) outside() http.Handler {
	check := health.Check{DisableFile: d.Options.DisableFile, Ping: d.Ping, Log: d.Log}
	api := cors.Handler(d.Options.CORS, http.HandlerFunc(d.enter))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case r.URL.Path == "/healthcheck":
			check.ServeHTTP(w, r)
		case r.URL.Path == "/metrics" && reads && d.Metrics != nil:
			d.Metrics.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}
