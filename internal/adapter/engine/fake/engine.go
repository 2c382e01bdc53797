package fake

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Clock tells the time by which simulated processes live.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Options says what New makes.
type Options struct {
	// Dir holds every object; two engines on one Dir are the same engine, also from
	// two processes.
	Dir string
	// Namespaces makes each sandbox a real named network namespace, which needs root.
	// Otherwise its path is made up.
	Namespaces bool
	// Clock is the system's clock if nil.
	Clock Clock
	// Images are the references present from the start, besides "busybox" and "cirros".
	Images []string
	// LogMaxBytes bounds what is kept of each member's log, as an engine that keeps two
	// files of this size; 0: all is kept.
	LogMaxBytes int64
	// Inventory replaces the made-up host if not nil.
	Inventory *domain.Inventory
}

// Engine is the fake engine. It holds nothing in memory but streams in use: every
// call reads and writes the files of its directory.
type Engine struct {
	options  Options
	clock    Clock
	store    *store
	sessions *sessions
}

var (
	_ agent.Engine    = (*Engine)(nil)
	_ agent.Execer    = (*Engine)(nil)
	_ agent.Attacher  = (*Engine)(nil)
	_ agent.Logger    = (*Engine)(nil)
	_ agent.Journaler = (*Engine)(nil)
	_ agent.Observer  = (*Engine)(nil)
	_ agent.Archiver  = (*Engine)(nil)
	_ agent.Committer = (*Engine)(nil)
)

// New opens the engine whose state is in o.Dir, making the directory if need be.
func New(o Options) (*Engine, error) {
	s, err := openStore(o.Dir)
	if err != nil {
		return nil, err
	}
	clock := o.Clock
	if clock == nil {
		clock = systemClock{}
	}
	return &Engine{options: o, clock: clock, store: s, sessions: newSessions()}, nil
}

// Info describes a made-up host, the same on every machine unless Options say otherwise.
func (e *Engine) Info(ctx context.Context) (domain.Inventory, error) {
	if err := e.cued(ctx, OpInfo, ""); err != nil {
		return domain.Inventory{}, err
	}
	if e.options.Inventory != nil {
		return *e.options.Inventory, nil
	}
	return domain.Inventory{
		CPUs: 64, MemoryMB: 262144, DiskGB: 4096,
		Architecture: "x86_64", OSType: "linux", OS: "Simulated Linux", Kernel: "6.1.0",
		Labels: map[string]string{}, Runtimes: []string{"fake"},
		EngineName: "fake", EngineVersion: "1", EngineUp: true,
	}, nil
}

// List returns every object of the directory.
func (e *Engine) List(ctx context.Context) ([]agent.Object, error) {
	if err := e.cued(ctx, OpList, ""); err != nil {
		return nil, err
	}
	records, err := e.store.all()
	if err != nil {
		return nil, err
	}
	objects := make([]agent.Object, 0, len(records))
	for _, r := range records {
		objects = append(objects, e.object(r))
	}
	return objects, nil
}

// Inspect returns the sandbox and the member of one container, none if it has none.
func (e *Engine) Inspect(ctx context.Context, id domain.ContainerID) ([]agent.Object, error) {
	if err := e.cued(ctx, OpInspect, id); err != nil {
		return nil, err
	}
	var objects []agent.Object
	for _, role := range []string{roleSandbox, roleMember} {
		r, err := e.store.read(role, id)
		if domain.IsKind(err, domain.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, e.object(r))
	}
	return objects, nil
}

// Sandboxes is the engine's side of network namespaces.
func (e *Engine) Sandboxes() agent.Sandboxes { return sandboxes{e} }

// Members is the engine's side of processes.
func (e *Engine) Members() agent.Members { return members{e} }

// Images is the engine's side of images.
func (e *Engine) Images() agent.Images { return images{e} }

// object tells what a record means at this moment.
func (e *Engine) object(r record) agent.Object {
	now := e.clock.Now()
	o := agent.Object{
		EngineID: r.EngineID, Container: r.Container, Generation: r.Generation,
		Sandbox: r.Role == roleSandbox, CreatedAt: r.CreatedAt, CPUSet: r.CPUSet,
		State: domain.Observation{
			Status: r.status(now), EngineID: r.EngineID, Hostname: r.Hostname,
			Command: r.Command, Entrypoint: r.Entrypoint, Ports: r.Ports,
		},
	}
	if run := r.last(); run != nil {
		o.State.StartedAt = run.StartedAt
		if !r.alive(now) {
			o.State.FinishedAt, o.State.ExitCode = run.EndsAt, &run.ExitCode
		} else {
			o.PID, o.NetNS = run.PID, e.netNS(r.Container)
		}
	}
	if o.Sandbox && !e.namespaceLives(r.Container) {
		o.PID, o.NetNS, o.State.Status = 0, "", domain.Stopped
	}
	if o.State.Status == domain.Running {
		o.State.Health = e.health(r, now)
	}
	o.State.Detail = domain.DetailOf(o.State, now)
	return o
}

// rootOf is the directory that stands for a member's file system.
func (e *Engine) rootOf(r record) (*os.Root, error) {
	dir := filepath.Join(e.store.dir, "roots", r.EngineID)
	for _, sub := range []string{"etc", "tmp", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return os.OpenRoot(dir)
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
