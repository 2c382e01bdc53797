package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type containers struct{ *tx }

func containerFields(c *domain.Container) []column.Field {
	return slices.Concat(identityFields(c), specFields(&c.Spec), stateFields(c))
}

func identityFields(c *domain.Container) []column.Field {
	return []column.Field{
		column.Text("uuid", &c.ID).As(column.Fixed),
		column.Number("container_type", &c.Kind).As(column.Fixed),
		column.Text("capsule_uuid", &c.CapsuleID).As(column.Fixed),
		column.Text("project_id", &c.ProjectID).As(column.Fixed),
		column.Text("user_id", &c.UserID).As(column.Fixed),
		column.Moment("created_at", &c.CreatedAt).As(column.Created),
		column.Moment("updated_at", &c.UpdatedAt).As(column.Changed),
	}
}

func specFields(s *domain.Spec) []column.Field {
	volumes := domain.VolumeGB(s.Mounts) // once more as a figure, so that usage can be summed
	return []column.Field{
		column.Text("name", &s.Name),
		column.Text("image", &s.Image),
		column.Text("own_image", &s.OwnImage),
		column.Text("image_driver", &s.ImageDriver),
		column.Text("image_pull_policy", &s.PullPolicy),
		column.Text("pull_policy_asked", &s.PullPolicyAsked),
		column.Reference("registry_uuid", &s.RegistryID),
		column.Document("command", &s.Command),
		column.Document("entrypoint", &s.Entrypoint),
		column.Document("environment", &s.Environment),
		column.Document("labels", &s.Labels).As(column.Fixed), // container_labels repeats them
		column.Document("annotations", &s.Annotations),
		column.Text("workdir", &s.Workdir),
		column.Text("hostname_asked", &s.Hostname),
		column.Decimal("cpu", &s.CPU),
		column.Text("cpu_policy", &s.CPUPolicy),
		column.Number("memory", &s.MemoryMB),
		column.Number("disk", &s.DiskGB),
		column.Document("restart_policy", &s.Restart),
		column.Flag("auto_remove", &s.AutoRemove),
		column.Flag("auto_heal", &s.AutoHeal),
		column.Flag("interactive", &s.Interactive),
		column.Flag("tty", &s.TTY),
		column.Flag("privileged", &s.Privileged),
		column.Text("runtime", &s.Runtime),
		column.Document("healthcheck", &s.Healthcheck),
		column.Document("exposed_ports", &s.ExposedPorts),
		column.Document("security_groups", &s.SecurityGroups),
		column.Document("mounts", &s.Mounts),
		column.Number("volume_gb", &volumes),
		column.Document("nets", &s.Nets),
		column.Document("hints", &s.Hints),
		column.Text("zone_asked", &s.Zone),
		column.Text("host_asked", &s.RequestedHost),
	}
}

func stateFields(c *domain.Container) []column.Field {
	return []column.Field{
		column.Text("status", &c.Status),
		column.Text("former_status", &c.FormerStatus),
		column.Text("status_reason", &c.StatusReason),
		column.Text("status_detail", &c.StatusDetail),
		column.Text("task_state", &c.TaskState),
		column.Text("host_uuid", &c.HostID),
		column.Text("host", &c.HostName),
		column.Number("generation", &c.Generation),
		column.Flag("ever_created", &c.EverCreated),
		column.Number("revision", &c.Revision).As(column.Fixed), // Assign alone moves it
		column.Flag("want_absent", &c.Want.Absent),
		column.Flag("want_running", &c.Want.Running),
		column.Flag("want_paused", &c.Want.Paused),
		column.Document("nics", &c.Nics),
		column.Document("resolved", &c.Resolved),
		column.Document("volumes", &c.Volumes),
		column.Text("cpuset_cpus", &c.CPUSet.CPUs),
		column.Text("cpuset_mems", &c.CPUSet.MemoryNodes),
		column.Text("container_id", &c.EngineID),
		column.Text("hostname", &c.Hostname),
		column.Document("ports", &c.Ports),
		column.Optional("exit_code", &c.ExitCode),
		column.Text("health", &c.Health),
		column.Number("restarts", &c.Restarts),
		column.Moment("started_at", &c.StartedAt),
	}
}

func containerListing() clause.Listing {
	return clause.Listing{
		Table: "containers", DefaultKey: "id", Missing: containerNotFound,
		Keys: []string{
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
	fields := containerFields(&c)
	if !c.CreatedAt.IsZero() {
		column.Recast(fields, "created_at", column.Fixed)
	}
	if err := s.insert(ctx, "containers", fields); err != nil {
		if s.meant(err, dialect.Duplicate) {
			return domain.WrapFault(err, domain.Conflict, "container-already-exists", "A container with id %s already exists.", c.ID)
		}
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Spec.Labels)) {
		value := c.Spec.Labels[name]
		label := []column.Field{column.Text("container_uuid", &c.ID), column.Text("name", &name), column.Text("value", &value)}
		if err := s.insert(ctx, "container_labels", label); err != nil {
			return err
		}
	}
	return nil
}

func (s containers) Get(ctx context.Context, scope control.Scope, id domain.ContainerID) (domain.Container, error) {
	missing := containerNotFound(string(id))
	// The uuid alone is asked for: a planner that knows no figures of the table yet may
	// take a part of the scope for more telling than what is unique.
	const tail = "FROM containers WHERE uuid = ?"
	var found domain.Container
	var err error
	if s.glances {
		found, err = s.glance(ctx, missing, tail, string(id))
	} else {
		found, err = one(ctx, s.tx, missing, containerFields, tail+s.locks, string(id))
	}
	if err == nil && !clause.Covers(scope, &found) {
		return domain.Container{}, missing
	}
	return found, err
}

func (s containers) ByName(ctx context.Context, scope control.Scope, name string) ([]domain.Container, error) {
	where := clause.Within(scope)
	where.Add("name = ?", name)
	return rows(ctx, s.tx, containerFields, "FROM containers"+where.String()+" LIMIT 2"+s.locks, where.Args...)
}

func (s containers) List(ctx context.Context, q control.ContainerQuery) ([]domain.Container, error) {
	where := clause.Within(q.Scope)
	if q.HostID != "" {
		where.Add("host_uuid = ?", q.HostID)
		if q.SinceRevision != nil {
			where.Add("revision > ?", *q.SinceRevision)
		}
	}
	if len(q.IDs) > 0 {
		clause.Among(&where, "uuid", q.IDs)
	}
	if len(q.Capsules) > 0 {
		clause.Among(&where, "capsule_uuid", q.Capsules)
	}
	if q.Dedicated {
		where.Add("cpuset_cpus <> ''")
	}
	if q.OwnImage != "" {
		where.Add("own_image = ?", q.OwnImage)
	}
	clause.Choose(&where, q.Filters)
	if err := s.snapshot(ctx); err != nil {
		return nil, err
	}
	tail, args, err := s.page(ctx, containerListing(), where, q.Page)
	if err != nil {
		return nil, err
	}
	if s.glances {
		return s.shelved(ctx, tail, args...)
	}
	return rows(ctx, s.tx, containerFields, tail, args...)
}

func (s containers) Update(ctx context.Context, c domain.Container) error {
	return s.write(ctx, &c, containerFields(&c))
}

// write writes fields, which are those of c.
func (s containers) write(ctx context.Context, c *domain.Container, fields []column.Field) error {
	sets, args, err := column.Changes(fields)
	if err != nil {
		return err
	}
	matched, err := s.exec(ctx, "UPDATE containers SET "+sets+", version = version + 1 WHERE uuid = ?", append(args, string(c.ID))...)
	if err == nil && matched == 0 {
		err = containerNotFound(string(c.ID))
	}
	return err
}

// Assign locks the host's row until the transaction ends, so that revisions become
// visible in their order and a reader of "all above n" misses none.
func (s containers) Assign(ctx context.Context, c domain.Container) (domain.Host, error) {
	if c.HostID == "" {
		return domain.Host{}, s.Update(ctx, c)
	}
	host, err := s.advanced(ctx, c.HostID)
	if domain.IsKind(err, domain.NotFound) {
		return domain.Host{}, s.Update(ctx, c)
	}
	if err != nil {
		return domain.Host{}, err
	}
	c.Revision = host.Revision
	fields := containerFields(&c)
	column.Recast(fields, "revision", column.Mutable)
	return host, s.write(ctx, &c, fields)
}

func (s containers) Delete(ctx context.Context, id domain.ContainerID) error {
	_, err := s.exec(ctx, "DELETE FROM containers WHERE uuid = ?", string(id))
	return err
}

func (s containers) Tombstones() control.Tombstones { return tombstones(s) }
