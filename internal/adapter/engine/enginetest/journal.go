package enginetest

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

func (h *house) journal(o agent.Object) journal.Reader {
	h.t.Helper()
	r, err := capability[agent.Journaler](h).OpenJournal(h.ctx(), o)
	h.must(err, "open the journal")
	h.t.Cleanup(func() { _ = r.Close() })
	return r
}

// entry waits for the next entry; its data is a copy.
func (h *house) entry(r journal.Reader) journal.Entry {
	h.t.Helper()
	var e journal.Entry
	h.until("an entry of the journal", func() bool {
		var err error
		e, err = r.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			h.t.Fatalf("read the journal: %v", err)
		}
		return err == nil
	})
	e.Data = append([]byte{}, e.Data...)
	return e
}

func testJournal(t *testing.T, h *house) {
	o := h.start(h.command("echo one; sleep 0.3; echo two >&2; sleep 0.3; echo -n three"))
	began := h.member(o.Container).State.StartedAt
	r := h.journal(o)
	for i, want := range []struct {
		stream domain.LogStream
		text   string
	}{{domain.Stdout, "one\n"}, {domain.Stderr, "two\n"}, {domain.Stdout, "three"}} {
		e := h.entry(r)
		if e.Stream != want.stream || strings.TrimSuffix(string(e.Data), "\n") != strings.TrimSuffix(want.text, "\n") || e.Lost {
			t.Errorf("entry %d is %q of stream %d, lost %t", i, e.Data, e.Stream, e.Lost)
		}
		if took := e.At.Sub(began); took < -time.Second || took > patience {
			t.Errorf("entry %d was printed %s after the start", i, took)
		}
	}
	h.untilStatus(o.Container, domain.Stopped)
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %v", err)
	}
}

func testJournalTerminal(t *testing.T, h *house) {
	spec := h.command("echo one; echo two >&2")
	spec.TTY = true
	o := h.start(spec)
	r := h.journal(o)
	for _, want := range []string{"one\r\n", "two\r\n"} {
		if e := h.entry(r); string(e.Data) != want || e.Stream != domain.Stdout {
			t.Errorf("a terminal's entry is %q of stream %d", e.Data, e.Stream)
		}
	}
}

func testJournalOfRuns(t *testing.T, h *house) {
	o := h.start(h.command("echo run"))
	r := h.journal(o)
	first := h.entry(r)
	h.untilStatus(o.Container, domain.Stopped)
	h.must(h.engine.Members().Start(h.ctx(), o), "start again")
	if again := h.entry(r); string(again.Data) != "run\n" || again.Lost || !again.At.After(first.At) {
		t.Errorf("the second run printed %q at %s, lost %t; the first at %s", again.Data, again.At, again.Lost, first.At)
	}
	h.untilStatus(o.Container, domain.Stopped)
	h.must(h.engine.Members().Remove(h.ctx(), o), "remove")
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("of a container that is removed: %v", err)
	}
	_, err := capability[agent.Journaler](h).OpenJournal(h.ctx(), o)
	h.fault(err, domain.NotFound)
}

// A program prints the numbers to burst each time that it gets a signal, so that it never
// prints faster than a test wants it to.
const (
	burst  = 5000
	bursts = 8
)

func testJournalRotation(t *testing.T, h *house) {
	o := h.start(h.command(`trap "seq ` + strconv.Itoa(burst) + `" USR1; echo 0; while true; do sleep 0.1; done`))
	late, keen := h.journal(o), h.journal(o)
	for _, r := range []journal.Reader{late, keen} {
		if n, lost := h.number(r); n != 0 || lost {
			t.Fatalf("the journal begins with %d, lost %t", n, lost)
		}
	}
	for range bursts {
		h.must(h.engine.Members().Kill(h.ctx(), o, "USR1"), "signal")
		for last := range burst {
			if n, lost := h.number(keen); lost || n != last+1 {
				t.Fatalf("one who keeps up read %d after %d, lost %t", n, last, lost)
			}
		}
	}
	last, gaps := 0, 0
	for {
		e, err := late.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		h.must(err, "read the journal")
		n := h.numberOf(e)
		if e.Lost {
			gaps++
		} else if n != last%burst+1 {
			t.Fatalf("one who is late read %d after %d", n, last)
		}
		last = n
	}
	if gaps == 0 || last != burst {
		t.Errorf("one who is late was told of %d losses and ended at %d", gaps, last)
	}
}

// number waits for the next entry, which is a number that comes after another.
func (h *house) number(r journal.Reader) (n int, lost bool) {
	h.t.Helper()
	e := h.entry(r)
	return h.numberOf(e), e.Lost
}

func (h *house) numberOf(e journal.Entry) int {
	h.t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(string(e.Data)))
	h.must(err, "read a number")
	return n
}

// testJournalPace reads while the process prints faster than it is read.
func testJournalPace(t *testing.T, h *house) {
	o := h.start(h.command("seq 1 3000; sleep 1000"))
	r := h.journal(o)
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	for want := 1; want <= 3000; want++ {
		if n, _ := h.number(r); n != want {
			t.Fatalf("read %d, want %d", n, want)
		}
		<-tick.C
	}
}
