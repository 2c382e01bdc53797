package docker

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Options say which engine is driven and how its containers are bounded.
type Options struct {
	Host       string // unix:///run/docker.sock or tcp://host:port
	Deployment string // marks our objects
	// CAFile, CertFile and KeyFile are used with a tcp host; empty means no TLS.
	CAFile, CertFile, KeyFile string
	// Insecure does not look at the engine's certificate.
	Insecure       bool
	Runtime        string // of containers that name none; empty: the engine's own
	ReadySandboxes int    // kept in stock; 0: none
	PIDsLimit      int64  // of each container; 0 or less: none
	LogMaxBytes    int64  // of each container's log file; 0: no bound
	MemorySwapMB   int64  // beyond the memory limit; -1: no bound
	HardCPU        bool   // cpu is a cap, not only a share
	Log            *slog.Logger
}

// Engine implements agent.Engine and all its capabilities. It is safe for
// concurrent use on different containers.
type Engine struct {
	api     *client.Client
	options Options
	log     *slog.Logger
	stock   *stock
	// joined are the sessions that somebody has open: for a moment after its start the
	// engine still shows one as not running.
	joined sync.Map

	holderOnce sync.Mutex // makes the holder's image one at a time
	holderMade bool
}

// New returns the engine at options.Host. It does not call it: an engine that is
// down is an Unavailable fault of each call.
func New(o Options) (*Engine, error) {
	settings, err := o.transport()
	if err != nil {
		return nil, err
	}
	api, err := client.New(settings...)
	if err != nil {
		return nil, fmt.Errorf("reach the container engine at %s: %w", o.Host, err)
	}
	e := &Engine{api: api, options: o, log: o.Log}
	e.stock = newStock(e, o.ReadySandboxes)
	return e, nil
}

// transport is how the engine is reached.
func (o Options) transport() ([]client.Opt, error) {
	settings := []client.Opt{client.WithHost(o.Host), client.WithUserAgent("zun-compute")}
	switch {
	case o.Insecure && strings.HasPrefix(o.Host, "tcp://"):
		unverified := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // the operator asked for it
		if o.CertFile != "" {
			pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("read the certificate shown to the container engine: %w", err)
			}
			unverified.Certificates = []tls.Certificate{pair}
		}
		over := &http.Client{Transport: &http.Transport{TLSClientConfig: unverified}}
		return append([]client.Opt{client.WithHTTPClient(over)}, settings...), nil
	case o.CAFile != "" || o.CertFile != "":
		settings = append(settings, client.WithTLSClientConfig(o.CAFile, o.CertFile, o.KeyFile))
	}
	return settings, nil
}

// Run keeps sandboxes in stock until ctx ends. Those in stock stay for the next run.
func (e *Engine) Run(ctx context.Context) error {
	e.stock.run(ctx)
	return nil
}

// Sandboxes implements agent.Engine.
func (e *Engine) Sandboxes() agent.Sandboxes { return sandboxes{e} }

// Members implements agent.Engine.
func (e *Engine) Members() agent.Members { return members{e} }

// Images implements agent.Engine.
func (e *Engine) Images() agent.Images { return images{e} }

// Info implements agent.Engine.
func (e *Engine) Info(ctx context.Context) (domain.Inventory, error) {
	result, err := e.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return domain.Inventory{EngineName: "docker", EngineReason: fault(err).Message}, fault(err)
	}
	i := result.Info
	labels := map[string]string{}
	for _, l := range i.Labels {
		key, value, _ := strings.Cut(l, "=")
		labels[key] = value
	}
	return domain.Inventory{
		CPUs: i.NCPU, MemoryMB: i.MemTotal >> 20, DiskGB: diskGB(i.DockerRootDir),
		Architecture: i.Architecture, OSType: i.OSType, OS: i.OperatingSystem, Kernel: i.KernelVersion,
		Labels: labels, Runtimes: slices.Sorted(maps.Keys(i.Runtimes)), DiskQuota: quotaCapable(i.Driver, i.DriverStatus, i.DockerRootDir),
		EngineName: "docker", EngineVersion: i.ServerVersion, EngineUp: true,
	}, nil
}

// List implements agent.Engine.
func (e *Engine) List(ctx context.Context) ([]agent.Object, error) {
	return e.list(ctx, make(client.Filters))
}

// list inspects what carries the deployment's label and fits more. What vanishes
// meanwhile is left out.
func (e *Engine) list(ctx context.Context, more client.Filters) ([]agent.Object, error) {
	filters := more.Add("label", domain.LabelDeployment+"="+e.options.Deployment)
	found, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, fault(err)
	}
	objects := make([]agent.Object, 0, len(found.Items))
	for _, item := range found.Items {
		if inStock(item.Names) {
			continue
		}
		o, err := e.inspect(ctx, item.ID)
		if domain.IsKind(err, domain.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// Inspect implements agent.Engine. Names are asked for instead of a list with
// filters, which costs the engine a look at every container.
func (e *Engine) Inspect(ctx context.Context, id domain.ContainerID) ([]agent.Object, error) {
	var objects []agent.Object
	for _, name := range []string{sandboxName(id), memberName(id)} {
		o, err := e.inspect(ctx, name)
		if domain.IsKind(err, domain.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if o.Container == id {
			objects = append(objects, o)
		}
	}
	return objects, nil
}

func (e *Engine) inspect(ctx context.Context, ref string) (agent.Object, error) {
	result, err := e.api.ContainerInspect(ctx, ref, client.ContainerInspectOptions{})
	if err != nil {
		return agent.Object{}, fault(err)
	}
	return objectOf(result.Container, time.Now()), nil
}

// The names of a container's objects. They are ours alone: an operator's own
// container of such a name is a conflict.
func memberName(id domain.ContainerID) string  { return "zun-" + string(id) }
func sandboxName(id domain.ContainerID) string { return "zun-" + string(id) + sandboxSuffix }

const sandboxSuffix = "-sandbox"

// labels mark an object as ours.
func (e *Engine) labels(id domain.ContainerID, generation int64, role string) map[string]string {
	return map[string]string{
		domain.LabelDeployment: e.options.Deployment, domain.LabelContainer: string(id),
		domain.LabelGeneration: strconv.FormatInt(generation, 10), domain.LabelRole: role,
	}
}

// architecture is the machine word that the engine's images are made for.
func architecture() string { return runtime.GOARCH }
