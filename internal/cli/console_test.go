package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/go-zun/zun/internal/cli"
)

const patience = 10 * time.Second

// terminalService is a service with one container that has a terminal.
type terminalService struct {
	t      *testing.T
	url    string
	server func(ctx context.Context, conn *websocket.Conn)

	mu    sync.Mutex
	sizes []string
	asked []string
}

func newTerminalService(t *testing.T, serve func(ctx context.Context, conn *websocket.Conn)) *terminalService {
	s := &terminalService{t: t, server: serve}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *terminalService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	s.mu.Unlock()
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	console := strings.Replace(s.url, "http", "ws", 1) + "/console/?token=secret&uuid=u-1"
	switch path := r.URL.Path; {
	case path == "/":
		answer(map[string]any{"versions": []any{map[string]any{"status": "CURRENT", "max_version": "1.40"}}})
	case strings.HasSuffix(path, "/auth/tokens"):
		w.Header().Set("X-Subject-Token", "t")
		w.WriteHeader(http.StatusCreated)
		answer(map[string]any{"token": map[string]any{"expires_at": "2199-01-01T00:00:00Z"}})
	case strings.HasSuffix(path, "/attach"):
		answer(console)
	case strings.HasSuffix(path, "/execute"):
		answer(map[string]any{"exec_id": "e1", "proxy_url": console + "&exec_id=e1"})
	case strings.HasSuffix(path, "resize"):
		s.mu.Lock()
		s.sizes = append(s.sizes, r.URL.Query().Get("w")+"x"+r.URL.Query().Get("h")+r.URL.Query().Get("exec_id"))
		s.mu.Unlock()
		answer(nil)
	case path == "/console/":
		s.accept(w, r)
	default:
		answer(map[string]any{"uuid": "u-1", "name": "web", "status": "Running"})
	}
}

func (s *terminalService) accept(w http.ResponseWriter, r *http.Request) {
	if s.server == nil {
		http.Error(w, "the ticket is unknown, expired or used", http.StatusForbidden)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"console.zun.v1"}})
	if err != nil {
		s.t.Error(err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	s.server(r.Context(), conn)
}

func (s *terminalService) seen(size string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(fmt.Sprint(s.sizes), size)
}

func (s *terminalService) run(ctx context.Context, streams cli.Streams, args ...string) int {
	env := []string{"BYPASS_URL=" + s.url, "OS_AUTH_URL=" + s.url + "/v3", "OS_USERNAME=u", "OS_PASSWORD=p", "HOME=/nowhere"}
	return cli.Run(ctx, args, env, streams)
}

// echo sends everything back and exits with code at the end of the input.
func echo(code int) func(ctx context.Context, conn *websocket.Conn) {
	return func(ctx context.Context, conn *websocket.Conn) {
		for {
			kind, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			if kind == websocket.MessageText {
				_ = conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"exit","code":%d}`, code))
				_ = conn.Close(websocket.StatusNormalClosure, "Target closed")
				return
			}
			_ = conn.Write(ctx, kind, data)
		}
	}
}

// window is a pseudo-terminal with a command in it.
type window struct {
	t      *testing.T
	keys   *os.File
	tty    *os.File
	mu     sync.Mutex
	screen bytes.Buffer
	code   chan int
}

func openWindow(t *testing.T, s *terminalService, args ...string) *window {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	_ = pty.Setsize(keys, &pty.Winsize{Cols: 100, Rows: 40})
	w := &window{t: t, keys: keys, tty: tty, code: make(chan int, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	var work sync.WaitGroup
	work.Go(func() {
		buffer := make([]byte, 1024)
		for {
			n, err := keys.Read(buffer)
			w.mu.Lock()
			w.screen.Write(buffer[:n])
			w.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	work.Go(func() { w.code <- s.run(ctx, cli.Streams{In: tty, Out: tty, Err: tty}, args...) })
	t.Cleanup(func() {
		cancel()
		_ = tty.Close()
		_ = keys.Close()
		work.Wait()
	})
	return w
}

func (w *window) typed(s string) {
	w.t.Helper()
	if _, err := w.keys.WriteString(s); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) shows(s string) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("%q on the screen", s), func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return strings.Contains(w.screen.String(), s)
	})
}

func (w *window) ends() int {
	w.t.Helper()
	select {
	case code := <-w.code:
		return code
	case <-time.After(patience):
		w.t.Fatal("the command goes on")
		return -1
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestAttachAtATerminal(t *testing.T) {
	s := newTerminalService(t, echo(0))
	w := openWindow(t, s, "attach", "web")
	w.shows("connected to web")
	eventually(t, "the first size", func() bool { return s.seen("100x40") })
	w.typed("ls\r\x03\x04") // Ctrl-C and Ctrl-D belong to the far side
	w.shows("ls\r\x03\x04")
	_ = pty.Setsize(w.keys, &pty.Winsize{Cols: 120, Rows: 50})
	_ = syscall.Kill(os.Getpid(), syscall.SIGWINCH) // the terminal is not the controlling one of the test
	eventually(t, "the new size", func() bool { return s.seen("120x50") })
	w.typed("a~.b~~\r~~x\r~")
	w.shows("a~.b~~\r~x\r")
	w.typed(".")
	if code := w.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	w.shows("disconnected")
	if state, err := term.GetState(int(w.tty.Fd())); err != nil || !cooked(state) {
		t.Errorf("the terminal was left raw: %v %v", state, err)
	}
}

// cooked says whether a terminal in state echoes, as a fresh one does.
func cooked(state *term.State) bool {
	_, fresh, err := pty.Open()
	if err != nil {
		return false
	}
	defer func() { _ = fresh.Close() }()
	want, err := term.GetState(int(fresh.Fd()))
	return err == nil && fmt.Sprint(*want) == fmt.Sprint(*state)
}

func TestExecAtATerminalGivesTheExitCode(t *testing.T) {
	s := newTerminalService(t, func(ctx context.Context, conn *websocket.Conn) {
		_ = conn.Write(ctx, websocket.MessageBinary, []byte("bye\r\n"))
		_ = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"exit","code":42}`))
		_ = conn.Close(websocket.StatusNormalClosure, "Target closed")
	})
	w := openWindow(t, s, "exec", "-i", "web", "sh", "-c", "exit 42")
	if code := w.ends(); code != 42 {
		t.Errorf("exit code %d", code)
	}
	w.shows("bye")
}

func TestRunAtATerminalAttaches(t *testing.T) {
	s := newTerminalService(t, echo(0))
	w := openWindow(t, s, "run", "-i", "cirros", "sh")
	w.shows("connected to u-1")
	w.typed("\r~.")
	if code := w.ends(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestPipesAreByteExact(t *testing.T) {
	s := newTerminalService(t, echo(7))
	in := make([]byte, 1<<20)
	for i := range in {
		in[i] = byte(i * 7 >> 3)
	}
	copy(in, "~.\n~.\n") // no escape without a terminal
	var out, errs bytes.Buffer
	code := s.run(t.Context(), cli.Streams{In: bytes.NewReader(in), Out: &out, Err: &errs}, "exec", "-i", "web", "cat")
	if code != 7 || !bytes.Equal(out.Bytes(), in) || errs.Len() != 0 {
		t.Errorf("code %d, %d of %d bytes, %q", code, out.Len(), len(in), errs.String())
	}
}

func TestAPipeThatStaysOpenDoesNotHoldTheCommand(t *testing.T) {
	s := newTerminalService(t, func(_ context.Context, conn *websocket.Conn) {
		_ = conn.Close(websocket.StatusNormalClosure, "Target closed")
	})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	done := make(chan int, 1)
	go func() {
		done <- s.run(t.Context(), cli.Streams{In: r, Out: io.Discard, Err: io.Discard}, "attach", "web")
	}()
	select {
	case code := <-done:
		if code != 0 {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(patience):
		t.Fatal("the command waits for input that nobody takes")
	}
}

func TestConsolesThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(ctx context.Context, conn *websocket.Conn)
		want  string
	}{
		"refused": {nil, "console refused: the ticket is unknown, expired or used (HTTP 403)"},
		"host gone": {func(_ context.Context, conn *websocket.Conn) {
			_ = conn.Close(websocket.StatusInternalError, "The host of the container is gone")
		}, "the console was closed: The host of the container is gone (1011)"},
		"cut": {func(_ context.Context, conn *websocket.Conn) { _ = conn.CloseNow() }, "the console broke"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTerminalService(t, c.serve)
			var errs bytes.Buffer
			code := s.run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: io.Discard, Err: &errs}, "--debug", "attach", "web")
			if code != 1 || !strings.Contains(errs.String(), c.want) || strings.Contains(errs.String(), "secret") {
				t.Errorf("code %d, %q", code, errs.String())
			}
		})
	}
}

func TestAnInterruptEndsTheConsole(t *testing.T) {
	s := newTerminalService(t, echo(0))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	r, w := io.Pipe()
	go func() { done <- s.run(ctx, cli.Streams{In: r, Out: w, Err: io.Discard}, "attach", "web") }()
	cancel()
	_ = w.Close()
	if code := <-done; code == 0 {
		t.Error("an interrupted command reports success")
	}
}
