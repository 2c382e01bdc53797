package view

import (
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// DefaultZone is shown for a service whose host names no zone.
const DefaultZone = "nova"

// Service shows the agent of h at now; number is its place in the list, which
// stands for the row number that clients display.
func Service(h domain.Host, number int64, now time.Time, downAfter time.Duration) api.Service {
	shown := api.Service{
		ID: number, Host: h.Name, Binary: h.Binary, State: "down",
		Disabled: h.Disabled, DisabledReason: text(h.DisabledReason), ForcedDown: h.ForcedDown,
		ReportCount: h.ReportCount, AvailabilityZone: h.Zone,
		LastSeenUp: optionalTime(h.LastSeenUp, joined), CreatedAt: optionalTime(h.CreatedAt, joined), UpdatedAt: optionalTime(h.UpdatedAt, joined),
	}
	if h.Up(now, downAfter) {
		shown.State = "up"
	}
	if shown.AvailabilityZone == "" {
		shown.AvailabilityZone = DefaultZone
	}
	return shown
}

// Host shows a compute node.
func Host(b Base, h domain.Host) api.Host {
	return api.Host{
		UUID: h.ID, Links: b.Links("hosts", h.ID), Hostname: h.Name,
		MemTotal: h.Inventory.MemoryMB, MemUsed: h.Used.MemoryMB, TotalContainers: h.Used.Containers,
		CPUs: h.Inventory.CPUs, CPUUsed: h.Used.CPU,
		Architecture: text(h.Inventory.Architecture), OSType: text(h.Inventory.OSType), OS: text(h.Inventory.OS), KernelVersion: text(h.Inventory.Kernel),
		Labels: fullMap(h.Inventory.Labels), DiskTotal: h.Inventory.DiskGB, DiskUsed: h.Used.DiskGB,
		DiskQuotaSupported: h.Inventory.DiskQuota, Runtimes: full(h.Inventory.Runtimes), EnableCPUPinning: h.Inventory.CPUPinning,
	}
}

// Admission shows who may speak on the link.
func Admission(a domain.Admission) api.Admission {
	return api.Admission{
		Role: string(a.Role), Name: a.Name, UUID: a.ID, Epoch: a.Epoch, Revoked: a.Revoked(),
		Since: optionalTime(a.Since, joined), RevokedAt: optionalTime(a.RevokedAt, joined),
	}
}

// Quota shows limits.
func Quota(q domain.Quota) api.Quota {
	return api.Quota{Containers: q.Containers, Memory: q.MemoryMB, Disk: q.DiskGB, CPU: q.CPU}
}

// QuotaUsage shows limits with what is used of them.
func QuotaUsage(q domain.Quota, used domain.Claim) api.QuotaUsage {
	return api.QuotaUsage{
		Containers: api.Usage{Limit: q.Containers, InUse: float64(used.Containers)},
		Memory:     api.Usage{Limit: q.MemoryMB, InUse: float64(used.MemoryMB)},
		Disk:       api.Usage{Limit: q.DiskGB, InUse: float64(used.DiskGB)},
		CPU:        api.Usage{Limit: q.CPU, InUse: used.CPU},
	}
}

// hiddenPassword is shown for every registry, even one without a password.
const hiddenPassword = "***"

// Registry shows r without links.
func Registry(r domain.Registry) api.Registry {
	return api.Registry{
		UUID: r.ID, Name: text(r.Name), ProjectID: r.ProjectID, UserID: r.UserID,
		Domain: r.Domain, Username: text(r.Username), Password: hiddenPassword,
	}
}
