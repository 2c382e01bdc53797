package enginetest

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

func testExecRun(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	execer := capability[agent.Execer](h)
	for _, c := range []struct {
		cmd    []string
		limit  int64
		output string
		code   int
	}{
		{[]string{"echo", "hi there"}, 1 << 20, "hi there\n", 0},
		{[]string{"sh", "-c", "echo out; exit 4"}, 1 << 20, "out\n", 4},
		{[]string{"sh", "-c", "echo err >&2"}, 1 << 20, "err\n", 0},
		{[]string{"false"}, 1 << 20, "", 1},
		{[]string{"seq", "1000"}, 6, "1\n2\n3\n", 0},
	} {
		result, err := execer.ExecRun(h.ctx(), o, c.cmd, c.limit)
		h.must(err, "exec")
		if string(result.Output) != c.output || result.ExitCode != c.code || len(result.ExecID) != 64 {
			t.Errorf("%v gave %q, %d, id %q", c.cmd, result.Output, result.ExitCode, result.ExecID)
		}
	}
	both, err := execer.ExecRun(h.ctx(), o, []string{"sh", "-c", "echo out; echo err >&2"}, 1<<20)
	h.must(err, "exec that prints on both streams")
	if out := string(both.Output); out != "out\nerr\n" && out != "err\nout\n" { // there is no order between two streams
		t.Errorf("both streams gave %q", out)
	}
	result, err := execer.ExecRun(h.ctx(), o, []string{"no-such-command"}, 1<<20)
	h.must(err, "exec of a missing command")
	if result.ExitCode != 126 && result.ExitCode != 127 || !strings.Contains(string(result.Output), "no-such-command") {
		t.Errorf("a missing command gave %q, %d", result.Output, result.ExitCode)
	}
	ctx, cancel := context.WithTimeout(h.ctx(), 300*time.Millisecond)
	defer cancel()
	_, err = execer.ExecRun(ctx, o, []string{"sleep", "50"}, 1<<20)
	h.fault(err, domain.Timeout, "sleep 50")
}

// opened is an exec session with all it said.
func (h *house) opened(s agent.Stream) (*tape, <-chan struct{}) {
	said, ended := &tape{}, make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(said, s) // its end is what matters
	}()
	h.t.Cleanup(func() { _ = s.Close(); <-ended })
	return said, ended
}

func (h *house) await(done <-chan struct{}, what string) {
	h.t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		h.t.Fatalf("waited in vain for: %s", what)
	}
}

func (h *house) exec(o agent.Object, cmd ...string) agent.Stream {
	h.t.Helper()
	id, err := capability[agent.Execer](h).ExecCreate(h.ctx(), o, cmd, false)
	h.must(err, "create exec")
	s, err := capability[agent.Execer](h).ExecOpen(h.ctx(), o, id)
	h.must(err, "open exec")
	return s
}

func testExecStreams(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	s := h.exec(o, "cat")
	said, ended := h.opened(s)
	message := strings.Repeat("0123456789abcde\n", 4096)
	_, err := io.WriteString(s, message)
	h.must(err, "write")
	h.must(s.CloseWrite(), "close stdin")
	h.await(ended, "the end of cat")
	code, err := s.Wait()
	if err != nil || code != 0 || said.text() != message {
		t.Errorf("cat ended with %d, %v and %d bytes of %d", code, err, len(said.text()), len(message))
	}
	s = h.exec(o, "sh", "-c", "echo gone; exit 9")
	_, ended = h.opened(s)
	h.await(ended, "the end of sh")
	if code, err := s.Wait(); err != nil || code != 9 {
		t.Errorf("sh ended with %d, %v", code, err)
	}
}

func testExecTerminal(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	execer := capability[agent.Execer](h)
	id, err := execer.ExecCreate(h.ctx(), o, []string{"sh"}, true)
	h.must(err, "create exec")
	h.fault(execer.ExecResize(h.ctx(), o, id, 80, 24), domain.Conflict, "is not running")
	s, err := execer.ExecOpen(h.ctx(), o, id)
	h.must(err, "open exec")
	said, ended := h.opened(s)
	_, err = execer.ExecOpen(h.ctx(), o, id)
	h.fault(err, domain.Conflict, "was started already")
	h.must(execer.ExecResize(h.ctx(), o, id, 111, 33), "resize")
	_, err = io.WriteString(s, "stty size\n")
	h.must(err, "write")
	h.until("the terminal's size", func() bool { return said.has("33 111") })
	_, err = io.WriteString(s, "exit 6\n")
	h.must(err, "write")
	h.await(ended, "the end of the shell")
	if code, err := s.Wait(); err != nil || code != 6 {
		t.Errorf("the shell ended with %d, %v; it said %q", code, err, said.text())
	}
}

func testExecFaults(_ *testing.T, h *house) {
	execer := capability[agent.Execer](h)
	o := h.create(h.command("sleep 1000"))
	_, err := execer.ExecRun(h.ctx(), o, []string{"true"}, 100)
	h.fault(err, domain.Conflict)
	_, err = execer.ExecCreate(h.ctx(), o, nil, false)
	h.fault(err, domain.Invalid)
	_, err = execer.ExecOpen(h.ctx(), o, strings.Repeat("0", 64))
	h.fault(err, domain.NotFound, "no such exec instance")
	h.fault(execer.ExecResize(h.ctx(), o, strings.Repeat("0", 64), 80, 24), domain.NotFound)
	h.must(h.engine.Members().Start(h.ctx(), o), "start")
	h.must(h.engine.Members().Pause(h.ctx(), o), "pause")
	_, err = execer.ExecRun(h.ctx(), o, []string{"true"}, 100)
	h.fault(err, domain.Conflict)
}

// testExecOfAnother names one container's session with another container.
func testExecOfAnother(_ *testing.T, h *house) {
	execer := capability[agent.Execer](h)
	one, other := h.start(h.command("sleep 1000")), h.start(h.command("sleep 1000"))
	id, err := execer.ExecCreate(h.ctx(), one, []string{"true"}, true)
	h.must(err, "create exec")
	_, err = execer.ExecOpen(h.ctx(), other, id)
	h.fault(err, domain.NotFound, "no such exec instance")
	h.fault(execer.ExecResize(h.ctx(), other, id, 80, 24), domain.NotFound, "no such exec instance")
	s, err := execer.ExecOpen(h.ctx(), one, id)
	h.must(err, "open exec")
	h.must(s.Close(), "close exec")
}

func testAttach(t *testing.T, h *house) {
	spec := h.command("")
	spec.Command, spec.Interactive = []string{"cat"}, true
	o := h.start(spec)
	attacher := capability[agent.Attacher](h)
	for _, word := range []string{"first", "second"} { // the process outlives who leaves
		s, err := attacher.Attach(h.ctx(), o)
		h.must(err, "attach")
		said, _ := h.opened(s)
		_, err = io.WriteString(s, word+"\n")
		h.must(err, "write")
		h.until("the echo of "+word, func() bool { return said.has(word + "\n") })
		h.must(s.Close(), "leave")
	}
	h.printed(o, "second")
	s, err := attacher.Attach(h.ctx(), o)
	h.must(err, "attach")
	_, ended := h.opened(s)
	h.must(h.engine.Members().Kill(h.ctx(), o, "KILL"), "kill")
	h.await(ended, "the end of the stream")
	if code, err := s.Wait(); err != nil || code != 137 {
		t.Errorf("the stream ended with %d, %v", code, err)
	}
}

func testAttachTerminal(t *testing.T, h *house) {
	spec := h.command("")
	spec.Command, spec.Interactive, spec.TTY = []string{"sh"}, true, true
	o := h.start(spec)
	attacher := capability[agent.Attacher](h)
	s, err := attacher.Attach(h.ctx(), o)
	h.must(err, "attach")
	said, ended := h.opened(s)
	h.must(attacher.Resize(h.ctx(), o, 100, 30), "resize")
	_, err = io.WriteString(s, "echo one; echo two\n")
	h.must(err, "write")
	h.until("the answer", func() bool { return said.has("one\r\ntwo\r\n") })
	_, err = io.WriteString(s, "exit 3\n")
	h.must(err, "write")
	h.await(ended, "the end of the shell")
	if code, err := s.Wait(); err != nil || code != 3 {
		t.Errorf("the shell ended with %d, %v", code, err)
	}
}

func testLogs(t *testing.T, h *house) {
	o := h.start(h.command("echo one; sleep 1.2; echo two >&2; sleep 1; echo three; echo four"))
	ended := h.untilStatus(o.Container, domain.Stopped)
	both := domain.LogQuery{Stdout: true, Stderr: true, Tail: -1}
	h.until("every line", func() bool { return strings.Contains(h.logs(o, both), "four") })
	one, three := h.printedAt(o, "one"), h.printedAt(o, "three")
	for _, c := range []struct {
		name string
		q    domain.LogQuery
		want string
	}{
		{"stdout", domain.LogQuery{Stdout: true, Tail: -1}, "one\nthree\nfour\n"},
		{"stderr", domain.LogQuery{Stderr: true, Tail: -1}, "two\n"},
		{"tail", domain.LogQuery{Stdout: true, Stderr: true, Tail: 1}, "four\n"},
		{"no line", domain.LogQuery{Stdout: true, Stderr: true, Tail: 0}, ""},
		{"since", domain.LogQuery{Stdout: true, Tail: -1, Since: one.Add(three.Sub(one) / 2)}, "three\nfour\n"},
	} {
		if got := h.logs(o, c.q); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	stamped := domain.LogQuery{Stdout: true, Timestamps: true, Tail: 1}
	stamp, line, _ := strings.Cut(h.logs(o, stamped), " ")
	if at, err := time.Parse(time.RFC3339Nano, stamp); err != nil || line != "four\n" || at.Before(ended.State.StartedAt) {
		t.Errorf("with a time: %q %q, %v", stamp, line, err)
	}
	kinds := map[domain.LogStream]string{}
	err := capability[agent.Logger](h).Logs(h.ctx(), o, both, func(s domain.LogStream, p []byte) error {
		kinds[s] += string(p)
		return nil
	})
	h.must(err, "read logs")
	if kinds[domain.Stdout] != "one\nthree\nfour\n" || kinds[domain.Stderr] != "two\n" {
		t.Errorf("the streams are mixed: %q", kinds)
	}
}

// printedAt is when the engine says that a line of the log was printed.
func (h *house) printedAt(o agent.Object, line string) time.Time {
	h.t.Helper()
	for stamped := range strings.Lines(h.logs(o, domain.LogQuery{Stdout: true, Tail: -1, Timestamps: true})) {
		if stamp, text, _ := strings.Cut(strings.TrimSpace(stamped), " "); text == line {
			at, err := time.Parse(time.RFC3339Nano, stamp)
			h.must(err, "read the time of "+line)
			return at
		}
	}
	h.t.Fatalf("%s was not printed", line)
	return time.Time{}
}

func testLogsTerminal(t *testing.T, h *house) {
	spec := h.command("echo one; echo two >&2")
	spec.TTY = true
	o := h.start(spec)
	h.untilStatus(o.Container, domain.Stopped)
	h.printed(o, "two")
	if got := h.logs(o, domain.LogQuery{Stdout: true, Stderr: true, Tail: -1}); got != "one\r\ntwo\r\n" {
		t.Errorf("a terminal's log is %q", got)
	}
}

func testArchive(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	archiver := capability[agent.Archiver](h)
	content := strings.Repeat("zun ", 300<<10)
	var sent bytes.Buffer
	w := tar.NewWriter(&sent)
	h.must(w.WriteHeader(&tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o755}), "write directory")
	h.must(w.WriteHeader(&tar.Header{Name: "dir/file", Typeflag: tar.TypeReg, Mode: 0o640, Size: int64(len(content))}), "write header")
	_, err := io.WriteString(w, content)
	h.must(err, "write file")
	h.must(w.Close(), "close archive")
	h.must(archiver.PutArchive(h.ctx(), o, "/tmp", &sent), "put")
	result, err := capability[agent.Execer](h).ExecRun(h.ctx(), o, []string{"cat", "/tmp/dir/file"}, 12)
	h.must(err, "cat")
	if string(result.Output) != "zun zun zun " {
		t.Errorf("inside it reads %q", result.Output)
	}
	var got bytes.Buffer
	stat, err := archiver.GetArchive(h.ctx(), o, "/tmp/dir/file", func(p []byte) error { got.Write(p); return nil })
	h.must(err, "get")
	if stat.Name != "file" || stat.Size != int64(len(content)) || stat.Mode&0o777 != 0o640 {
		t.Errorf("its stat is %+v", stat)
	}
	r := tar.NewReader(&got)
	header, err := r.Next()
	h.must(err, "read archive")
	back, err := io.ReadAll(r)
	if err != nil || header.Name != "file" || string(back) != content {
		t.Errorf("%s came back with %d bytes, %v", header.Name, len(back), err)
	}
	stat, err = archiver.GetArchive(h.ctx(), o, "/tmp/dir", func([]byte) error { return nil })
	if err != nil || stat.Name != "dir" {
		t.Errorf("the directory: %+v, %v", stat, err)
	}
}

func testArchiveFaults(_ *testing.T, h *house) {
	o := h.create(h.command("true"))
	archiver := capability[agent.Archiver](h)
	_, err := archiver.GetArchive(h.ctx(), o, "/no/such", func([]byte) error { return nil })
	h.fault(err, domain.Invalid, "/no/such")
	var empty bytes.Buffer
	h.must(tar.NewWriter(&empty).Close(), "make archive")
	h.fault(archiver.PutArchive(h.ctx(), o, "/no/such", &empty), domain.Invalid, "/no/such")
	h.fault(archiver.PutArchive(h.ctx(), o, "/tmp", strings.NewReader(strings.Repeat("junk", 400))), domain.Invalid)
}
