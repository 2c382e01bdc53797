package rest_test

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

// stub stands for all use cases: it remembers what it was asked and answers from a
// few rows. A fault set in fail is what the next call returns.
type stub struct {
	mu        sync.Mutex
	rows      []domain.Container
	created   control.CreateRequest
	listed    control.ListRequest
	changed   control.Change
	deleted   control.DeleteRequest
	verb      domain.Verb
	args      domain.ActionArgs
	command   []string
	logQuery  domain.LogQuery
	put       string
	named     map[domain.Resource]int64
	service   control.ServiceChange
	draft     domain.Capsule
	pulled    string
	fail      error
	failAfter bool // the archive breaks after its first chunk
}

const (
	rowID   = "841b3a52-98e9-4a6b-bd7a-6f0d4a3f1c11"
	otherID = "6d0a2f4e-63a2-4dbe-9c86-0a1d1c5b8f22"
)

var moment = time.Date(2026, 11, 22, 19, 45, 23, 725710000, time.UTC)

func newStub() *stub {
	spec := domain.Spec{Name: "web-1", Image: "cirros", ImageDriver: "docker", CPU: 0.5, CPUPolicy: "shared", MemoryMB: 128,
		Restart: domain.RestartPolicy{Name: "on-failure", MaxRetries: 3}}
	nic := domain.Nic{PortID: "port-1", NetworkID: "net-1", Addresses: []domain.NicAddress{
		{SubnetID: "sub-4", Addr: netip.MustParseAddr("10.0.0.5")}, {SubnetID: "sub-6", Addr: netip.MustParseAddr("fd00::5")}}}
	return &stub{rows: []domain.Container{
		{ID: rowID, ProjectID: "p1", UserID: "u1", Spec: spec, Status: domain.Running, HostName: "node-1", Nics: []domain.Nic{nic}, CreatedAt: moment},
		{ID: otherID, ProjectID: "p1", UserID: "u1", Spec: spec, Status: domain.Stopped, CreatedAt: moment.Truncate(time.Second), UpdatedAt: moment},
	}}
}

func (s *stub) failing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail
}

func (s *stub) Create(_ context.Context, actor domain.Actor, req control.CreateRequest) (domain.Container, error) {
	s.created = req
	return domain.Container{ID: rowID, ProjectID: actor.ProjectID, UserID: actor.UserID, Spec: req.Spec, Status: domain.Creating, CreatedAt: moment}, s.failing()
}

func (s *stub) Get(_ context.Context, _ domain.Actor, ref control.Ref) (domain.Container, error) {
	for _, r := range s.rows {
		if ref.Ident == string(r.ID) || ref.Ident == r.Spec.Name {
			return r, s.failing()
		}
	}
	return domain.Container{}, domain.NewFault(domain.NotFound, "container-not-found", "Container %s could not be found.", ref.Ident)
}

func (s *stub) List(_ context.Context, _ domain.Actor, q control.ListRequest) ([]domain.Container, error) {
	s.listed = q
	switch {
	case q.Page.SortKey == "nosuch":
		return nil, domain.NewFault(domain.Invalid, "invalid-parameter-value", `The sort_key value "nosuch" is an invalid field for sorting`)
	case q.Page.Marker == "nosuch":
		return nil, domain.NewFault(domain.NotFound, "container-not-found", "Container nosuch could not be found.")
	}
	return s.rows[:min(len(s.rows), q.Page.Limit)], s.failing()
}

func (s *stub) Update(_ context.Context, _ domain.Actor, _ control.Ref, change control.Change) (domain.Container, error) {
	s.changed = change
	return s.rows[0], s.failing()
}

func (s *stub) Act(_ context.Context, _ domain.Actor, _ control.Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error) {
	s.verb, s.args = verb, args
	return s.rows[0], s.failing()
}

func (s *stub) Rewire(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error) {
	return s.Act(ctx, actor, ref, verb, args)
}

func (s *stub) Delete(_ context.Context, _ domain.Actor, _ control.Ref, how control.DeleteRequest) error {
	s.deleted = how
	return s.failing()
}

func (s *stub) Rename(context.Context, domain.Actor, control.Ref, string) (domain.Container, error) {
	return s.rows[0], s.failing()
}

func (s *stub) Logs(_ context.Context, _ domain.Actor, _ control.Ref, q domain.LogQuery, sink control.LogSink) error {
	s.logQuery = q
	if err := s.failing(); err != nil {
		return err
	}
	return sink(domain.Stdout, []byte("one\n\xfftwo <3\n"))
}

func (s *stub) ExecRun(_ context.Context, _ domain.Actor, _ control.Ref, command []string) (domain.ExecResult, error) {
	s.command = command
	return domain.ExecResult{Output: []byte("hi\n"), ExitCode: 3}, s.failing()
}

func (s *stub) ExecSession(context.Context, domain.Actor, control.Ref, []string, bool) (control.Session, error) {
	return control.Session{ExecID: "e1", URL: "ws://console/?token=t"}, s.failing()
}

func (s *stub) ExecResize(context.Context, domain.Actor, control.Ref, string, int, int) error {
	return s.failing()
}

func (s *stub) Attach(context.Context, domain.Actor, control.Ref) (control.Session, error) {
	return control.Session{URL: "ws://console/?token=t"}, s.failing()
}

func (s *stub) Resize(context.Context, domain.Actor, control.Ref, int, int) error { return s.failing() }

func (s *stub) Top(_ context.Context, _ domain.Actor, _ control.Ref, psArgs string) (domain.ProcessTable, error) {
	return domain.ProcessTable{Titles: []string{"PID", psArgs}}, s.failing()
}

func (s *stub) Stats(context.Context, domain.Actor, control.Ref) (domain.Container, domain.Stats, error) {
	return s.rows[0], domain.Stats{CPUPercent: 1.5, MemoryUsage: 1 << 20, MemoryLimit: 4 << 20, BlockRead: 1, BlockWrite: 2, NetRecv: 3, NetSent: 4}, s.failing()
}

func (s *stub) GetArchive(_ context.Context, _ domain.Actor, _ control.Ref, _ string, sink control.ByteSink) (domain.PathStat, error) {
	if err := s.failing(); err != nil {
		return domain.PathStat{}, err
	}
	for _, chunk := range []string{"ta", "r by", "tes"} {
		if err := sink([]byte(chunk)); err != nil {
			return domain.PathStat{}, err
		}
		if s.failAfter {
			return domain.PathStat{}, io.ErrUnexpectedEOF
		}
	}
	return domain.PathStat{Name: "f", Size: 9, Mtime: moment}, nil
}

func (s *stub) PutArchive(_ context.Context, _ domain.Actor, _ control.Ref, _ string, source control.ByteSource) error {
	text, err := io.ReadAll(source)
	s.put = string(text)
	if err != nil {
		return err
	}
	return s.failing()
}

func (s *stub) Discard(context.Context, string, string) error { return nil }

func (s *stub) Commit(context.Context, domain.Actor, control.Ref, string, string) (string, error) {
	return otherID, s.failing()
}

func (s *stub) Actions(context.Context, domain.Actor, control.Ref) ([]domain.Action, error) {
	return []domain.Action{{Container: rowID, Verb: domain.VerbCreate, RequestID: "req-1", StartedAt: moment}}, s.failing()
}

func (s *stub) Action(context.Context, domain.Actor, control.Ref, string) (domain.Action, []domain.Event, error) {
	return domain.Action{Container: rowID, Verb: domain.VerbCreate, RequestID: "req-1", StartedAt: moment, Message: "Error"},
		[]domain.Event{{Name: "compute__do_container_create", Result: "Error", Details: "secret", StartedAt: moment}}, s.failing()
}

// fleet, limits and registries are small stubs of their own, since method names meet.
type fleet struct{ *stub }

func (f fleet) host() domain.Host {
	return domain.Host{ID: otherID, Name: "node-1", Binary: "zun-compute", LastSeenUp: moment, CreatedAt: moment,
		Inventory: domain.Inventory{CPUs: 2, MemoryMB: 1024, OS: "Debian"}}
}

func (f fleet) Hosts(context.Context, control.Page) ([]domain.Host, error) {
	return []domain.Host{f.host()}, f.failing()
}

func (f fleet) Host(_ context.Context, ident string) (domain.Host, error) {
	if ident != "node-1" && ident != otherID {
		return domain.Host{}, domain.NewFault(domain.NotFound, "compute-node-not-found", "Compute node %s could not be found.", ident)
	}
	return f.host(), f.failing()
}

func (f fleet) Zones(context.Context) ([]string, error) { return []string{"az1", "nova"}, f.failing() }

func (f fleet) SetService(_ context.Context, host, binary string, change control.ServiceChange) (domain.Host, error) {
	f.service = change
	if host != "node-1" {
		return domain.Host{}, domain.NewFault(domain.NotFound, "zun-service-not-found", "Zun service %s on host %s could not be found.", binary, host)
	}
	return f.host(), f.failing()
}

func (f fleet) DeleteService(context.Context, string, string) error { return f.failing() }

func (f fleet) Admissions(context.Context) ([]domain.Admission, error) {
	return []domain.Admission{
		{Role: domain.PeerHost, Name: "node-1", ID: otherID, Epoch: 2, Since: moment}, {Role: domain.PeerDoor, Name: "east", ID: "d", Epoch: 2, Since: moment, RevokedAt: moment},
	}, f.failing()
}

func (f fleet) Revoke(_ context.Context, ident string) error {
	if ident != "east" {
		return domain.NewFault(domain.NotFound, "admission-not-found", "Admission %s could not be found.", ident)
	}
	return f.failing()
}

func (f fleet) Liveness(context.Context) (time.Time, time.Duration, error) {
	return moment.Add(time.Minute), 3 * time.Minute, f.failing()
}

type limits struct{ *stub }

var defaultLimits = domain.Quota{Containers: 40, CPU: 20, MemoryMB: 51200, DiskGB: 100}

func (l limits) Quota(context.Context, string) (domain.Quota, error) {
	return defaultLimits, l.failing()
}

func (l limits) Usage(context.Context, string) (domain.Claim, error) {
	return domain.Claim{Containers: 1, CPU: 0.5, MemoryMB: 128}, l.failing()
}
func (l limits) Defaults(context.Context) (domain.Quota, error) { return defaultLimits, l.failing() }
func (l limits) SetQuota(_ context.Context, _ string, named map[domain.Resource]int64) (domain.Quota, error) {
	l.named = named
	return defaultLimits, l.failing()
}
func (l limits) DeleteQuota(context.Context, string) error { return l.failing() }
func (l limits) Class(context.Context, string) (domain.Quota, error) {
	return defaultLimits, l.failing()
}

func (l limits) SetClass(_ context.Context, _ string, named map[domain.Resource]int64) (domain.Quota, error) {
	l.named = named
	return defaultLimits, l.failing()
}

type registries struct{ *stub }

func (g registries) row() domain.Registry {
	return domain.Registry{ID: otherID, ProjectID: "p1", UserID: "u1", Name: "reg1", Domain: "reg.example.org:5000"}
}

func (g registries) CreateRegistry(_ context.Context, actor domain.Actor, r domain.Registry, _ string) (domain.Registry, error) {
	r.ID, r.ProjectID, r.UserID = otherID, actor.ProjectID, actor.UserID
	return r, g.failing()
}

func (g registries) Registry(_ context.Context, _ domain.Actor, ident string) (domain.Registry, error) {
	if ident != "reg1" && ident != otherID {
		return domain.Registry{}, domain.NewFault(domain.NotFound, "registry-not-found", "Registry %s could not be found.", ident)
	}
	return g.row(), g.failing()
}

func (g registries) Registries(context.Context, domain.Actor, bool, map[string]string, control.Page) ([]domain.Registry, error) {
	return []domain.Registry{g.row()}, g.failing()
}

func (g registries) UpdateRegistry(context.Context, domain.Actor, string, control.RegistryChange) (domain.Registry, error) {
	return g.row(), g.failing()
}

func (g registries) DeleteRegistry(context.Context, domain.Actor, string) error { return g.failing() }

type capsules struct{ *stub }

func (k capsules) row(draft domain.Capsule) domain.Capsule {
	draft.Group.ID, draft.Group.ProjectID, draft.Group.UserID = otherID, "p1", "u1"
	draft.Group.Status, draft.Group.CreatedAt = domain.Creating, moment
	return draft
}

func (k capsules) CreateCapsule(_ context.Context, _ domain.Actor, draft domain.Capsule) (domain.Capsule, error) {
	k.draft = draft
	return k.row(draft), k.failing()
}

func (k capsules) Capsule(_ context.Context, _ domain.Actor, ref control.Ref) (domain.Capsule, error) {
	if ref.Ident != "cap-1" && ref.Ident != "web-1" && ref.Ident != otherID {
		return domain.Capsule{}, domain.NewFault(domain.NotFound, "container-not-found", "Container %s could not be found.", ref.Ident)
	}
	return k.row(domain.Capsule{Group: domain.Container{Spec: domain.Spec{Name: "cap-1", Restart: domain.RestartPolicy{Name: "always"}}}}), k.failing()
}

func (k capsules) Capsules(context.Context, domain.Actor, bool, control.Page) ([]domain.Capsule, error) {
	return []domain.Capsule{k.row(domain.Capsule{})}, k.failing()
}

func (k capsules) DeleteCapsule(context.Context, domain.Actor, control.Ref) error { return k.failing() }

type images struct{ *stub }

func (i images) row() domain.Image {
	return domain.Image{ID: otherID, ProjectID: "p0", Repo: "busybox", Tag: "1.36", HostName: "node-1"}
}

func (i images) PullImage(_ context.Context, _ domain.Actor, reference, host string) (domain.Image, error) {
	i.pulled = reference + " to " + host
	return i.row(), i.failing()
}

func (i images) Image(_ context.Context, id string) (domain.Image, error) {
	if id != otherID && id != "web-1" {
		return domain.Image{}, domain.NewFault(domain.Invalid, "image-not-found", "Image %s could not be found.", id)
	}
	done := i.row()
	done.ImageID, done.Size = "sha256:1", "1984132"
	return done, i.failing()
}

func (i images) Images(context.Context, control.ImageQuery) ([]domain.Image, error) {
	return []domain.Image{i.row()}, i.failing()
}

func (i images) DeleteImage(context.Context, string) error { return i.failing() }

func (i images) SearchImages(_ context.Context, term string, exact bool) ([]domain.FoundImage, error) {
	found := []domain.FoundImage{{Name: term, Official: true, Stars: 3}}
	if !exact {
		found = append(found, domain.FoundImage{Name: "x/" + term})
	}
	return found, i.failing()
}

// identity knows three tokens.
type identity struct{}

func (identity) Authenticate(_ context.Context, token string) (domain.Actor, error) {
	switch token {
	case "member":
		return domain.Actor{UserID: "u1", ProjectID: "p1", Roles: []string{"member"}}, nil
	case "admin":
		return domain.Actor{UserID: "root", ProjectID: "p0", Roles: []string{"admin"}}, nil
	case "down":
		return domain.Actor{}, domain.NewFault(domain.Unavailable, "identity-unavailable", "The identity service does not answer.")
	default:
		return domain.Actor{}, domain.NewFault(domain.Unauthenticated, "", "unknown token")
	}
}

func (identity) Challenge() string { return `Keystone uri="http://127.0.0.1:5000/v3"` }

// policy has the defaults in short: admins may all but privileged, members what is
// their project's unless a rule is an administrator's.
type policy struct{}

func (policy) Allowed(rule string, actor domain.Actor, on rest.Target) bool {
	if rule == "container:create:privileged" {
		return false
	}
	if slices.Contains(actor.Roles, "admin") {
		return true
	}
	for _, word := range []string{"context_is_admin", "zun-service:", "admission:", "host:", "all_projects", "container:get_one:", "container:create:",
		"image:pull", "image:get", "image:delete", "network:", "delete_force", "quota:update", "quota:delete", "quota_class:", "action:events"} {
		if strings.Contains(rule, word) {
			return false
		}
	}
	return on.ProjectID == actor.ProjectID
}
