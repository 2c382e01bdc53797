package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type containers struct{ *tx }

func containerFields(c *domain.Container) []field {
	return slices.Concat(identityFields(c), specFields(&c.Spec), stateFields(c))
}

func identityFields(c *domain.Container) []field {
	return []field{
		text("uuid", &c.ID).as(fixed),
		number("container_type", &c.Kind).as(fixed),
		text("capsule_uuid", &c.CapsuleID).as(fixed),
		text("project_id", &c.ProjectID).as(fixed),
		text("user_id", &c.UserID).as(fixed),
		moment("created_at", &c.CreatedAt).as(created),
		moment("updated_at", &c.UpdatedAt).as(changed),
	}
}

func specFields(s *domain.Spec) []field {
	return []field{
		text("name", &s.Name),
		text("image", &s.Image),
		text("image_driver", &s.ImageDriver),
		text("image_pull_policy", &s.PullPolicy),
		text("pull_policy_asked", &s.PullPolicyAsked),
		reference("registry_uuid", &s.RegistryID),
		document("command", &s.Command),
		document("entrypoint", &s.Entrypoint),
		document("environment", &s.Environment),
		document("labels", &s.Labels).as(fixed), // container_labels repeats them
		document("annotations", &s.Annotations),
		text("workdir", &s.Workdir),
		text("hostname_asked", &s.Hostname),
		decimal("cpu", &s.CPU),
		text("cpu_policy", &s.CPUPolicy),
		number("memory", &s.MemoryMB),
		number("disk", &s.DiskGB),
		document("restart_policy", &s.Restart),
		flag("auto_remove", &s.AutoRemove),
		flag("auto_heal", &s.AutoHeal),
		flag("interactive", &s.Interactive),
		flag("tty", &s.TTY),
		flag("privileged", &s.Privileged),
		text("runtime", &s.Runtime),
		document("healthcheck", &s.Healthcheck),
		document("exposed_ports", &s.ExposedPorts),
		document("security_groups", &s.SecurityGroups),
		document("mounts", &s.Mounts),
		document("nets", &s.Nets),
		document("hints", &s.Hints),
		text("zone_asked", &s.Zone),
		text("host_asked", &s.RequestedHost),
	}
}

func stateFields(c *domain.Container) []field {
	return []field{
		text("status", &c.Status),
		text("former_status", &c.FormerStatus),
		text("status_reason", &c.StatusReason),
		text("status_detail", &c.StatusDetail),
		text("task_state", &c.TaskState),
		text("host_uuid", &c.HostID),
		text("host", &c.HostName),
		number("generation", &c.Generation),
		flag("ever_created", &c.EverCreated),
		number("revision", &c.Revision).as(fixed), // Touch alone moves it
		flag("want_absent", &c.Want.Absent),
		flag("want_running", &c.Want.Running),
		flag("want_paused", &c.Want.Paused),
		document("nics", &c.Nics),
		document("resolved", &c.Resolved),
		text("container_id", &c.EngineID),
		text("hostname", &c.Hostname),
		document("ports", &c.Ports),
		optional("exit_code", &c.ExitCode),
		text("health", &c.Health),
		number("restarts", &c.Restarts),
		moment("started_at", &c.StartedAt),
	}
}

func containerListing() listing {
	return listing{
		table: "containers", defaultKey: "id", missing: containerNotFound,
		keys: []string{
			"id", "uuid", "name", "project_id", "user_id", "image", "image_driver", "image_pull_policy", "cpu", "cpu_policy",
			"memory", "disk", "workdir", "hostname", "status", "status_reason", "status_detail", "task_state", "host", "runtime",
			"interactive", "tty", "auto_remove", "auto_heal", "privileged", "container_id", "container_type",
			"started_at", "created_at", "updated_at",
		},
	}
}

func containerNotFound(ident string) error {
	return notFound("container-not-found", "Container", ident)
}

func (s containers) Insert(ctx context.Context, c domain.Container) error {
	if err := s.insert(ctx, "containers", containerFields(&c)); err != nil {
		if s.meant(err, duplicate) {
			return domain.WrapFault(err, domain.Conflict, "container-already-exists", "A container with id %s already exists.", c.ID)
		}
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Spec.Labels)) {
		value := c.Spec.Labels[name]
		label := []field{text("container_uuid", &c.ID), text("name", &name), text("value", &value)}
		if err := s.insert(ctx, "container_labels", label); err != nil {
			return err
		}
	}
	return nil
}

func (s containers) Get(ctx context.Context, scope control.Scope, id domain.ContainerID) (domain.Container, error) {
	where := within(scope)
	where.add("uuid = ?", string(id))
	return one(ctx, s.tx, containerNotFound(string(id)), containerFields, "FROM containers"+where.String()+s.locks, where.args...)
}

func (s containers) ByName(ctx context.Context, scope control.Scope, name string) ([]domain.Container, error) {
	where := within(scope)
	where.add("name = ?", name)
	return rows(ctx, s.tx, containerFields, "FROM containers"+where.String()+" ORDER BY id LIMIT 2"+s.locks, where.args...)
}

func (s containers) List(ctx context.Context, q control.ContainerQuery) ([]domain.Container, error) {
	where := within(q.Scope)
	if q.HostID != "" {
		where.add("host_uuid = ?", q.HostID)
		if q.SinceRevision != nil {
			where.add("revision > ?", *q.SinceRevision)
		}
	}
	where.filter(q.Filters)
	tail, args, err := s.page(ctx, containerListing(), where, q.Page)
	if err != nil {
		return nil, err
	}
	return rows(ctx, s.tx, containerFields, tail, args...)
}

// within is the condition that a scope sets.
func within(scope control.Scope) condition {
	var where condition
	if !scope.AllProjects {
		where.add("project_id = ?", scope.ProjectID)
	}
	kinds := scope.Kinds
	if len(kinds) == 0 {
		kinds = []domain.ContainerKind{domain.KindContainer}
	}
	among(&where, "container_type", kinds)
	return where
}

func (c *condition) filter(f control.ContainerFilters) {
	c.equal("name", f.Name)
	c.equal("image", f.Image)
	c.equal("project_id", f.ProjectID)
	c.equal("user_id", f.UserID)
	c.equal("host", f.Host)
	c.equal("task_state", f.TaskState)
	c.equal("status", f.Status)
	if f.Memory != nil {
		megabytes, err := strconv.ParseInt(*f.Memory, 10, 64)
		if err != nil {
			megabytes = -1 // which no container has, and nothing else equals it either
		}
		c.add("memory = ?", megabytes)
	}
	if f.AutoRemove != nil {
		c.add("auto_remove = ?", *f.AutoRemove)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Labels)) {
		c.add("uuid IN (SELECT container_uuid FROM container_labels l WHERE l.name = ? AND l.value = ?)", name, f.Labels[name])
	}
}

func (s containers) Update(ctx context.Context, c domain.Container) error {
	matched, err := s.update(ctx, "containers", containerFields(&c), "uuid = ?", string(c.ID))
	if err == nil && matched == 0 {
		err = containerNotFound(string(c.ID))
	}
	return err
}

// Touch locks the host's row until the transaction ends, so that revisions become
// visible in their order and a reader of "all above n" misses none. A container
// that is not placed has no revision; 0 is returned.
func (s containers) Touch(ctx context.Context, id domain.ContainerID) (int64, error) {
	var hostID string
	err := s.scalar(ctx, &hostID, "SELECT host_uuid FROM containers WHERE uuid = ?", string(id))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, containerNotFound(string(id))
	}
	if err != nil || hostID == "" {
		return 0, err
	}
	revision, err := s.nextRevision(ctx, hostID)
	if err != nil {
		return 0, err
	}
	_, err = s.exec(ctx, "UPDATE containers SET revision = ? WHERE uuid = ?", revision, string(id))
	return revision, err
}

func (s containers) Delete(ctx context.Context, id domain.ContainerID) error {
	_, err := s.exec(ctx, "DELETE FROM containers WHERE uuid = ?", string(id))
	return err
}

func (s containers) Tombstones() control.Tombstones { return tombstones{s.tx} }
