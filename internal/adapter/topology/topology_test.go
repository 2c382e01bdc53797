package topology_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/go-zun/zun/internal/adapter/topology"
	"github.com/go-zun/zun/internal/domain"
)

// told writes what a kernel would tell below a directory.
func told(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestNodesOfAMachine(t *testing.T) {
	t.Parallel()
	sysfs := told(t, map[string]string{
		"cpu/online":         "0-5,7\n",
		"node/node0/cpulist": "0-3\n", "node/node0/meminfo": "Node 0 MemTotal:       16384000 kB\nNode 0 MemFree: 1 kB\n",
		"node/node1/cpulist": "4-7\n", "node/node1/meminfo": "Node 1 MemTotal:       8192000 kB\n",
		"node/node2/cpulist": "\n", "node/node2/meminfo": "Node 2 MemTotal:       4096000 kB\n",
		"node/online": "0-2\n",
	})
	m, err := topology.Read(sysfs)
	if err != nil {
		t.Fatal(err)
	}
	want := topology.Machine{CPUs: "0-5,7", Nodes: []domain.MemoryNode{{ID: 0, CPUs: "0-3", MemoryMB: 16000}, {ID: 1, CPUs: "4-5,7", MemoryMB: 8000}}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("read %+v, want %+v", m, want)
	}
	for floating, want := range map[string]string{"": "1-3 4-5,7", "9": "1-3 4-5,7", "2-5": "0-1 7", "0-3": "4-5,7", "0-7": ""} {
		nodes, err := m.Dedicable(floating)
		got := ""
		for i, node := range nodes {
			if i > 0 {
				got += " "
			}
			got += node.CPUs
		}
		if err != nil || got != want {
			t.Errorf("with %q floating, %q, %v may be dedicated, want %q", floating, got, err, want)
		}
	}
	if _, err := m.Dedicable("some"); err == nil {
		t.Error("junk was taken for a list of CPUs")
	}
}

func TestAMachineWithoutNodes(t *testing.T) {
	t.Parallel()
	m, err := topology.Read(told(t, map[string]string{"cpu/online": "0\n"}))
	if err != nil || m.CPUs != "0" || len(m.Nodes) != 1 || m.Nodes[0].MemoryMB == 0 {
		t.Fatalf("read %+v, %v", m, err)
	}
	if nodes, err := m.Dedicable(""); err != nil || len(nodes) != 0 {
		t.Errorf("of one CPU, %v may be dedicated, %v", nodes, err)
	}
	if _, err := topology.Read(t.TempDir()); err == nil {
		t.Error("a kernel that tells nothing was read")
	}
}
