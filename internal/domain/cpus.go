package domain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The CPU policies of a container.
const (
	CPUShared    = "shared"    // it floats over the CPUs that nobody has for himself
	CPUDedicated = "dedicated" // its CPUs are its alone
)

// CPUSet says where a process may run, in the kernel's form of lists ("2-3,6"): on which
// CPUs, and with memory of which nodes. An empty list bounds nothing.
type CPUSet struct {
	CPUs, MemoryNodes string
}

// MemoryNode is one NUMA node of a host with the CPUs of it that may be dedicated.
type MemoryNode struct {
	ID       int
	CPUs     string // a list like those of CPUSet
	MemoryMB int64
}

// maxCPU is above the number of every CPU that Linux can be built for.
const maxCPU = 8192

// ParseCPUs reads a list of CPUs in the kernel's form, as Nova's options have it:
// numbers and ranges between commas. It returns them in order, each once.
func ParseCPUs(list string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		from, err := cpuNumber(first)
		to := from
		if err == nil && isRange {
			to, err = cpuNumber(last)
		}
		if err != nil || to < from {
			return nil, fmt.Errorf("%q is no CPU and no range of CPUs", part)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

func cpuNumber(text string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err == nil && n >= maxCPU {
		err = strconv.ErrRange
	}
	return int(n), err
}

// FormatCPUs is the list that ParseCPUs reads as cpus, which are in order.
func FormatCPUs(cpus []int) string {
	var parts []string
	for i := 0; i < len(cpus); {
		end := i
		for end+1 < len(cpus) && cpus[end+1] == cpus[end]+1 {
			end++
		}
		part := strconv.Itoa(cpus[i])
		if end > i {
			part += "-" + strconv.Itoa(cpus[end])
		}
		parts = append(parts, part)
		i = end + 1
	}
	return strings.Join(parts, ",")
}

// WithoutCPUs returns those of cpus that are not in taken; both are in order.
func WithoutCPUs(cpus, taken []int) []int {
	var left []int
	for _, cpu := range cpus {
		if _, found := slices.BinarySearch(taken, cpu); !found {
			left = append(left, cpu)
		}
	}
	return left
}
