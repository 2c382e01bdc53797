package logfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-zun/zun/internal/adapter/engine/docker/logfile"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// writer writes a log as Docker does.
type writer struct {
	t    *testing.T
	path string
	keep int // rotated files that are kept
}

func newWriter(t *testing.T) *writer {
	t.Helper()
	w := &writer{t: t, path: filepath.Join(t.TempDir(), "x-json.log"), keep: 1}
	w.write("")
	return w
}

func (w *writer) write(text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) print(text string) { w.write(record("stdout", text)) }

func record(stream, text string) string {
	data, _ := json.Marshal(text) // a string always can be
	return fmt.Sprintf(`{"log":%s,"stream":%q,"time":"2024-05-01T10:20:30.123456789Z"}`, data, stream) + "\n"
}

func (w *writer) rotate() {
	w.t.Helper()
	for n := w.keep; n > 0; n-- {
		from := w.path
		if n > 1 {
			from = fmt.Sprintf("%s.%d", w.path, n-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", w.path, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
	w.write("")
}

func open(t *testing.T, w *writer) *logfile.Reader {
	t.Helper()
	r, err := logfile.Open(w.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// rest reads what is there now; a loss shows as "<lost>".
func rest(t *testing.T, r *logfile.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Lost {
			b.WriteString("<lost>")
		}
		b.Write(e.Data)
	}
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: read %q, want %q", what, got, want)
	}
}

func TestWhatIsRead(t *testing.T) {
	for text, want := range map[string]journal.Entry{
		record("stdout", "plain\n"):  {Stream: domain.Stdout, Data: []byte("plain\n")},
		record("stderr", "broken"):   {Stream: domain.Stderr, Data: []byte("broken")},
		record("stdout", ""):         {Stream: domain.Stdout, Data: []byte("")},
		record("stdout", "\n"):       {Stream: domain.Stdout, Data: []byte("\n")},
		record("stdout", "\\n"):      {Stream: domain.Stdout, Data: []byte("\\n")},
		record("stdout", "a\\\n"):    {Stream: domain.Stdout, Data: []byte("a\\\n")},
		record("stdout", `"q"\`):     {Stream: domain.Stdout, Data: []byte(`"q"\`)},
		record("stdout", "\r\n"):     {Stream: domain.Stdout, Data: []byte("\r\n")},
		record("stdout", "<ü\x00>"):  {Stream: domain.Stdout, Data: []byte("<ü\x00>")},
		record("stdout", `","time"`): {Stream: domain.Stdout, Data: []byte(`","time"`)},
		`{"log":"x","stream":"stderr","attrs":{"a":"b"},"time":"2024-05-01T10:20:30.123456789Z"}` + "\n": {Stream: domain.Stderr, Data: []byte("x")},
	} {
		w := newWriter(t)
		w.write(text)
		got, err := open(t, w).Next()
		if err != nil || got.Stream != want.Stream || !bytes.Equal(got.Data, want.Data) || got.At.UnixNano() != 1714558830123456789 {
			t.Errorf("%s: read %+v %q, %v", text, got, got.Data, err)
		}
	}
}

func TestTheEndOfAFileMoves(t *testing.T) {
	w := newWriter(t)
	r := open(t, w)
	expect(t, "an empty log", rest(t, r), "")
	w.print("one\n")
	expect(t, "then", rest(t, r), "one\n")
	half := record("stdout", "two\n")
	w.write(half[:20])
	expect(t, "half a line", rest(t, r), "")
	w.write(half[20:])
	expect(t, "its rest", rest(t, r), "two\n")
}

func TestRotationLosesNothing(t *testing.T) {
	w := newWriter(t)
	w.print("0\n")
	w.rotate()
	w.print("1\n")
	r := open(t, w)
	expect(t, "both files", rest(t, r), "<lost>0\n1\n") // there may have been others before them
	w.print("2\n")
	w.rotate()
	expect(t, "written before a rotation", rest(t, r), "2\n")
	w.print("3\n")
	w.rotate()
	w.print("4\n")
	expect(t, "around a rotation", rest(t, r), "3\n4\n")
}

func TestRotationThatOutrunsTheReaderIsTold(t *testing.T) {
	w := newWriter(t)
	r := open(t, w)
	w.print("0\n")
	for _, text := range []string{"1\n", "2\n", "3\n"} {
		w.rotate()
		w.print(text)
	}
	expect(t, "after three rotations", rest(t, r), "0\n<lost>2\n3\n")
	w.print("4\n")
	expect(t, "and on", rest(t, r), "4\n")
}

func TestInTheMiddleOfARotation(t *testing.T) {
	w := newWriter(t)
	w.print("0\n")
	r := open(t, w)
	if err := os.Rename(w.path, w.path+".1"); err != nil {
		t.Fatal(err)
	}
	expect(t, "before the new file is there", rest(t, r), "0\n")
	expect(t, "and again", rest(t, r), "")
	if _, err := logfile.Open(w.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened without the newest file: %v", err)
	}
	w.print("1\n")
	expect(t, "once it is", rest(t, r), "1\n")
}

func TestDamage(t *testing.T) {
	w := newWriter(t)
	r := open(t, w)
	w.print("0\n")
	w.write("{\"log\":\"tor\n")
	w.print("1\n")
	expect(t, "a torn line", rest(t, r), "0\n<lost>1\n")
	w.write(strings.Repeat("x", 1<<20) + "\n")
	w.print("2\n")
	expect(t, "a line without end", rest(t, r), "<lost>2\n")
	w.print("3\n")
	w.write(`{"log":"half`)
	w.rotate()
	w.print("4\n")
	expect(t, "a line that a rotation cut", rest(t, r), "3\n<lost>4\n")
	if err := os.Truncate(w.path, 0); err != nil {
		t.Fatal(err)
	}
	expect(t, "an emptied file", rest(t, r), "")
	w.print("5\n")
	expect(t, "and on", rest(t, r), "<lost>5\n")
}

func TestLongLines(t *testing.T) {
	w := newWriter(t)
	r := open(t, w)
	long := strings.Repeat("\x00", 16<<10) // what Docker records at most, in its longest form
	w.print(long)
	w.print("next\n")
	expect(t, "a long line", rest(t, r), long+"next\n")
}

func TestALogThatIsRemoved(t *testing.T) {
	w := newWriter(t)
	w.print("0\n")
	r := open(t, w)
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	expect(t, "what was there", rest(t, r), "0\n")
	expect(t, "and no more", rest(t, r), "")
}

// TestAReaderThatKeepsUpSeesAll reads while another goroutine writes and rotates: never
// again before the reader has seen the file that the last rotation made.
func TestAReaderThatKeepsUpSeesAll(t *testing.T) {
	const lines, perFile = 20000, 500
	w := newWriter(t)
	r := open(t, w)
	seen := make(chan int, lines)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for n := range lines {
			if n%perFile == perFile-1 {
				for first := n - n%perFile; <-seen < first; {
					continue
				}
				w.rotate()
			}
			w.print(fmt.Sprintf("%d\n", n))
		}
	}()
	deadline := time.Now().Add(time.Minute)
	for next := 0; next < lines; {
		e, err := r.Next()
		switch {
		case err == nil && !e.Lost && string(e.Data) == fmt.Sprintf("%d\n", next):
			seen <- next
			next++
		case !errors.Is(err, io.EOF):
			t.Fatalf("after %d: %+v %q, %v", next, e, e.Data, err)
		case time.Now().After(deadline):
			t.Fatalf("waited in vain for line %d", next)
		}
	}
	<-written
}

func FuzzLine(f *testing.F) {
	f.Add("text\n", "junk")
	f.Add(`\"`, `{"log":"`)
	f.Fuzz(func(t *testing.T, text, junk string) {
		w := newWriter(t)
		w.write(record("stdout", text))
		w.write(junk + "\n")
		w.print("behind\n")
		r := open(t, w)
		e, err := r.Next()
		if err != nil || utf8.ValidString(text) && string(e.Data) != text {
			t.Fatalf("read %q of %q, %v", e.Data, text, err)
		}
		for string(e.Data) != "behind\n" {
			if e, err = r.Next(); err != nil {
				t.Fatalf("the line behind was not found: %v", err)
			}
		}
	})
}
