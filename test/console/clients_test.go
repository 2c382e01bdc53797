//go:build integration

package console

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestConsoles(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	box := d.container("box")
	t.Run("the original's exec", func(t *testing.T) {
		shell(t, d, exec.Command("/usr/bin/zun", "exec", "--interactive", box, "sh"), "connected to box")
	})
	t.Run("openstack's exec", func(t *testing.T) {
		shell(t, d, exec.Command("/usr/bin/openstack", "appcontainer", "exec", "--interactive", box, "sh"), "connected to box")
	})
	t.Run("our exec", func(t *testing.T) {
		if code := shell(t, d, d.zun("exec", "-i", box, "sh"), ""); code != 3 {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("the original's attach", func(t *testing.T) { attached(t, d, exec.Command("/usr/bin/zun", "attach", box)) })
	t.Run("our attach", func(t *testing.T) {
		w := attached(t, d, d.zun("attach", box))
		w.types("\r~.")
		if code := w.ends(); code != 0 {
			t.Errorf("exit code %d", code)
		}
	})
	t.Run("detach keys", func(t *testing.T) {
		w := d.open(t, d.zun("attach", box))
		w.shows("connected to")
		w.asks("\r", "/ #")
		w.types("echo st''ill here\r")
		w.shows("still here")
		w.types("\x10\x11") // Ctrl-P Ctrl-Q leave the container running
		if code := w.ends(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if d.inside(box, "echo", "on") != "on\n" {
			t.Error("the container ended with its console")
		}
	})
	t.Run("a client that is told to end", func(t *testing.T) { signalled(t, d, box) })
	t.Run("pipes", func(t *testing.T) { pipes(t, d, box) })
	t.Run("the exit code of a pipe", func(t *testing.T) {
		cmd := d.zun("exec", "-i", box, "sh")
		cmd.Stdin = strings.NewReader("exit 42\n")
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != 42 {
			t.Errorf("exit code %d", cmd.ProcessState.ExitCode())
		}
	})
	t.Run("a client that is gone", func(t *testing.T) { gone(t, d, box) })
	t.Run("a client that is gone while its input waits", func(t *testing.T) { stuffed(t, d, box) })
	t.Run("a hundred at once", func(t *testing.T) { hundred(t, d, box) })
	t.Run("readers that take nothing", func(t *testing.T) { slow(t, d, box) })
	t.Run("a container that ends", func(t *testing.T) { ended(t, d) })
	t.Run("a container that is deleted", func(t *testing.T) { deleted(t, d) })
	t.Run("a container that is paused", func(t *testing.T) { paused(t, d) })
	t.Run("trees through a pipe", func(t *testing.T) { piped(t, d, box) })
	t.Run("a service that starts again", func(t *testing.T) { unattended(t, d, box) })
	t.Run("a door that is killed", func(t *testing.T) { orphaned(t, d, box) })
	t.Run("an agent that is killed", func(t *testing.T) { lost(t, d, box, func(a *process) { _ = a.cmd.Process.Kill() }) })
	t.Run("an agent that is stopped", func(t *testing.T) { lost(t, d, box, func(a *process) { a.end() }) })
}

// shell types into a shell in a terminal and returns the client's exit code.
func shell(t *testing.T, d *deployment, cmd *exec.Cmd, greeting string) int {
	d = d.of(t)
	w := d.open(t, cmd)
	if greeting != "" {
		w.shows(greeting)
	}
	w.shows("/ #")
	w.listens()
	w.types("echo he''llo\r")
	w.shows("hello")
	w.asks("stty size\r", "37 91")
	w.resizes(101, 43)
	w.interrupts()
	w.types("exit 3\r")
	return w.ends()
}

// resizes changes the window until the far terminal knows.
func (w *window) resizes(cols, rows uint16) {
	w.t.Helper()
	_ = pty.Setsize(w.keys, &pty.Winsize{Cols: cols, Rows: rows})
	w.asks("stty size\r", fmt.Sprintf("%d %d", rows, cols))
	w.shows("/ #")
}

// sleeper says that it sleeps only once the terminal is its own: a Ctrl-C that came
// before would be the shell's.
const sleeper = "sh -c 'echo as$0; exec sleep 100' leep\r"

// interrupts presses Ctrl-C, which ends a process and not the client, and Ctrl-D,
// which ends the input of another.
func (w *window) interrupts() {
	w.t.Helper()
	w.types(sleeper)
	w.shows("asleep")
	w.types("\x03")
	w.shows("^C")
	w.shows("/ #")
	w.types("echo al''ive; cat\r")
	w.shows("alive")
	w.types("\x04")
	w.types("echo ag''ain\r")
	w.shows("again")
}

// attached types into the container's own shell, which goes on after it.
func attached(t *testing.T, d *deployment, cmd *exec.Cmd) *window {
	d = d.of(t)
	w := d.open(t, cmd)
	w.shows("connected to")
	w.listens()
	w.asks("\r", "/ #")
	w.asks("stty size\r", "37 91")
	w.resizes(101, 43)
	w.interrupts()
	return w
}

// pipes sends more through than anything between could hold.
func pipes(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	size := int64(256 << 20)
	if os.Getenv("MATRIX") != "" {
		size = 1 << 30
	}
	agent, door := d.compute.memory(t), d.proxy.memory(t)
	sent, got := sha256.New(), sha256.New()
	cmd := d.zun("exec", "-i", box, "cat")
	cmd.Stdin = io.TeeReader(io.LimitReader(&noise{state: 1}, size), sent)
	cmd.Stdout = got
	began := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
		t.Error("not the same came back")
	}
	agent, door = d.compute.memory(t)-agent, d.proxy.memory(t)-door
	t.Logf("%d MiB there and back in %s; grown: agent %d KiB, door %d KiB", size>>20, time.Since(began).Round(time.Millisecond), agent>>10, door>>10)
	if agent > 32<<20 || door > 32<<20 {
		t.Error("memory grew with what passed through")
	}
}

// noise is a stream that does not compress and is quick to make.
type noise struct{ state uint64 }

func (n *noise) Read(p []byte) (int, error) {
	for i := range p {
		n.state ^= n.state << 13
		n.state ^= n.state >> 7
		n.state ^= n.state << 17
		p[i] = byte(n.state)
	}
	return len(p), nil
}

// signalled ends a client in a terminal by a signal; what it started ends with it.
func signalled(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		w := d.open(t, d.zun("exec", "-i", box, "sh"))
		w.shows("/ #")
		w.types("sleep 4343\r")
		running := func() bool { return strings.Contains(d.inside(box, "ps"), "sleep 4343") }
		d.eventually("the process runs", running)
		_ = w.cmd.Process.Signal(signal)
		if code := w.ends(); code == 0 {
			t.Errorf("%v: exit code %d", signal, code)
		}
		d.eventually("the process ends with its user", func() bool { return !running() })
	}
}

// gone kills a client and looks for the process that it left behind.
func gone(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	cmd := d.zun("exec", "-i", box, "sleep", "4242")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() bool { return strings.Contains(d.inside(box, "ps"), "sleep 4242") }
	d.eventually("the process runs", running)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	d.eventually("the process ends with its user", func() bool { return !running() })
}

// lost ends the agent under an open console, as a crash does and as an upgrade does.
func lost(t *testing.T, d *deployment, box string, end func(agent *process)) {
	d = d.of(t)
	cmd := d.zun("exec", "-i", box, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.eventually("cat runs", func() bool { return strings.Contains(d.inside(box, "ps"), " cat") })
	end(d.compute)
	if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "The host of the container is gone (1011)") {
		t.Errorf("the client ended with %v and said %q", err, said.String())
	}
	d.compute.end()
	d.compute.start()
	d.eventually("consoles open again", func() bool { return strings.Contains(d.inside(box, "echo", "back"), "back") })
	d.eventually("the session's process has ended", func() bool { return !strings.Contains(d.inside(box, "ps"), " cat") })
}
