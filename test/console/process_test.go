//go:build integration

package console

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memory is the resident size of the process in bytes.
func (p *process) memory(t *testing.T) int64 {
	t.Helper()
	return p.figure(t, "VmRSS:")
}

// grown tells, each time that it is called, by how many bytes the process was larger at
// most than it is now.
func (p *process) grown(t *testing.T) func() int64 {
	t.Helper()
	before := p.memory(t)
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil { // forgets the peak
		t.Fatal(err)
	}
	return func() int64 { return p.figure(t, "VmHWM:") - before }
}

// figure is one of the sizes that the kernel tells of the process, in bytes.
func (p *process) figure(t *testing.T, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			kib, _ := strconv.ParseInt(words[1], 10, 64)
			return kib << 10
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// written is how many bytes the processes of the machine have written that run command,
// which must be as many as told.
func written(t *testing.T, command string, processes int) (bytes int64) {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		line, err := os.ReadFile(entry)
		if err != nil || strings.ReplaceAll(strings.TrimRight(string(line), "\x00"), "\x00", " ") != command {
			continue // also one that has just ended
		}
		processes--
		io, err := os.ReadFile(filepath.Join(filepath.Dir(entry), "io"))
		if err != nil {
			t.Fatal(err)
		}
		var read, wrote int64
		if _, err := fmt.Sscanf(string(io), "rchar: %d\nwchar: %d", &read, &wrote); err != nil {
			t.Fatal(err)
		}
		bytes += wrote
	}
	if processes != 0 {
		t.Fatalf("%d processes less than wanted run %q", processes, command)
	}
	return bytes
}

// files is how many file descriptors the process has open; each connection is one.
func (p *process) files(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// figure reads one figure of the process that answers /metrics at address.
func figure(t *testing.T, address, name string) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true // the next look finds as many goroutines as this one
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			figure, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return figure
		}
	}
	t.Fatalf("%s tells no %s", address, name)
	return 0
}
