package sqlstore

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type hosts struct{ *tx }

func hostFields(h *domain.Host) []column.Field {
	return slices.Concat(registrationFields(h), inventoryFields(&h.Inventory), serviceFields(h), []column.Field{
		column.Moment("last_seen_up", &h.LastSeenUp),
		column.Number("report_count", &h.ReportCount),
		column.Number("revision", &h.Revision),
	}, usedFields(&h.Used))
}

// usedFields are the sum of the claims on a host.
func usedFields(c *domain.Claim) []column.Field {
	return []column.Field{
		column.Number("total_containers", &c.Containers),
		column.CPUs("cpu_used", &c.CPU),
		column.Number("mem_used", &c.MemoryMB),
		column.Number("disk_used", &c.DiskGB),
	}
}

// registrationFields are what a joining agent says of itself.
func registrationFields(h *domain.Host) []column.Field {
	return []column.Field{
		column.Text("uuid", &h.ID).As(column.Fixed),
		column.Text("hostname", &h.Name),
		column.Text("service_binary", &h.Binary),
		column.Text("address", &h.Address),
		column.Text("availability_zone", &h.Zone),
		column.Text("boot_id", &h.BootID),
		column.Moment("created_at", &h.CreatedAt).As(column.Created),
		column.Moment("updated_at", &h.UpdatedAt).As(column.Changed),
	}
}

func inventoryFields(i *domain.Inventory) []column.Field {
	return []column.Field{
		column.Number("cpus", &i.CPUs),
		column.Number("mem_total", &i.MemoryMB),
		column.Number("disk_total", &i.DiskGB),
		column.Text("architecture", &i.Architecture),
		column.Text("os_type", &i.OSType),
		column.Text("os", &i.OS),
		column.Text("kernel_version", &i.Kernel),
		column.Document("labels", &i.Labels),
		column.Document("runtimes", &i.Runtimes),
		column.Flag("disk_quota_supported", &i.DiskQuota),
		column.Flag("enable_cpu_pinning", &i.CPUPinning),
		column.Text("engine_name", &i.EngineName),
		column.Text("engine_version", &i.EngineVersion),
		column.Flag("engine_up", &i.EngineUp),
		column.Text("engine_reason", &i.EngineReason),
		column.Text("volume_limit", &i.VolumeLimit),
		column.Text("volume_reason", &i.VolumeReason),
		column.Document("devices", &i.Devices),
		column.Document("memory_nodes", &i.MemoryNodes),
	}
}

// serviceFields are the operator's switches.
func serviceFields(h *domain.Host) []column.Field {
	return []column.Field{
		column.Flag("disabled", &h.Disabled),
		column.Text("disabled_reason", &h.DisabledReason),
		column.Flag("forced_down", &h.ForcedDown),
	}
}

func hostListing() clause.Listing {
	return clause.Listing{
		Table: "hosts", DefaultKey: "hostname", Missing: hostNotFound,
		Keys: []string{
			"id", "uuid", "hostname", "cpus", "cpu_used", "mem_total", "mem_used", "disk_total", "disk_used", "total_containers",
			"architecture", "os_type", "os", "kernel_version", "disk_quota_supported", "enable_cpu_pinning", "created_at", "updated_at",
		},
	}
}

func hostNotFound(ident string) error {
	return notFound("compute-node-not-found", "Compute node", ident)
}

func (s hosts) Upsert(ctx context.Context, h domain.Host) error {
	known := slices.Concat(registrationFields(&h), inventoryFields(&h.Inventory))
	matched, err := s.update(ctx, "hosts", known, "uuid = ?", h.ID)
	if err == nil && matched == 0 {
		h.Revision, h.Used = 0, domain.Claim{}
		err = s.insert(ctx, "hosts", hostFields(&h))
	}
	if s.meant(err, dialect.Duplicate) {
		return domain.WrapFault(err, domain.Conflict, "conflict", "A compute node called %s already exists.", h.Name)
	}
	return err
}

func (s hosts) Get(ctx context.Context, ident string) (domain.Host, error) {
	return one(ctx, s.tx, hostNotFound(ident), hostFields, "FROM hosts WHERE uuid = ? OR hostname = ?", ident, ident)
}

func (s hosts) List(ctx context.Context, p control.Page) ([]domain.Host, error) {
	tail, args, err := s.page(ctx, hostListing(), clause.Where{}, p)
	if err != nil {
		return nil, err
	}
	return rows(ctx, s.tx, hostFields, tail, args...)
}

func (s hosts) Beat(ctx context.Context, b domain.Beat) error {
	sets, args, err := column.Changes(append(inventoryFields(&b.Inventory), column.Text("boot_id", &b.BootID)))
	if err != nil {
		return err
	}
	return s.change(ctx, b.HostID, sets+", last_seen_up = @now, updated_at = @now, report_count = report_count + 1", args...)
}

func (s hosts) SetService(ctx context.Context, hostID string, change control.ServiceChange) error {
	var at time.Time
	fields := []column.Field{column.Moment("updated_at", &at).As(column.Changed)}
	if change.Disabled != nil {
		fields = append(fields, column.Flag("disabled", change.Disabled))
	}
	if change.DisabledReason != nil {
		fields = append(fields, column.Text("disabled_reason", change.DisabledReason))
	}
	if change.ForcedDown != nil {
		fields = append(fields, column.Flag("forced_down", change.ForcedDown))
	}
	sets, args, err := column.Changes(fields)
	if err != nil {
		return err
	}
	return s.change(ctx, hostID, sets, args...)
}

// change runs an UPDATE of one host, which must exist.
func (s hosts) change(ctx context.Context, hostID, sets string, args ...any) error {
	matched, err := s.exec(ctx, "UPDATE hosts SET "+sets+" WHERE uuid = ?", append(args, hostID)...)
	if err == nil && matched == 0 {
		err = hostNotFound(hostID)
	}
	return err
}

func (s hosts) Claim(ctx context.Context, hostID string, c, limit domain.Claim) error {
	open := "" // what a host has may grow while it is disabled, but nothing new comes
	if c.Containers > 0 {
		open = " AND disabled = FALSE"
	}
	cpu, cpuLimit := column.Millionths(c.CPU), column.Millionths(limit.CPU)
	matched, err := s.exec(ctx, `UPDATE hosts SET total_containers = total_containers + ?, cpu_used = cpu_used + ?,
		mem_used = mem_used + ?, disk_used = disk_used + ?
		WHERE uuid = ? AND total_containers <= ? AND cpu_used <= ? AND mem_used <= ? AND disk_used <= ?`+open,
		c.Containers, cpu, c.MemoryMB, c.DiskGB, hostID,
		room(c.Containers, limit.Containers), room(cpu, cpuLimit), room(c.MemoryMB, limit.MemoryMB), room(c.DiskGB, limit.DiskGB))
	if err != nil || matched > 0 {
		return err
	}
	host, err := s.Get(ctx, hostID)
	if err != nil {
		return err
	}
	if host.Disabled && c.Containers > 0 {
		return domain.NewFault(domain.Conflict, "host-full", "Compute node %s is disabled.", host.Name)
	}
	return domain.NewFault(domain.Conflict, "host-full", "Compute node %s has not enough room left.", host.Name)
}

// room is how much may be in use already for part to fit below limit. What is given
// back always fits, and a negative limit bounds nothing.
func room(part, limit int64) int64 {
	if part <= 0 || limit < 0 {
		return math.MaxInt64
	}
	return limit - part
}

func (s hosts) Delete(ctx context.Context, hostID string) error {
	_, err := s.exec(ctx, "DELETE FROM hosts WHERE uuid = ?", hostID)
	return err
}

func (s hosts) Now(ctx context.Context) (now time.Time, err error) {
	err = s.scalar(ctx, []any{column.Moment("now", &now)}, "SELECT @now")
	return now, err
}

// advanced raises the host's revision, returns the host with it, and keeps its row until
// the transaction ends.
func (t *tx) advanced(ctx context.Context, hostID string) (domain.Host, error) {
	hosts, err := changed(ctx, t, hostFields, "hosts SET revision = revision + 1", "uuid = ?", hostID)
	if err == nil && len(hosts) == 0 {
		err = hostNotFound(hostID)
	}
	if err != nil {
		return domain.Host{}, err
	}
	return hosts[0], nil
}
