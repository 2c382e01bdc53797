package control

import (
	"context"
	"net/netip"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Store is the one place where state lives. Read and Write run fn in a single
// transaction; Write runs it again from the start after a deadlock or a
// serialisation failure, so fn must hold no external call and no side effect but
// the Tx. A store that cannot be reached returns an Unavailable fault.
type Store interface {
	Read(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Glance is Read for those who only show containers: a Get or List of them is as
	// fresh as that of a Read, but its rows may be shared with others, so that nothing
	// in them may be changed, and two look-ups may see two states of the database.
	Glance(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
}

// patience is how background work marks its contexts.
type patience struct{}

// Patiently marks the work under ctx as one that may wait. A Store lets only a few
// writes of such work compete with those that a user waits for.
func Patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patience{}, true)
}

// IsPatient says whether ctx was marked by Patiently.
func IsPatient(ctx context.Context) bool { return ctx.Value(patience{}) != nil }

// Tx hands out the nouns within one transaction. It is used by one goroutine.
type Tx interface {
	Containers() Containers
	Actions() Actions
	Hosts() Hosts
	Quotas() Quotas
	Networks() Networks
	Registries() Registries
	Images() Images
	Trust() Trust
}

// Containers keeps container rows.
type Containers interface {
	// Insert adds c; the store sets CreatedAt if it is zero. A duplicate id is a Conflict.
	Insert(ctx context.Context, c domain.Container) error
	// Get returns one container by id within scope, NotFound ("container-not-found") otherwise.
	Get(ctx context.Context, scope Scope, id domain.ContainerID) (domain.Container, error)
	// ByName returns all containers of scope and kind called name, at most two.
	ByName(ctx context.Context, scope Scope, name string) ([]domain.Container, error)
	// List returns a page in the order asked.
	List(ctx context.Context, q ContainerQuery) ([]domain.Container, error)
	// Update writes every mutable column of c and sets UpdatedAt. NotFound if the row is gone.
	Update(ctx context.Context, c domain.Container) error
	// Assign writes c as Update does and moves it to its host's next revision, so that the
	// host's agent sees the assignment as changed. It returns the host at that revision; one
	// without an id says that c has no host, or one that left the fleet.
	Assign(ctx context.Context, c domain.Container) (domain.Host, error)
	// Delete removes the row with its actions and events; a missing row is no error.
	Delete(ctx context.Context, id domain.ContainerID) error
	// Tombstones: what a host must still remove of containers whose row is gone.
	Tombstones() Tombstones
}

// Tombstones remember removed rows whose host has not yet reported clean.
type Tombstones interface {
	// Put records that hostID still holds c's objects, at the host's next revision.
	Put(ctx context.Context, c domain.Container) error
	// Since returns the tombstones of a host with a revision above rev.
	Since(ctx context.Context, hostID string, rev int64) ([]domain.Container, error)
	// Get returns one; NotFound otherwise.
	Get(ctx context.Context, id domain.ContainerID) (domain.Container, error)
	// Drop forgets one; a missing one is no error.
	Drop(ctx context.Context, id domain.ContainerID) error
}

// Scope bounds a look-up: to one project unless AllProjects, and to kinds.
type Scope struct {
	ProjectID   string
	AllProjects bool
	Kinds       []domain.ContainerKind // empty: plain containers only
}

// ContainerQuery selects a page. Filters are exact; nil pointers do not filter.
type ContainerQuery struct {
	Scope   Scope
	Filters ContainerFilters
	HostID  string // all containers placed on this host
	// IDs, if not empty: only those of these ids.
	IDs []domain.ContainerID
	// Capsules, if not empty: only what belongs to one of these capsules.
	Capsules []domain.ContainerID
	// OwnImage, if not empty: only those made from this image of their project's own.
	OwnImage string
	// Dedicated: only those that have CPUs for themselves.
	Dedicated bool
	// SinceRevision, with HostID: only those whose revision is above it.
	SinceRevision *int64
	Page          Page
}

// ContainerFilters are the filters of the list call plus the labels of our extension.
type ContainerFilters struct {
	Name, Image, ProjectID, UserID, Memory, Host, TaskState, Status *string
	AutoRemove, AutoHeal                                            *bool
	Labels                                                          map[string]string
}

// Page orders and cuts a list. SortKey is a column name that the resource allows;
// an unknown one is an Invalid fault in the contract's words, an unknown marker NotFound.
// Ties are broken by insertion order.
type Page struct {
	Limit   int // 0: no bound
	Marker  string
	SortKey string
	Desc    bool
}

// Actions keeps the queues of intent and their records.
type Actions interface {
	// Append adds a to its container's queue; the store gives the id, StartedAt and ProgressAt.
	Append(ctx context.Context, a domain.Action) (domain.Action, error)
	// Get returns one; NotFound ("resource-not-found") otherwise.
	Get(ctx context.Context, id int64) (domain.Action, error)
	// Queue returns the unfinished actions of a container, oldest first.
	Queue(ctx context.Context, id domain.ContainerID) ([]domain.Action, error)
	// History returns all actions of a container, newest first.
	History(ctx context.Context, id domain.ContainerID) ([]domain.Action, error)
	// Update writes a if its stored epoch still equals a.Epoch; a Conflict fault
	// ("lease-lost") otherwise. FinishedAt is set by the store when State is finished, and
	// ProgressAt when it is zero.
	Update(ctx context.Context, a domain.Action) error
	// Lease claims for owner, until now+ttl in database time, up to limit actions that
	// are the oldest unfinished of their container, in one of states, whose RetryAt
	// has come and whose former lease has ended. Each claim is one compare-and-set
	// that raises Epoch; claimed by another meanwhile is simply not returned.
	Lease(ctx context.Context, claim LeaseClaim) ([]domain.Action, error)
	// Overdue returns unfinished actions whose Deadline or silence bound has passed in database time.
	Overdue(ctx context.Context, silence time.Duration, limit int) ([]domain.Action, error)
	// Events: AddEvent inserts (ID 0) or closes (ID set) an event; the others read.
	Events() Events
}

// LeaseClaim asks for work.
type LeaseClaim struct {
	Owner  string
	TTL    time.Duration
	States []domain.ActionState
	Verbs  []domain.Verb // empty: all
	Limit  int
}

// Events keeps the steps of actions.
type Events interface {
	Begin(ctx context.Context, e domain.Event) error // no-op if an open event of that name exists
	// Finish closes the newest open event of that name, or inserts a closed one.
	Finish(ctx context.Context, e domain.Event) error
	List(ctx context.Context, actionID int64) ([]domain.Event, error)
	// Feed is what happened to containers, whoever asked.
	Feed() Feed
}

// Feed keeps notices in order; it outlives the containers that it tells of.
type Feed interface {
	// Append adds n; the store gives the time.
	Append(ctx context.Context, n domain.Notice) error
	// After returns up to limit notices whose id is above id, in order. A notice has no
	// id, and is not among them, until it was given a place.
	After(ctx context.Context, id int64, limit int) ([]domain.Notice, error)
	// Waiting says whether a committed notice has no place yet.
	Waiting(ctx context.Context) (bool, error)
	// Place gives up to limit committed notices their places behind all others, which are
	// their ids from then on, and returns how many. What a transaction commits late so
	// comes late, and never before what somebody has read.
	Place(ctx context.Context, limit int) (int, error)
	// Bounds returns the lowest and the highest id; 0 when there is none.
	Bounds(ctx context.Context) (oldest, newest int64, err error)
	// Trim removes all but about the newest keep and returns how many went.
	Trim(ctx context.Context, keep int64) (int, error)
}

// Hosts keeps compute nodes, which are also the service records.
type Hosts interface {
	// Upsert inserts or updates the registration and inventory of h, not its usage or revision.
	Upsert(ctx context.Context, h domain.Host) error
	// Get takes a uuid or a host name; NotFound ("compute-node-not-found") otherwise.
	Get(ctx context.Context, ident string) (domain.Host, error)
	List(ctx context.Context, p Page) ([]domain.Host, error)
	// Beat records a sign of life in database time with the inventory.
	Beat(ctx context.Context, b domain.Beat) error
	// SetService writes those of the operator's switches that are not nil, and no other,
	// so that two operators undo nothing of each other's.
	SetService(ctx context.Context, hostID string, change ServiceChange) error
	// Claim adds c (negative parts give back) to the host's usage in one
	// compare-and-set bounded by limit; a Conflict fault ("host-full") when it does not
	// fit, or when it counts a container and the host is disabled.
	Claim(ctx context.Context, hostID string, c, limit domain.Claim) error
	Delete(ctx context.Context, hostID string) error
	// Now is the database's clock, UTC.
	Now(ctx context.Context) (time.Time, error)
}

// Quotas keeps limits and usage.
type Quotas interface {
	// Limits returns the explicit limits of subjects; absent resources are not in the map.
	// Of a resource that several of them limit, the last of them has its way.
	Limits(ctx context.Context, subjects ...QuotaSubject) (map[domain.Resource]int64, error)
	SetLimits(ctx context.Context, s QuotaSubject, limits map[domain.Resource]int64) error
	DeleteLimits(ctx context.Context, s QuotaSubject) error
	// Usage returns what a project uses.
	Usage(ctx context.Context, projectID string) (domain.Claim, error)
	// Use adds c (negative parts give back) in one compare-and-set. When limits (−1:
	// none) would be passed nothing is written and the resources over are returned.
	Use(ctx context.Context, projectID string, c domain.Claim, limits domain.Quota) ([]domain.Resource, error)
	// Astray says whether what is kept of the use of a project or of a host differs from
	// the sum over its rows, those left out that have a resize under way.
	Astray(ctx context.Context) (bool, error)
	// Repair sets what is astray to its sum and returns how many projects and hosts that were.
	Repair(ctx context.Context) (int, error)
}

// QuotaSubject is a project or a quota class.
type QuotaSubject struct {
	Class bool
	Name  string
}

// Networks keeps the local networks and their address leases (laptop mode).
type Networks interface {
	// Ensure returns the project's network of that name, inserting n if there is none;
	// the store gives Index, the lowest free number.
	Ensure(ctx context.Context, n domain.LocalNetwork) (domain.LocalNetwork, error)
	Get(ctx context.Context, id string) (domain.LocalNetwork, error)
	List(ctx context.Context, projectID string) ([]domain.LocalNetwork, error)
	// InsertPort leases the port's addresses; an address already leased is a Conflict ("address-in-use").
	InsertPort(ctx context.Context, p domain.LocalPort) error
	// Ports returns the ports of a network ("" for any) and container ("" for any).
	Ports(ctx context.Context, networkID string, id domain.ContainerID) ([]domain.LocalPort, error)
	// Addresses returns the addresses of a network that are leased, each with the id of
	// the port that has it.
	Addresses(ctx context.Context, networkID string) (map[netip.Addr]string, error)
	DeletePort(ctx context.Context, id string) error
	DeleteNetwork(ctx context.Context, id string) error
}

// Registries keeps the projects' image registries.
type Registries interface {
	Insert(ctx context.Context, r domain.Registry) error
	// Find takes a uuid or a name and returns all matches, at most two. A write
	// transaction keeps them from being changed by others until its end.
	Find(ctx context.Context, scope Scope, ident string) ([]domain.Registry, error)
	List(ctx context.Context, scope Scope, filters map[string]string, p Page) ([]domain.Registry, error)
	Update(ctx context.Context, r domain.Registry) error
	// Delete is a Conflict when a container refers to it.
	Delete(ctx context.Context, id string) error
}

// Images keeps the records of images on hosts.
type Images interface {
	// Insert is a Conflict ("image-already-exists") for a pull whose (repo, tag, host)
	// is known.
	Insert(ctx context.Context, i domain.Image) error
	Get(ctx context.Context, id string) (domain.Image, error)
	// List leaves out committed images that are being deleted.
	List(ctx context.Context, q ImageQuery) ([]domain.Image, error)
	// Update writes i if its stored Attempts still equal i.Attempts; otherwise i counts
	// as missing.
	Update(ctx context.Context, i domain.Image) error
	Delete(ctx context.Context, id string) error
	// Lease claims until now+ttl, in database time, up to limit images that are to be
	// pulled or deleted and whose former lease has ended. Each claim is one compare-and-set
	// that raises Attempts; claimed by another meanwhile is simply not returned.
	Lease(ctx context.Context, ttl time.Duration, limit int) ([]domain.Image, error)
}

// ImageQuery selects images: the pulled ones, a project's own ones, or both.
type ImageQuery struct {
	Pulled    bool
	OwnOf     string // a project; empty: nobody's
	Repo, Tag string // only those of this name; empty: all
	Page      Page
}

// Trust keeps one-use secrets (by hash) and the deployment's own authority.
type Trust interface {
	// PutTicket stores a hashed one-use secret until expires (database time + TTL).
	PutTicket(ctx context.Context, t Ticket) error
	// Redeem takes the ticket of that kind and hash out, once; NotFound if it is
	// unknown, expired or already redeemed.
	Redeem(ctx context.Context, kind TicketKind, hash []byte) (Ticket, error)
	// Peek says whether Redeem would find the ticket now: NotFound if not. It decides
	// nothing and keeps guesses away from where the store writes.
	Peek(ctx context.Context, kind TicketKind, hash []byte) error
	// Purge removes expired tickets and seats, and who was revoked long ago, and returns how many expired.
	Purge(ctx context.Context) (int, error)
	// Consoles counts those whom tickets let in.
	Consoles() Consoles
	// Admissions keeps who may speak on the link.
	Admissions() Admissions
	// Authority returns the deployment's identity; NotFound before the first SetAuthority.
	Authority(ctx context.Context) (Authority, error)
	// SetAuthority stores a if none is stored; the first wins, and the stored one is returned.
	SetAuthority(ctx context.Context, a Authority) (Authority, error)
}

// Admissions keeps whose certificates are taken on the link.
type Admissions interface {
	// Admit gives the peer of a's role and name the next epoch, from now, under a's id.
	Admit(ctx context.Context, a domain.Admission) (domain.Admission, error)
	// List returns all, also revoked ones; hosts first, by name.
	List(ctx context.Context) ([]domain.Admission, error)
	// Revoke raises the epoch of the peer with that id beyond every certificate's, once;
	// NotFound ("admission-not-found").
	Revoke(ctx context.Context, id string) error
}

// Consoles counts the consoles that are open at any door. Each holds a seat in every
// subject it is counted in. A seat expires unless it is kept, because a door may die.
type Consoles interface {
	// Take gives s a seat; TooLarge if its subject has no free one.
	Take(ctx context.Context, s Seat) error
	// Keep lets the seats of consoles last for ttl from now; one without a seat is no error.
	Keep(ctx context.Context, consoles []string, ttl time.Duration) error
	// Give frees the seats of a console; none is no error.
	Give(ctx context.Context, console string) error
}

// Seat counts one console in one subject: a container or a project.
type Seat struct {
	Subject string
	Console string        // its id, a uuid
	Limit   int           // seats of the subject
	TTL     time.Duration // until it expires, by the database's clock
}

// TicketKind tells what a ticket opens.
type TicketKind string

// The kinds of ticket.
const (
	TicketJoin   TicketKind = "join"
	TicketExec   TicketKind = "exec"
	TicketAttach TicketKind = "attach"
	TicketDoor   TicketKind = "door" // a console door joins; the subject is its name
)

// Ticket is a one-use secret, kept by hash only.
type Ticket struct {
	Kind      TicketKind
	Hash      []byte
	Subject   string // join, door: the name of who joins; else the container
	ExecID    string
	UserID    string
	ProjectID string
	TTL       time.Duration
}

// Authority is the deployment's identity and its sealed CA key.
type Authority struct {
	DeploymentID string
	CertPEM      []byte
	SealedKey    []byte
}
