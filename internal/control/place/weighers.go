package place

import "github.com/go-zun/zun/internal/domain"

// Weigher says how welcome a container is on a host that can take it: Weigh
// returns 0 (least) to 1, Factor its share in the sum.
type Weigher struct {
	Name   string
	Factor float64
	Weigh  func(s *Snapshot, h *domain.Host, n *Need) float64
}

// Weights are the shares of the weighers, named as Nova names its multipliers. A
// negative share turns a weigher round: free CPU and RAM then pack instead of spread.
type Weights struct {
	CPU, RAM, SoftAffinity, SoftAntiAffinity float64
}

// DefaultWeights spread over CPU and RAM alike; a wish about neighbours outweighs both.
func DefaultWeights() Weights {
	return Weights{CPU: 1, RAM: 1, SoftAffinity: 10, SoftAntiAffinity: 10}
}

// Weighers lists the weighers.
func Weighers(w Weights) []Weigher {
	return []Weigher{
		{"free cpu", w.CPU, func(s *Snapshot, h *domain.Host, n *Need) float64 {
			return freeShare(h.Used.CPU+n.Claim.CPU, s.Ratios.Capacity(h).CPU)
		}},
		{"free ram", w.RAM, func(s *Snapshot, h *domain.Host, n *Need) float64 {
			return freeShare(float64(h.Used.MemoryMB+n.Claim.MemoryMB), float64(s.Ratios.Capacity(h).MemoryMB))
		}},
		{"soft affinity", w.SoftAffinity, func(_ *Snapshot, h *domain.Host, n *Need) float64 { return company(h, n, false) }},
		{"soft anti-affinity", w.SoftAntiAffinity, func(_ *Snapshot, h *domain.Host, n *Need) float64 { return company(h, n, true) }},
	}
}

func freeShare(used, capacity float64) float64 {
	if capacity <= 0 {
		return 0
	}
	return 1 - used/capacity
}

// company is how far the host's neighbours are those that the soft bonds wish for:
// the mean over the bonds of the share of the best host.
func company(h *domain.Host, n *Need, apart bool) float64 {
	sum, bonds := 0.0, 0
	for _, b := range n.Bonds {
		if !b.Soft || b.Apart != apart {
			continue
		}
		bonds++
		most := 0
		for _, count := range b.Near {
			most = max(most, count)
		}
		share := 0.0
		if most > 0 {
			share = float64(b.Near[h.ID]) / float64(most)
		}
		if apart {
			share = 1 - share
		}
		sum += share
	}
	if bonds == 0 {
		return 0
	}
	return sum / float64(bonds)
}
