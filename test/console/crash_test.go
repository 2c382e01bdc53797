//go:build integration

package console

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// orphaned kills the door under an open console. Its process ends, and the host has
// recorded what the door no longer can.
func orphaned(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	console, err := d.joined(t, box, "sh -c \"echo begun; exec sleep 4444\"")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(console, make([]byte, len("begun\n"))); err != nil {
		t.Fatal(err)
	}
	_ = d.proxy.cmd.Process.Kill()
	if _, err := io.ReadAll(console); err == nil {
		t.Error("the console ended as if all were well")
	}
	d.proxy.end()
	d.eventually("the session's process has ended", func() bool { return !strings.Contains(d.inside(box, "ps"), "sleep 4444") })
	d.eventually("the host has recorded the end", func() bool {
		log, err := os.ReadFile(filepath.Join(d.dir, "zun-compute.log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(log)) {
			if strings.Contains(line, "msg=terminal") && strings.Contains(line, "event=closed") && strings.Contains(line, "bytes_in=0 bytes_out=6 ") {
				return true
			}
		}
		return false
	})
	d.proxy.start()
	d.eventually("consoles open again", func() bool {
		console, err := d.joined(t, box, "true")
		if err == nil {
			_, err = io.ReadAll(console)
		}
		return err == nil
	})
}
