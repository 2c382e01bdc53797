package rest

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Containers are the use cases behind the containers' collection and items. Every
// ident is a uuid or a name; every method returns the contract's faults.
type Containers interface {
	Create(ctx context.Context, actor domain.Actor, req control.CreateRequest) (domain.Container, error)
	Get(ctx context.Context, actor domain.Actor, ref control.Ref) (domain.Container, error)
	List(ctx context.Context, actor domain.Actor, q control.ListRequest) ([]domain.Container, error)
	// Update is PATCH: it returns when the host has applied cpu and memory, or Timeout.
	Update(ctx context.Context, actor domain.Actor, ref control.Ref, change control.Change) (domain.Container, error)
	// Act queues one of start, stop, reboot, pause, unpause, kill, rebuild, resize_container.
	Act(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error)
	Delete(ctx context.Context, actor domain.Actor, ref control.Ref, how control.DeleteRequest) error
	// Rename is the verb of versions below 1.14.
	Rename(ctx context.Context, actor domain.Actor, ref control.Ref, name string) (domain.Container, error)
}

// Wiring are the use cases on what a container is joined to.
type Wiring interface {
	// Rewire queues one of add_security_group, remove_security_group, network_attach, network_detach.
	Rewire(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error)
}

// Insides are the use cases that look into a running container.
type Insides interface {
	Logs(ctx context.Context, actor domain.Actor, ref control.Ref, q domain.LogQuery, sink control.LogSink) error
	// ExecRun runs a command to its end; Conflict ("conflict", "Timeout on executing command: X") past the bound.
	ExecRun(ctx context.Context, actor domain.Actor, ref control.Ref, command []string) (domain.ExecResult, error)
	// ExecSession creates a session and its ticket.
	ExecSession(ctx context.Context, actor domain.Actor, ref control.Ref, command []string, tty bool) (control.Session, error)
	ExecResize(ctx context.Context, actor domain.Actor, ref control.Ref, execID string, w, h int) error
	Attach(ctx context.Context, actor domain.Actor, ref control.Ref) (control.Session, error)
	Resize(ctx context.Context, actor domain.Actor, ref control.Ref, w, h int) error
	Top(ctx context.Context, actor domain.Actor, ref control.Ref, psArgs string) (domain.ProcessTable, error)
	Stats(ctx context.Context, actor domain.Actor, ref control.Ref) (domain.Container, domain.Stats, error)
}

// Output is the use case of those who follow what a container prints.
type Output interface {
	// Follow returns nil behind the record of the end. Unavailable says that the host
	// broke off and that the follower may come back with its cursor.
	Follow(ctx context.Context, actor domain.Actor, ref control.Ref, q domain.FollowQuery, sink control.FollowSink) error
}

// Files are the use cases that move files out of and into a container.
type Files interface {
	GetArchive(ctx context.Context, actor domain.Actor, ref control.Ref, path string, sink control.ByteSink) (domain.PathStat, error)
	PutArchive(ctx context.Context, actor domain.Actor, ref control.Ref, path string, source control.ByteSource) error
}

// Snapshots are the use cases on the images that projects commit.
type Snapshots interface {
	// Commit queues the snapshot and returns the uuid of the image to be.
	Commit(ctx context.Context, actor domain.Actor, ref control.Ref, repository, tag string) (string, error)
	// Discard deletes an image of the project's own; Invalid for any other, Conflict for
	// one in use.
	Discard(ctx context.Context, projectID, id string) error
}

// Records are the use cases that read action records.
type Records interface {
	Actions(ctx context.Context, actor domain.Actor, ref control.Ref) ([]domain.Action, error)
	// Action returns the newest action of that request with its events.
	Action(ctx context.Context, actor domain.Actor, ref control.Ref, requestID string) (domain.Action, []domain.Event, error)
}

// Fleet are the operator's use cases on hosts and services.
type Fleet interface {
	Hosts(ctx context.Context, p control.Page) ([]domain.Host, error)
	Host(ctx context.Context, ident string) (domain.Host, error)
	// Zones lists the availability zones of all hosts, sorted, each once.
	Zones(ctx context.Context) ([]string, error)
	// SetService changes what is not nil of the service; NotFound for an unknown pair.
	SetService(ctx context.Context, host, binary string, change control.ServiceChange) (domain.Host, error)
	DeleteService(ctx context.Context, host, binary string) error
	// Admissions lists whose certificates are taken on the link, also revoked ones.
	Admissions(ctx context.Context) ([]domain.Admission, error)
	// Revoke takes an id, or a name that is one's alone (Conflict otherwise).
	Revoke(ctx context.Context, ident string) error
	// Liveness returns the database's now and how long silence may last.
	Liveness(ctx context.Context) (now time.Time, downAfter time.Duration, err error)
}

// Limits are the use cases on quotas and quota classes.
type Limits interface {
	Quota(ctx context.Context, projectID string) (domain.Quota, error)
	Usage(ctx context.Context, projectID string) (domain.Claim, error)
	Defaults(ctx context.Context) (domain.Quota, error)
	SetQuota(ctx context.Context, projectID string, limits map[domain.Resource]int64) (domain.Quota, error)
	DeleteQuota(ctx context.Context, projectID string) error
	Class(ctx context.Context, name string) (domain.Quota, error)
	SetClass(ctx context.Context, name string, limits map[domain.Resource]int64) (domain.Quota, error)
}

// RegistryBook are the use cases on registries.
type RegistryBook interface {
	CreateRegistry(ctx context.Context, actor domain.Actor, r domain.Registry, password string) (domain.Registry, error)
	Registry(ctx context.Context, actor domain.Actor, ident string) (domain.Registry, error)
	Registries(ctx context.Context, actor domain.Actor, allProjects bool, filters map[string]string, p control.Page) ([]domain.Registry, error)
	UpdateRegistry(ctx context.Context, actor domain.Actor, ident string, change control.RegistryChange) (domain.Registry, error)
	DeleteRegistry(ctx context.Context, actor domain.Actor, ident string) error
}

// Capsules are the use cases on capsules. Ident is a uuid or a name; NotFound is
// worded as a container's, as the contract has it.
type Capsules interface {
	// CreateCapsule takes a draft of group, members and inits without ids, and returns
	// what was accepted.
	CreateCapsule(ctx context.Context, actor domain.Actor, draft domain.Capsule) (domain.Capsule, error)
	Capsule(ctx context.Context, actor domain.Actor, ref control.Ref) (domain.Capsule, error)
	Capsules(ctx context.Context, actor domain.Actor, allProjects bool, p control.Page) ([]domain.Capsule, error)
	DeleteCapsule(ctx context.Context, actor domain.Actor, ref control.Ref) error
}

// Images are the use cases on the images of hosts: what administrators pulled, and what
// projects committed. An unknown id is Invalid, as the contract has it.
type Images interface {
	// PullImage accepts a pull of reference to the host of that name or uuid.
	PullImage(ctx context.Context, actor domain.Actor, reference, host string) (domain.Image, error)
	Image(ctx context.Context, id string) (domain.Image, error)
	Images(ctx context.Context, q control.ImageQuery) ([]domain.Image, error)
	DeleteImage(ctx context.Context, id string) error
	// SearchImages asks the engines' public registry; exact keeps equal names.
	SearchImages(ctx context.Context, term string, exact bool) ([]domain.FoundImage, error)
}

// Networks are the use cases on the networks that this service owns itself.
type Networks interface {
	CreateNetwork(ctx context.Context, actor domain.Actor, name string) (domain.LocalNetwork, error)
	Networks(ctx context.Context, actor domain.Actor, allProjects bool) ([]domain.LocalNetwork, error)
	// Network returns one by its id; NotFound otherwise.
	Network(ctx context.Context, actor domain.Actor, id string) (domain.LocalNetwork, error)
	// DeleteNetwork is a Conflict for a network in use.
	DeleteNetwork(ctx context.Context, actor domain.Actor, id string) error
}

// Feed are the use cases of those who follow what happens.
type Feed interface {
	// Notices returns up to limit notices after id, in order and without a miss.
	Notices(ctx context.Context, after int64, limit int) ([]domain.Notice, error)
	// NoticeBounds returns the ids of the oldest and the newest notice kept; 0 for none.
	NoticeBounds(ctx context.Context) (oldest, newest int64, err error)
}

// Identity turns a token into an actor.
type Identity interface {
	// Authenticate returns the actor behind token; Unauthenticated for a missing,
	// unknown, expired or revoked one, Unavailable when the service does not answer.
	Authenticate(ctx context.Context, token string) (domain.Actor, error)
	// Challenge is the value of WWW-Authenticate on a 401.
	Challenge() string
}

// Policy judges what an actor may do.
type Policy interface {
	// Allowed evaluates rule for actor on an object of target's project and user.
	Allowed(rule string, actor domain.Actor, target Target) bool
}

// Target is what a policy rule is judged on.
type Target struct {
	ProjectID string
	UserID    string
}
