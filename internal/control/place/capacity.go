package place

import (
	"math"

	"github.com/go-zun/zun/internal/domain"
)

// Ratios say how far a host's resources are handed out beyond what it has, and
// how much the host keeps for itself before that.
type Ratios struct {
	CPU, RAM, Disk   float64
	ReservedCPUs     int
	ReservedMemoryMB int64
	ReservedDiskGB   int64
}

// Capacity returns what may be claimed of h in all. Containers are not bounded.
func (r Ratios) Capacity(h *domain.Host) domain.Claim {
	inv := h.Inventory
	return domain.Claim{
		Containers: math.MaxInt32,
		CPU:        float64(max(0, inv.CPUs-r.ReservedCPUs)) * r.CPU,
		MemoryMB:   int64(float64(max(0, inv.MemoryMB-r.ReservedMemoryMB)) * r.RAM),
		DiskGB:     int64(float64(max(0, inv.DiskGB-r.ReservedDiskGB)) * r.Disk),
	}
}
