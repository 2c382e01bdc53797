//go:build integration

package console

import (
	"fmt"
	"os"
	"testing"
)

// files is how many file descriptors the process has open; each connection is one.
func (p *process) files(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
