package agent

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

// Engine is a container engine as the agent needs it. Objects are found by the
// labels of package domain; every call may be repeated: creating what exists
// returns it, stopping what is stopped and removing what is gone succeed. Calls on
// one container are never concurrent; calls on several are. Faults: NotFound
// (object or image), Conflict (wrong engine state), Invalid (the engine refused
// the request: message is for the user), Unavailable (the engine does not answer; of code
// CodeLost if it may have heard the call).
type Engine interface {
	Info(ctx context.Context) (domain.Inventory, error)
	// List returns every object labelled with the deployment.
	List(ctx context.Context) ([]Object, error)
	// Inspect returns the objects of one container: its sandbox and its members.
	Inspect(ctx context.Context, id domain.ContainerID) ([]Object, error)
	// Watch streams the names of containers whose state changed until ctx ends; the
	// channel is closed when the engine's stream breaks, and the agent then lists again.
	Watch(ctx context.Context) (<-chan domain.ContainerID, error)
	// Sandboxes, Members, Images are the engine's three kinds of objects.
	Sandboxes() Sandboxes
	Members() Members
	Images() Images
}

// CodeLost is the fault's code of a call that was under way when the engine went: nobody
// knows what became of it.
const CodeLost = "engine-lost"

// Sandboxes holds network namespaces alive.
type Sandboxes interface {
	// Stage makes the object of the sandbox unless there is one, and returns it: a
	// member may be created for it while Ensure brings it to life. It lives already if
	// the engine's sandboxes do from the beginning.
	Stage(ctx context.Context, s SandboxSpec) (Object, error)
	// Ensure makes the sandbox if it does not live, and returns it. What was staged keeps
	// its id. A dead holder of the same container is replaced.
	Ensure(ctx context.Context, s SandboxSpec) (Object, error)
	// Remove removes every sandbox of the container.
	Remove(ctx context.Context, id domain.ContainerID) error
}

// SandboxSpec is what a sandbox needs to know.
type SandboxSpec struct {
	Container domain.ContainerID
	Hostname  string // empty: the short form of the container's id
	Runtime   string
	// Staged is, in Ensure, what Stage returned just before; zero: Stage was not asked.
	Staged Object
}

// Members runs processes in a sandbox.
type Members interface {
	// Create makes the engine object of m.Generation, not started.
	Create(ctx context.Context, m MemberSpec) (Object, error)
	Start(ctx context.Context, o Object) error
	// Stop asks the process to end and kills it after grace; a negative grace is the engine's default.
	Stop(ctx context.Context, o Object, grace time.Duration) error
	Kill(ctx context.Context, o Object, signal string) error
	Pause(ctx context.Context, o Object) error
	Unpause(ctx context.Context, o Object) error
	// Update changes limits of a live object.
	Update(ctx context.Context, o Object, spec domain.Spec) error
	Remove(ctx context.Context, o Object) error
}

// MemberSpec is a process to create in a sandbox.
type MemberSpec struct {
	Container  domain.ContainerID
	ProjectID  string
	Generation int64
	Sandbox    Object
	Spec       domain.Spec
	// ImageID is the image that Spec.Image named when it was judged whether the project may
	// use it; empty: whatever Spec.Image names.
	ImageID string
	// CPUSet is where it may run; empty: anywhere.
	CPUSet domain.CPUSet
	// HostsFile, ResolvFile and HostnameFile are bound read-only over /etc.
	HostsFile, ResolvFile, HostnameFile string
	Binds                               []Bind
}

// Bind is a host path seen inside.
type Bind struct {
	Source, Target string
	ReadOnly       bool
}

// Object is one thing in the engine, as plans see it.
type Object = plan.Object

// Images fetches and drops images.
type Images interface {
	// Present says whether ref is usable without a pull.
	Present(ctx context.Context, ref string) (bool, error)
	// Pull fetches ref and reports progress in bytes. Faults: NotFound (no such image),
	// Forbidden (the registry refused the credential), Unavailable (unreachable), all
	// with a message that a user understands.
	Pull(ctx context.Context, ref string, secret *domain.PullSecret, progress func(done, total int64)) error
	Remove(ctx context.Context, ref string) error
}

// Confiner is the optional capability of moving a member, running or not, to other CPUs
// than it was made for. Objects tell where they may run.
type Confiner interface {
	Confine(ctx context.Context, o Object, cpus domain.CPUSet) error
}

// Execer is the optional capability of running commands in a running member. A session
// belongs to the member that it was made for; named with another it is NotFound.
type Execer interface {
	ExecRun(ctx context.Context, o Object, cmd []string, limit int64) (domain.ExecResult, error)
	ExecCreate(ctx context.Context, o Object, cmd []string, tty bool) (string, error)
	ExecResize(ctx context.Context, o Object, execID string, w, h int) error
	ExecOpen(ctx context.Context, o Object, execID string) (Stream, error)
}

// Attacher is the optional capability of joining a member's own streams.
type Attacher interface {
	Attach(ctx context.Context, o Object) (Stream, error)
	Resize(ctx context.Context, o Object, w, h int) error
}

// Logger is the optional capability of reading a member's output.
type Logger interface {
	Logs(ctx context.Context, o Object, q domain.LogQuery, sink func(stream domain.LogStream, chunk []byte) error) error
}

// Journaler is the optional capability of reading a member's output entry by entry
// while the process prints and the engine drops what is old.
type Journaler interface {
	OpenJournal(ctx context.Context, o Object) (journal.Reader, error)
}

// Observer is the optional capability of looking at a member's resources.
type Observer interface {
	// Top is Invalid for psArgs that the ps of the host does not take.
	Top(ctx context.Context, o Object, psArgs string) (domain.ProcessTable, error)
	Stats(ctx context.Context, o Object) (domain.Stats, error)
}

// Archiver is the optional capability of moving files as tar streams.
type Archiver interface {
	GetArchive(ctx context.Context, o Object, path string, sink func([]byte) error) (domain.PathStat, error)
	PutArchive(ctx context.Context, o Object, path string, source Reader) error
}

// Committer is the optional capability of making images of members. Such an image
// carries the labels of the deployment and of its uuid from the moment it exists.
type Committer interface {
	// Commit makes the image s.Image of o as it is now; a running process is frozen
	// meanwhile and goes on afterwards, also where the commit failed. One that exists
	// already is returned as it is.
	Commit(ctx context.Context, o Object, s Snapshot) (domain.LocalImage, error)
	// Committed returns the image of uuid id; NotFound if there is none.
	Committed(ctx context.Context, id string) (domain.LocalImage, error)
}

// Snapshot names an image to be made.
type Snapshot struct {
	Image     string // uuid; the engine knows the image by domain.OwnReference of it
	ProjectID string
}

// Mounts gives containers volumes of a size on this host. Every call may be repeated.
// Faults: Unsupported (the host cannot hold a volume to its size), Invalid with code
// disk-full.
type Mounts interface {
	// Limit says how volumes are held to their size, or why they cannot be.
	Limit(ctx context.Context) (how, reason string)
	// Mount makes v if it was never made and returns the directory to be bound.
	Mount(ctx context.Context, id domain.ContainerID, v domain.Volume) (path string, err error)
	// Remove destroys v with all that is in it; a missing one is no error.
	Remove(ctx context.Context, id domain.ContainerID, v domain.Volume) error
	// Held returns the containers that have volumes here.
	Held(ctx context.Context) ([]domain.ContainerID, error)
}

// Nets plugs sandboxes into networks. Every call may be repeated.
type Nets interface {
	// Plug makes nic in the namespace at netns as interface name (eth0, eth1, ...).
	Plug(ctx context.Context, id domain.ContainerID, netns, name string, nic domain.Nic) error
	// Unplug removes the host end of nic; the namespace may be gone already.
	Unplug(ctx context.Context, id domain.ContainerID, nic domain.Nic) error
	// Plugged lists what is plugged on this host, so that leftovers can be swept.
	Plugged(ctx context.Context) ([]Plugged, error)
	// Sync makes host-wide rules (bridges, NAT, isolation) fit the nics in use.
	Sync(ctx context.Context, inUse []domain.Nic) error
}

// Preparer is the optional capability of Nets to make ahead what a nic needs on this host
// and no namespace is needed for: its network and the rules of its port. Plug lays what of
// it is missing by then, and Unplug takes it away, also where nothing was plugged.
type Preparer interface {
	Prepare(ctx context.Context, nic domain.Nic) error
}

// Plugged is one host end found on this host.
type Plugged struct {
	Container domain.ContainerID // empty if it cannot be told
	PortID    string
	Link      string
}

// Control is the way back to the brain. An Unavailable fault is tried again by the caller.
type Control interface {
	Beat(ctx context.Context, b domain.Beat) (domain.BeatAnswer, error)
	// Assignments returns those changed after revision, and the revision they reach.
	// Revision 0 is everything: only then may absence be concluded from silence.
	Assignments(ctx context.Context, after int64) ([]domain.Assignment, int64, error)
	// Report tells of one container; stale is true when control no longer waits for
	// this generation or epoch, and the agent must read its assignment again.
	Report(ctx context.Context, r domain.Report) (stale bool, err error)
}
