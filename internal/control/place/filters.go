package place

import (
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// Filter turns hosts away that cannot take a container at all.
type Filter struct {
	Name   string // in reasons
	Option string // in [scheduler] enabled_filters; empty: it cannot be switched off
	Passes func(s *Snapshot, h *domain.Host, n *Need) bool
}

// Filters lists the filters in the order in which they are asked where the operator
// names none: the cheap and the selective ones first.
func Filters() []Filter {
	return []Filter{
		{"requested host", "", func(_ *Snapshot, h *domain.Host, n *Need) bool { return n.Host == "" || n.Host == h.Name }},
		{"refused", "", func(_ *Snapshot, h *domain.Host, n *Need) bool { return !slices.Contains(n.Refused, h.ID) }},
		{"availability zone", "AvailabilityZoneFilter", func(_ *Snapshot, h *domain.Host, n *Need) bool { return n.Zone == "" || n.Zone == h.Zone }},
		{"compute", "ComputeFilter", computes},
		{"runtime", "RuntimeFilter", func(_ *Snapshot, h *domain.Host, n *Need) bool {
			return n.Runtime == "" || slices.Contains(h.Inventory.Runtimes, n.Runtime)
		}},
		{"label", "LabelFilter", labelsMatch},
		{"affinity", "AffinityFilter", bondsHold},
		{"cpuset", "CpuSetFilter", cpusetFits},
		{"pci", "PciPassthroughFilter", devicesFit},
		{"cpu", "", func(s *Snapshot, h *domain.Host, n *Need) bool {
			return h.Used.CPU+n.Claim.CPU <= s.Ratios.Capacity(h).CPU
		}},
		{"ram", "", func(s *Snapshot, h *domain.Host, n *Need) bool {
			return h.Used.MemoryMB+n.Claim.MemoryMB <= s.Ratios.Capacity(h).MemoryMB
		}},
		{"disk", "", diskFits},
		{"volume", "", func(_ *Snapshot, h *domain.Host, n *Need) bool { return !n.Volumes || h.Inventory.VolumeLimit != "" }},
	}
}

// Implied are names that enabled_filters may hold although nothing depends on it:
// what a host has room for is counted in any case, as Placement counts it for the
// original.
func Implied() []string { return []string{"CPUFilter", "RamFilter", "DiskFilter"} }

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
// containers onto hosts that pin: they run on what is not dedicated there.
func cpusetFits(_ *Snapshot, h *domain.Host, n *Need) bool {
	if !n.Dedicated {
		return true
	}
	_, fits := Dedicate(h, n.Held[h.ID], n.Claim)
	return fits
}

func bondsHold(_ *Snapshot, h *domain.Host, n *Need) bool { return n.BondsHold(h) }

// BondsHold says whether every hard bond allows h. Who wishes for neighbours by label
// or group while there are none anywhere is the first of them.
func (n *Need) BondsHold(h *domain.Host) bool {
	for _, b := range n.Bonds {
		first := len(b.Near) == 0 && len(b.Kin.Containers) == 0
		if !b.Soft && (b.Near[h.ID] > 0) == b.Apart && !first {
			return false
		}
	}
	return true
}

// devicesFit takes the devices of each request out of what the host has.
func devicesFit(_ *Snapshot, h *domain.Host, n *Need) bool {
	if len(n.Devices) == 0 {
		return true
	}
	left := slices.Clone(h.Inventory.Devices)
	for _, request := range n.Devices {
		missing := request.Count
		for i := range left {
			if suits(left[i], request) {
				taken := min(missing, left[i].Count)
				left[i].Count -= taken
				missing -= taken
			}
		}
		if missing > 0 {
			return false
		}
	}
	return true
}

func suits(pool domain.DevicePool, r DeviceRequest) bool {
	match := func(asked, have string) bool { return asked == "" || asked == have }
	return match(r.VendorID, pool.VendorID) && match(r.ProductID, pool.ProductID) && match(r.PhysicalNetwork, pool.PhysicalNetwork)
}
