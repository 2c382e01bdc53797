// Package topology reads from the kernel which CPUs a machine has, and by which memory
// they stand.
package topology

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-zun/zun/internal/domain"
)

// Sysfs is where Linux tells of its CPUs and memory nodes.
const Sysfs = "/sys/devices/system"

// Machine is what a machine has.
type Machine struct {
	CPUs  string // all that are online, as a list
	Nodes []domain.MemoryNode
}

// Read reads what is told below sysfs. To a kernel that knows no memory nodes all memory
// is one.
func Read(sysfs string) (Machine, error) {
	online, err := cpusOf(filepath.Join(sysfs, "cpu", "online"))
	if err != nil {
		return Machine{}, err
	}
	m := Machine{CPUs: domain.FormatCPUs(online)}
	found, err := filepath.Glob(filepath.Join(sysfs, "node", "node[0-9]*"))
	if err != nil {
		return Machine{}, fmt.Errorf("list the memory nodes: %w", err)
	}
	for _, dir := range found {
		node, err := nodeOf(dir, online)
		if err != nil {
			return Machine{}, err
		}
		if node.CPUs != "" { // some nodes have memory alone
			m.Nodes = append(m.Nodes, node)
		}
	}
	slices.SortFunc(m.Nodes, func(a, b domain.MemoryNode) int { return a.ID - b.ID })
	if len(found) == 0 {
		var all syscall.Sysinfo_t
		if err := syscall.Sysinfo(&all); err != nil {
			return Machine{}, fmt.Errorf("read the memory of the machine: %w", err)
		}
		m.Nodes = []domain.MemoryNode{{CPUs: m.CPUs, MemoryMB: int64(all.Totalram) * int64(all.Unit) >> 20}}
	}
	return m, nil
}

// Dedicable returns the nodes with the CPUs that may be given to one container alone: not
// those of floating, which are left to all. Where that names none, the first CPU of the
// machine is, so that whoever shares always has somewhere to run.
func (m Machine) Dedicable(floating string) ([]domain.MemoryNode, error) {
	kept, err := domain.ParseCPUs(floating)
	if err != nil {
		return nil, err
	}
	all, err := domain.ParseCPUs(m.CPUs)
	if err != nil {
		return nil, err
	}
	if len(domain.WithoutCPUs(all, kept)) == len(all) {
		kept = all[:min(1, len(all))]
	}
	var nodes []domain.MemoryNode
	for _, node := range m.Nodes {
		cpus, err := domain.ParseCPUs(node.CPUs)
		if err != nil {
			return nil, err
		}
		if node.CPUs = domain.FormatCPUs(domain.WithoutCPUs(cpus, kept)); node.CPUs != "" {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

func nodeOf(dir string, online []int) (node domain.MemoryNode, err error) {
	if node.ID, err = strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), "node")); err != nil {
		return node, fmt.Errorf("read the number of the memory node %s: %w", dir, err)
	}
	cpus, err := cpusOf(filepath.Join(dir, "cpulist"))
	if err != nil {
		return node, err
	}
	cpus = slices.DeleteFunc(cpus, func(cpu int) bool { return !slices.Contains(online, cpu) })
	node.CPUs = domain.FormatCPUs(cpus)
	node.MemoryMB, err = memoryOf(filepath.Join(dir, "meminfo"))
	return node, err
}

func cpusOf(path string) ([]int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the CPUs of the machine: %w", err)
	}
	cpus, err := domain.ParseCPUs(string(text))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return cpus, nil
}

// memoryOf reads "Node 0 MemTotal: 24603000 kB".
func memoryOf(path string) (megabytes int64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the memory of a node: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 5 && words[2] == "MemTotal:" {
			kilobytes, err := strconv.ParseInt(words[3], 10, 64)
			return kilobytes >> 10, err
		}
	}
	return 0, fmt.Errorf("%s does not tell of all memory", path)
}
