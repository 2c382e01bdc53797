//go:build integration

package console

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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

// unattended ends zun-api under an open console, which goes on without it and after it.
func unattended(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	keys := d.keyboard(t, box)
	d.service.end()
	keys.press(t, 200*time.Millisecond)
	d.service.start()
	d.eventually("the service answers again", func() bool { return d.zun("list").Run() == nil })
	keys.press(t, 200*time.Millisecond)
	d.eventually("consoles open again", func() bool {
		console, err := d.joined(t, box, "true")
		if err == nil {
			_, err = io.ReadAll(console)
		}
		return err == nil
	})
}

// deleted takes the container away under an attached console and a session in it.
func deleted(t *testing.T, d *deployment) {
	d = d.of(t)
	name := "doomed"
	if out, err := d.zun("run", "--name", name, "--interactive", "--image-pull-policy", "never", "--wait", "cirros", "sh").CombinedOutput(); err != nil {
		t.Fatalf("run: %v\n%s", err, out)
	}
	session, err := d.joined(t, name, "sh -c \"echo begun; exec sleep 1000\"")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(session, make([]byte, len("begun\n"))); err != nil {
		t.Fatal(err)
	}
	c := d.client()
	address, err := c.Attach(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	console, err := c.Console(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = console.Close() })
	if out, err := d.zun("delete", "--force", "--wait", name).CombinedOutput(); err != nil {
		t.Fatalf("delete: %v\n%s", err, out)
	}
	if said, err := io.ReadAll(console); err != nil {
		t.Errorf("the attached console broke after %q: %v", said, err)
	}
	_, err = io.ReadAll(session)
	if code, told := session.ExitCode(); err == nil && (!told || code == 0) {
		t.Errorf("the session ended as if all were well: %d, %v", code, told)
	}
}

// paused types into a container that stands still: nothing is lost, and who leaves leaves
// no process behind.
func paused(t *testing.T, d *deployment) {
	d = d.of(t)
	box := d.container("still")
	keys := d.keyboard(t, box)
	left, err := d.joined(t, box, "sh -c \"echo begun; exec sleep 4545\"")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(left, make([]byte, len("begun\n"))); err != nil {
		t.Fatal(err)
	}
	d.becomes(t, box, "pause", "Paused")
	const text = "typed while nothing moves"
	if _, err := io.WriteString(keys.console, text); err != nil {
		t.Fatal(err)
	}
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.joined(t, box, "true"); err == nil {
		t.Error("a command was begun in a container that stands still")
	}
	d.becomes(t, box, "unpause", "Running")
	back := make([]byte, len(text))
	if _, err := io.ReadFull(keys.console, back); err != nil || string(back) != text {
		t.Errorf("came back: %q, %v", back, err)
	}
	d.eventually("the process of who left has ended", func() bool { return !strings.Contains(d.inside(box, "ps"), "sleep 4545") })
}

// stuffed kills a client whose process takes no more of what it is sent: nobody reads of
// the client's end behind all that waits, and yet its process ends.
func stuffed(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	sent := &counted{from: &noise{state: 1}}
	cmd := d.zun("exec", "-i", box, "sleep", "4646")
	cmd.Stdin = sent
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() bool { return strings.Contains(d.inside(box, "ps"), "sleep 4646") }
	d.eventually("the process runs", running)
	calm, before := 0, int64(0)
	d.eventually("the client is held back", func() bool {
		now := sent.bytes.Load()
		if calm++; now != before {
			calm, before = 0, now
		}
		return calm == 20
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	d.eventually("the process ends with its user", func() bool { return !running() })
}

// counted counts what is read of a stream.
type counted struct {
	from  io.Reader
	bytes atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// becomes gives a container an order and waits for the status that it leads to.
func (d *deployment) becomes(t *testing.T, box, order, status string) {
	t.Helper()
	if out, err := d.zun(order, box).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", order, err, out)
	}
	d.eventually(box+" is "+status, func() bool {
		now, err := d.client().Container(t.Context(), box, false)
		return err == nil && now.Status == status
	})
}

// piped sends a tree in as tar and brings it back, and has either side of a pipe fail.
func piped(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	home := t.TempDir()
	run := func(script string) (string, int) {
		cmd := exec.Command("bash", "-c", "set -o pipefail; "+script)
		cmd.Dir, cmd.Env = home, append(slices.Clone(d.env), "ZUN="+filepath.Join(d.bin, "zun"), "BOX="+box)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	const in, out = "tar c tree | $ZUN exec -i $BOX tar x -C /srv/in", "$ZUN exec -i $BOX tar c -C /srv/in tree </dev/null | tar x -C back"
	for _, step := range []struct {
		script string
		code   int
	}{
		{"mkdir -p tree/sub back && seq 200000 >tree/sub/numbers && head -c 5000000 /dev/urandom >tree/noise && : >tree/empty", 0},
		{"$ZUN exec $BOX mkdir -p /srv/in", 0},
		{in, 0},
		{out, 0},
		{"diff -r tree back/tree", 0},
		{"tar c tree | $ZUN exec -i $BOX tar x -C /srv/nowhere", 1},
		{"head -c 100000 <(tar c tree) | $ZUN exec -i $BOX tar x -C /srv/in", 1},
		{"$ZUN exec -i $BOX sh -c 'exit 9' <tree/noise", 9},
		{"tar c nothing 2>/dev/null | $ZUN exec -i $BOX cat >/dev/null", 2},
		{"$ZUN exec -i $BOX cat /dev/zero </dev/null | head -c 1000000 | wc -c >taken; grep -q '^1000000$' taken", 0},
	} {
		if said, code := run(step.script); code != step.code {
			t.Errorf("%s: exit code %d, want %d: %s", step.script, code, step.code, said)
		}
	}
}
