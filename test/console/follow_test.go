//go:build integration

package console

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The counting container prints the numbers up to countTo, every tenth to its standard
// error, about a thousand in a second: its log is rotated several times on the way.
const (
	countTo  = 16000
	counting = `i=0; while [ $i -lt 16000 ]; do i=$((i+1)); ` +
		`if [ $((i%10)) = 0 ]; then echo $i >&2; else echo $i; fi; ` +
		`if [ $((i%100)) = 0 ]; then sleep 0.1; fi; done`
)

func TestFollowedLogs(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	t.Run("through crashes and rotations", func(t *testing.T) { followed(t, d) })
	t.Run("interrupted", func(t *testing.T) { interrupted(t, d) })
	t.Run("of what is deleted", func(t *testing.T) { followedToDeletion(t, d) })
}

// gathered is what a command prints, readable meanwhile.
type gathered struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (g *gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(p)
}

func (g *gathered) lines() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Fields(g.text.String())
}

func (d *deployment) detached(name, script string) {
	d.t.Helper()
	out, err := d.zun("run", "--name", name, "--image-pull-policy", "never", "--wait", "cirros", "sh", "-c", script).CombinedOutput()
	if err != nil {
		d.t.Fatalf("run: %v\n%s", err, out)
	}
	d.t.Cleanup(func() {
		if out, err := d.zun("delete", "--stop", "--wait", name).CombinedOutput(); err != nil && !strings.Contains(string(out), "could not be found") {
			d.t.Errorf("delete: %v\n%s", err, out)
		}
	})
}

// followed kills the host's agent and control, and stops them in order, while the
// output is followed: every line comes once.
func followed(t *testing.T, d *deployment) {
	d = d.of(t)
	d.detached("counter", counting)
	var out, errs gathered
	cmd := d.zun("logs", "--follow", "counter")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for n, p := range []*process{d.compute, d.service, d.compute, d.service} {
		d.eventually(fmt.Sprintf("misfortune %d", n), func() bool { return len(out.lines()) > (n+1)*2500 })
		if n < 2 {
			_ = p.cmd.Process.Signal(syscall.SIGKILL)
		}
		p.end()
		p.start()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(2 * patience):
		_ = cmd.Process.Kill()
		t.Errorf("it does not end; it ended with %v when it was killed", <-ended)
	}
	var want, wantErrs []string
	for i := 1; i <= countTo; i++ {
		if i%10 == 0 {
			wantErrs = append(wantErrs, strconv.Itoa(i))
		} else {
			want = append(want, strconv.Itoa(i))
		}
	}
	same(t, "output", out.lines(), want)
	same(t, "errors", errs.lines(), wantErrs)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s: line %d is %q, want %q", what, i, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d lines came, want %d", what, len(got), len(want))
	}
}

// interrupted leaves a follower with Ctrl-C.
func interrupted(t *testing.T, d *deployment) {
	d = d.of(t)
	d.detached("sleeper", "echo begun; echo noise >&2; sleep 1000")
	var out gathered
	cmd := d.zun("logs", "-f", "--tail", "2", "--stdout", "-t", "sleeper")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.eventually("a line with its time", func() bool {
		words := out.lines()
		return len(words) == 2 && words[1] == "begun" && strings.HasSuffix(words[0], "Z")
	})
	_ = cmd.Process.Signal(os.Interrupt)
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d: %v", cmd.ProcessState.ExitCode(), out.lines())
	}
}

// followedToDeletion follows over a restart of the container until it is deleted.
func followedToDeletion(t *testing.T, d *deployment) {
	d = d.of(t)
	d.detached("again", "echo run; sleep 1000")
	var out gathered
	cmd := d.zun("logs", "--follow", "--restarts", "again")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.eventually("the first run", func() bool { return len(out.lines()) == 1 })
	if text, err := d.zun("restart", "--timeout", "0", "again").CombinedOutput(); err != nil {
		t.Fatalf("restart: %v\n%s", err, text)
	}
	d.eventually("the second run", func() bool { return len(out.lines()) == 2 })
	if text, err := d.zun("delete", "--force", "--wait", "again").CombinedOutput(); err != nil {
		t.Fatalf("delete: %v\n%s", err, text)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v: %v", err, out.lines())
	}
}
