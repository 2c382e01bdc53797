package place

import (
	"github.com/go-zun/zun/internal/domain"
)

// Holding is what one container with dedicated CPUs holds of a host.
type Holding struct {
	domain.CPUSet
	MemoryMB int64
}

// Dedicate chooses CPUs of h for a container that wants them for itself: all of one
// memory node, which has memory for it too, and of the nodes that will do the one that is
// left with the fewest, so that large holes stay for large containers. False where there
// is none: held is what others have there already.
func Dedicate(h *domain.Host, held []Holding, claim domain.Claim) (domain.CPUSet, bool) {
	count := int(claim.CPU)
	if !h.Inventory.CPUPinning || count < 1 || claim.CPU != float64(count) {
		return domain.CPUSet{}, false
	}
	var best domain.CPUSet
	fewest := -1
	for _, node := range h.Inventory.MemoryNodes {
		free, memory := leftOf(node, held)
		if left := len(free) - count; left >= 0 && memory >= claim.MemoryMB && (fewest < 0 || left < fewest) {
			fewest = left
			best = domain.CPUSet{CPUs: domain.FormatCPUs(free[:count]), MemoryNodes: domain.FormatCPUs([]int{node.ID})}
		}
	}
	return best, fewest >= 0
}

// leftOf returns the CPUs of node that nobody holds, and the memory in MB that the
// holders on it leave. A list that cannot be read dedicates nothing.
func leftOf(node domain.MemoryNode, held []Holding) (free []int, memory int64) {
	free, err := domain.ParseCPUs(node.CPUs)
	if err != nil {
		return nil, 0
	}
	memory = node.MemoryMB
	name := domain.FormatCPUs([]int{node.ID})
	for _, h := range held {
		taken, err := domain.ParseCPUs(h.CPUs)
		if err != nil {
			return nil, 0
		}
		free = domain.WithoutCPUs(free, taken)
		if h.MemoryNodes == name {
			memory -= h.MemoryMB
		}
	}
	return free, memory
}
