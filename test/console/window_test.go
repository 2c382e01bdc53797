//go:build integration

package console

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// window is a pseudo-terminal with a client in it.
type window struct {
	d    *deployment
	t    *testing.T
	keys *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex
	text bytes.Buffer
	from int // where the next look begins
}

func (d *deployment) open(t *testing.T, cmd *exec.Cmd) *window {
	t.Helper()
	cmd.Env = d.env
	keys, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 91, Rows: 37})
	if err != nil {
		t.Fatal(err)
	}
	w := &window{d: d.of(t), t: t, keys: keys, cmd: cmd}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := keys.Read(buffer)
			w.mu.Lock()
			w.text.Write(buffer[:n])
			w.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		_ = keys.Close()
		<-read
	})
	return w
}

func (w *window) types(s string) {
	w.t.Helper()
	if _, err := w.keys.WriteString(s); err != nil {
		w.t.Fatal(err)
	}
}

// shows waits for s after what was waited for before.
func (w *window) shows(s string) {
	w.t.Helper()
	defer w.tells()
	w.d.eventually(s+" on the screen", func() bool { return w.finds(s) })
}

// asks types a line, and again every other second, until s is on the screen: a size is
// told beside what is typed, and may arrive after it.
func (w *window) asks(line, s string) {
	w.t.Helper()
	defer w.tells()
	var again time.Time
	w.d.eventually(s+" on the screen", func() bool {
		if now := time.Now(); now.After(again) {
			w.types(line)
			again = now.Add(2 * time.Second)
		}
		return w.finds(s)
	})
}

// finds looks for s after what was found before.
func (w *window) finds(s string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := strings.Index(w.text.String()[w.from:], s)
	if at >= 0 {
		w.from += at + len(s)
	}
	return at >= 0
}

// tells shows a test that failed what is on the screen.
func (w *window) tells() {
	if w.t.Failed() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.t.Logf("the screen: %q", w.text.String())
	}
}

// listens waits until the client takes every key as it comes. What is typed while it
// changes the terminal to that is thrown away by clients such as the original's.
func (w *window) listens() {
	w.t.Helper()
	w.d.eventually("a terminal that takes every key", func() bool {
		state, err := unix.IoctlGetTermios(int(w.keys.Fd()), unix.TCGETS)
		return err == nil && state.Lflag&unix.ICANON == 0
	})
}

// ends waits for the client and returns its exit code.
func (w *window) ends() int {
	w.t.Helper()
	_ = w.cmd.Wait()
	return w.cmd.ProcessState.ExitCode()
}
