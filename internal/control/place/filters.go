package place

import (
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// Filter turns hosts away that cannot take a container at all.
type Filter struct {
	Name   string
	Passes func(s *Snapshot, h *domain.Host, n *Need) bool
}

// Filters lists the filters in the order in which they are asked: the cheap and
// the selective ones first.
func Filters() []Filter {
	return []Filter{
		{"requested host", func(_ *Snapshot, h *domain.Host, n *Need) bool { return n.Host == "" || n.Host == h.Name }},
		{"refused", func(_ *Snapshot, h *domain.Host, n *Need) bool { return !slices.Contains(n.Refused, h.ID) }},
		{"availability zone", func(_ *Snapshot, h *domain.Host, n *Need) bool { return n.Zone == "" || n.Zone == h.Zone }},
		{"compute", computes},
		{"runtime", func(_ *Snapshot, h *domain.Host, n *Need) bool {
			return n.Runtime == "" || slices.Contains(h.Inventory.Runtimes, n.Runtime)
		}},
		{"cpu", func(s *Snapshot, h *domain.Host, n *Need) bool {
			return h.Used.CPU+n.Claim.CPU <= s.Ratios.Capacity(h).CPU
		}},
		{"ram", func(s *Snapshot, h *domain.Host, n *Need) bool {
			return h.Used.MemoryMB+n.Claim.MemoryMB <= s.Ratios.Capacity(h).MemoryMB
		}},
		{"disk", diskFits},
		{"volume", func(_ *Snapshot, h *domain.Host, n *Need) bool { return !n.Volumes || h.Inventory.VolumeLimit != "" }},
		{"label", labelsMatch},
		{"cpuset", cpusetFits},
	}
}

func computes(s *Snapshot, h *domain.Host, _ *Need) bool {
	return !h.Disabled && h.Inventory.EngineUp && h.Up(s.Now, s.DownAfter)
}

func diskFits(s *Snapshot, h *domain.Host, n *Need) bool {
	if n.Claim.DiskGB == 0 {
		return true
	}
	return (h.Inventory.DiskQuota || !n.DiskBound) && h.Used.DiskGB+n.Claim.DiskGB <= s.Ratios.Capacity(h).DiskGB
}

func labelsMatch(_ *Snapshot, h *domain.Host, n *Need) bool {
	for name, value := range n.Labels {
		if have, found := h.Inventory.Labels[name]; !found || have != value {
			return false
		}
	}
	return true
}

// cpusetFits judges by the host's own report of pinning, and lets shared
// containers onto hosts that pin: what is dedicated there is theirs no more.
func cpusetFits(_ *Snapshot, h *domain.Host, n *Need) bool {
	if n.CPUPolicy != "dedicated" {
		return true
	}
	whole := n.Claim.CPU == float64(int64(n.Claim.CPU))
	return h.Inventory.CPUPinning && whole && h.Used.CPU+n.Claim.CPU <= float64(h.Inventory.CPUs)
}
