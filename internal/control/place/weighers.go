package place

import "github.com/go-zun/zun/internal/domain"

// Weigher says how welcome a container is on a host that can take it: Weigh
// returns 0 (least) to 1, Factor its share in the sum.
type Weigher struct {
	Name   string
	Factor float64
	Weigh  func(s *Snapshot, h *domain.Host, n *Need) float64
}

// Weighers lists the weighers. Both spread: the emptiest host wins.
func Weighers() []Weigher {
	return []Weigher{
		{"free cpu", 1, func(s *Snapshot, h *domain.Host, n *Need) float64 {
			return freeShare(h.Used.CPU+n.Claim.CPU, s.Ratios.Capacity(h).CPU)
		}},
		{"free ram", 1, func(s *Snapshot, h *domain.Host, n *Need) float64 {
			return freeShare(float64(h.Used.MemoryMB+n.Claim.MemoryMB), float64(s.Ratios.Capacity(h).MemoryMB))
		}},
	}
}

func freeShare(used, capacity float64) float64 {
	if capacity <= 0 {
		return 0
	}
	return 1 - used/capacity
}
