//go:build integration

package console

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestConsoles(t *testing.T) {
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
	t.Run("pipes", func(t *testing.T) { pipes(t, d, box) })
	t.Run("the exit code of a pipe", func(t *testing.T) {
		cmd := d.zun("exec", "-i", box, "sh")
		cmd.Stdin = strings.NewReader("exit 42\n")
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != 42 {
			t.Errorf("exit code %d", cmd.ProcessState.ExitCode())
		}
	})
	t.Run("a client that is gone", func(t *testing.T) { gone(t, d, box) })
	t.Run("a storm of refusals", func(t *testing.T) { storm(t, d, box) })
	t.Run("a host that is gone", func(t *testing.T) { lost(t, d, box) })
}

// shell types into a shell in a terminal and returns the client's exit code.
func shell(t *testing.T, d *deployment, cmd *exec.Cmd, greeting string) int {
	w := d.open(t, cmd)
	if greeting != "" {
		w.shows(greeting)
	}
	w.shows("/ #")
	w.types("echo he''llo; stty size\r")
	w.shows("hello")
	w.shows("37 91")
	_ = pty.Setsize(w.keys, &pty.Winsize{Cols: 101, Rows: 43})
	d.eventually("the new size", func() bool {
		w.types("stty size\r")
		w.shows("stty size")
		w.mu.Lock()
		defer w.mu.Unlock()
		return strings.Contains(w.text.String(), "43 101")
	})
	w.types("sleep 100\r")
	w.shows("sleep 100")
	w.types("\x03") // Ctrl-C ends the sleep and not the client
	w.shows("^C")
	w.types("echo al''ive; cat\r")
	w.shows("alive")
	w.types("\x04") // Ctrl-D ends cat
	w.types("echo ag''ain; exit 3\r")
	w.shows("again")
	return w.ends()
}

func attached(t *testing.T, d *deployment, cmd *exec.Cmd) *window {
	w := d.open(t, cmd)
	w.shows("connected to")
	w.types("\recho at''tached; stty size\r")
	w.shows("attached")
	w.shows("37 91")
	return w
}

// pipes sends more through than anything between could hold.
func pipes(t *testing.T, d *deployment, box string) {
	size := int64(128 << 20)
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

// gone kills a client and looks for the process that it left behind.
func gone(t *testing.T, d *deployment, box string) {
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

// storm knocks with guessed tickets while somebody types.
func storm(t *testing.T, d *deployment, box string) {
	const knocks = 10000
	w := d.open(t, d.zun("exec", "-i", box, "sh"))
	w.shows("/ #")
	idle := keystrokes(w, 50)
	before := d.proxy.memory(t)
	began := time.Now()
	var crowd sync.WaitGroup
	next := make(chan int, knocks)
	for i := range knocks {
		next <- i
	}
	close(next)
	for range 16 {
		crowd.Go(func() {
			for i := range next {
				knock(t, d, i)
			}
		})
	}
	busy := keystrokes(w, 50)
	crowd.Wait()
	took, grown := time.Since(began), d.proxy.memory(t)-before
	t.Logf("%d refusals in %s; the door grew by %d KiB; a keystroke took %s at the median of idle times and %s under way", knocks, took.Round(time.Millisecond), grown>>10, idle, busy)
	if grown > 64<<20 || took > time.Minute {
		t.Error("the storm was felt")
	}
	w.types("exit\r")
	w.ends()
}

func knock(t *testing.T, d *deployment, i int) {
	r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/?token=%064x&uuid=3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11", d.door, i), nil)
	if err != nil {
		t.Error(err)
		return
	}
	for key, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(key, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden && answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a guess was answered with %d", answer.StatusCode)
	}
}

// keystrokes is the median of the time from a key to its echo.
func keystrokes(w *window, n int) time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		w.mu.Lock()
		before := w.text.Len()
		w.mu.Unlock()
		began := time.Now()
		w.types("x")
		for seen := before; seen == before; {
			w.mu.Lock()
			seen = w.text.Len()
			w.mu.Unlock()
			if time.Since(began) > patience {
				w.t.Fatal("no echo")
			}
		}
		times[i] = time.Since(began)
	}
	w.types("\x15") // Ctrl-U takes the line back
	slices.Sort(times)
	return times[n/2].Round(10 * time.Microsecond)
}

// lost kills the agent under an open console.
func lost(t *testing.T, d *deployment, box string) {
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
	_ = d.compute.cmd.Process.Kill()
	if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "The host of the container is gone") {
		t.Errorf("the client ended with %v and said %q", err, said.String())
	}
	d.compute.end()
	d.compute.start()
	d.eventually("consoles open again", func() bool { return strings.Contains(d.inside(box, "echo", "back"), "back") })
}
