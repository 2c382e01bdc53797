package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// log is a container whose output and fate the test writes.
type log struct {
	name    string
	entries []journal.Entry
	dropped int // entries rotated away
	alive   bool
	gone    bool
	code    *int
}

func (l *log) Look(context.Context) (journal.Member, error) {
	if l.gone {
		return journal.Member{}, domain.NewFault(domain.NotFound, "container-not-found", "No such container")
	}
	return journal.Member{Log: l.name, Alive: l.alive, ExitCode: l.code}, nil
}

func (l *log) Open(context.Context) (journal.Reader, error) {
	return &reader{log: l, name: l.name, next: l.dropped, cut: l.dropped > 0}, nil
}

func (l *log) print(at int64, text string) {
	l.entries = append(l.entries, journal.Entry{Stream: domain.Stdout, At: time.Unix(0, at), Data: []byte(text)})
}

func (l *log) complain(at int64, text string) {
	l.print(at, text)
	l.entries[len(l.entries)-1].Stream = domain.Stderr
}

// renew makes the container anew.
func (l *log) renew(name string) { l.name, l.entries, l.dropped = name, nil, 0 }

type reader struct {
	log     *log
	name    string
	entries []journal.Entry // as last seen: a former object's log stays as it was
	next    int
	cut     bool
}

func (r *reader) Next() (journal.Entry, error) {
	lost := r.cut
	if r.log.name == r.name {
		r.entries = r.log.entries
		if r.next < r.log.dropped {
			r.next, lost = r.log.dropped, true
		}
	}
	if r.next >= len(r.entries) {
		return journal.Entry{}, io.EOF
	}
	e := r.entries[r.next]
	e.Data = slices.Clone(e.Data)
	e.Lost, r.cut = lost, false
	r.next++
	return e, nil
}

func (r *reader) Close() error { return nil }

// told is what a follower was told.
type told struct {
	records []domain.FollowRecord
}

func (s *told) text() string {
	var b strings.Builder
	for _, r := range s.records {
		switch r.Kind {
		case domain.FollowLine:
			b.Write(r.Data)
		case domain.FollowGap, domain.FollowEnd:
			fmt.Fprintf(&b, "<%s %s>", r.Kind, r.Reason)
		}
	}
	return b.String()
}

func (s *told) cursor() string { return s.records[len(s.records)-1].Cursor }

var everything = domain.FollowQuery{Stdout: true, Stderr: true, Tail: -1}

func behind(cursor string) domain.FollowQuery {
	q := everything
	q.Cursor = cursor
	return q
}

// follow runs a follower; each pause does the next of the turns, and the follower is
// stopped after the last.
func follow(t *testing.T, l *log, q domain.FollowQuery, turns ...func()) *told {
	t.Helper()
	s := &told{}
	pause := func(context.Context, time.Duration) bool {
		if len(turns) == 0 {
			return false
		}
		turns[0]()
		turns = turns[1:]
		return true
	}
	err := journal.Follow(t.Context(), l, q, pause, func(r []domain.FollowRecord) error {
		s.records = append(s.records, r...)
		return nil
	})
	if err != nil && !domain.IsKind(err, domain.Unavailable) {
		t.Fatal(err)
	}
	if len(s.records) == 0 || s.records[0].Kind != domain.FollowBegin {
		t.Fatalf("the follower was told %+v first", s.records)
	}
	return s
}

func nothing() {}

// awhile are turns enough for a look at the member.
func awhile(first func()) []func() {
	return []func(){first, nothing, nothing, nothing, nothing, nothing}
}

func lines(n int) *log {
	l := &log{name: "a", alive: true}
	for i := range n {
		l.print(int64(1000+i), fmt.Sprintf("%d\n", i))
	}
	return l
}

func TestFollowersGetWhatComes(t *testing.T) {
	l := lines(2)
	got := follow(t, l, everything, func() { l.print(2000, "later\n") }, nothing)
	if got.text() != "0\n1\nlater\n" {
		t.Errorf("told %q", got.text())
	}
	if at := got.records[3].At; at.UnixNano() != 2000 {
		t.Errorf("the time told is %v", at)
	}
}

func TestWhatAFollowerChooses(t *testing.T) {
	l := lines(3)
	l.complain(2000, "oh\n")
	l.print(2001, "3\n")
	for name, c := range map[string]struct {
		q    domain.FollowQuery
		want string
	}{
		"output":             {domain.FollowQuery{Stdout: true, Tail: -1}, "0\n1\n2\n3\n"},
		"errors":             {domain.FollowQuery{Stderr: true, Tail: -1}, "oh\n"},
		"a tail of all":      {domain.FollowQuery{Stdout: true, Stderr: true, Tail: 2}, "oh\n3\n"},
		"a tail of output":   {domain.FollowQuery{Stdout: true, Tail: 2}, "2\n3\n"},
		"a tail too long":    {domain.FollowQuery{Stdout: true, Tail: 9}, "0\n1\n2\n3\n"},
		"nothing yet":        {domain.FollowQuery{Stdout: true, Stderr: true, Tail: 0}, ""},
		"from a time":        {domain.FollowQuery{Stdout: true, Stderr: true, Tail: -1, Since: time.Unix(0, 1002)}, "2\noh\n3\n"},
		"a tail from a time": {domain.FollowQuery{Stdout: true, Stderr: true, Tail: 9, Since: time.Unix(0, 2000)}, "oh\n3\n"},
	} {
		if got := follow(t, l, c.q).text(); got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}

func TestFollowersOfNothingYetMissNothing(t *testing.T) {
	l := lines(3)
	first := follow(t, l, domain.FollowQuery{Stdout: true, Stderr: true, Tail: 0})
	l.print(2000, "3\n")
	if got := follow(t, l, behind(first.cursor())); got.text() != "3\n" {
		t.Errorf("told %q", got.text())
	}
	empty := &log{name: "b", alive: true}
	first = follow(t, empty, everything)
	empty.print(1, "0\n")
	if got := follow(t, empty, behind(first.cursor())); got.text() != "0\n" {
		t.Errorf("of an empty log: told %q", got.text())
	}
	empty.dropped = 1
	empty.print(2, "1\n")
	if got := follow(t, empty, behind(first.cursor())); got.text() != "<gap rotated>1\n" {
		t.Errorf("of an empty log that was rotated: told %q", got.text())
	}
}

func TestTheEndIsTold(t *testing.T) {
	l, code := lines(1), 3
	got := follow(t, l, everything, awhile(func() { l.alive, l.code = false, &code; l.print(2000, "last\n") })...)
	end := got.records[len(got.records)-1]
	if got.text() != "0\nlast\n<end exited>" || end.ExitCode == nil || *end.ExitCode != 3 {
		t.Errorf("told %q, %+v", got.text(), end)
	}
	if got := follow(t, l, behind(end.Cursor)); got.text() != "<end exited>" {
		t.Errorf("one that comes after it is told %q", got.text())
	}
	gone := lines(1)
	if got := follow(t, gone, everything, awhile(func() { gone.gone = true; gone.print(2000, "last\n") })...); got.text() != "0\nlast\n<end deleted>" {
		t.Errorf("of a deleted container: told %q", got.text())
	}
	if err := journal.Follow(t.Context(), gone, everything, nil, nil); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("a container that is gone: %v", err)
	}
}

func TestRestartsAreFollowedWhenAsked(t *testing.T) {
	l := lines(1)
	q := everything
	q.Restarts = true
	l.alive = false
	got := follow(t, l, q, awhile(func() { l.alive = true; l.print(2000, "again\n") })...)
	if got.text() != "0\nagain\n" {
		t.Errorf("told %q", got.text())
	}
	got = follow(t, l, q, append(awhile(func() { l.renew("b"); l.print(500, "anew\n") }), nothing)...)
	if got.text() != "0\nagain\nanew\n" {
		t.Errorf("made anew: told %q", got.text())
	}
	if got := follow(t, lines(1), everything, awhile(func() {})...); got.text() != "0\n" {
		t.Errorf("a container that lives: told %q", got.text())
	}
}

func TestContainersAreFollowedFromBeforeTheirStart(t *testing.T) {
	l := &log{}
	start := func() { l.name, l.alive = "a", true; l.print(1, "hello\n") }
	got := follow(t, l, everything, append(awhile(start), func() { l.alive = false }, nothing, nothing, nothing, nothing)...)
	if got.text() != "hello\n<end exited>" {
		t.Errorf("told %q", got.text())
	}
	if got := follow(t, l, behind(got.records[0].Cursor)); got.text() != "hello\n<end exited>" {
		t.Errorf("one that comes back: told %q", got.text())
	}
}

func TestCursorsOfAFormerContainer(t *testing.T) {
	l := lines(2)
	first := follow(t, l, everything)
	l.renew("b")
	l.print(1, "anew\n")
	if got := follow(t, l, behind(first.cursor())); got.text() != "<gap replaced>anew\n" {
		t.Errorf("told %q", got.text())
	}
	for _, junk := range []string{"junk", "AAAA", first.cursor()[:20], "!" + first.cursor()[1:], strings.Repeat("A", 39)} {
		if err := journal.Follow(t.Context(), l, behind(junk), nil, nil); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("cursor %q: %v", junk, err)
		}
	}
}

func TestRotationIsTold(t *testing.T) {
	l := lines(4)
	got := follow(t, l, everything, func() { l.print(2000, "4\n"); l.print(2001, "5\n"); l.dropped = 5 }, nothing)
	if got.text() != "0\n1\n2\n3\n<gap rotated>5\n" {
		t.Errorf("to one that fell behind: told %q", got.text())
	}
	l = lines(4)
	first := follow(t, l, everything)
	l.dropped = 3 // the last that the follower has is kept
	l.print(2000, "4\n")
	if got := follow(t, l, behind(first.cursor())); got.text() != "4\n" {
		t.Errorf("to one that missed nothing: told %q", got.text())
	}
	l.dropped = 4
	if got := follow(t, l, behind(first.cursor())); got.text() != "<gap rotated>4\n" {
		t.Errorf("to one whose place is gone: told %q", got.text())
	}
	if got := follow(t, l, everything); got.text() != "4\n" {
		t.Errorf("to a new one: told %q", got.text())
	}
	old := &log{name: "a", alive: true, dropped: 1}
	old.print(1, "gone\n")
	old.print(5, "older than the cursor\n")
	if got := follow(t, old, behind(first.cursor())); got.text() != "<gap rotated>older than the cursor\n" {
		t.Errorf("where all that is left is older: told %q", got.text())
	}
}

func TestSlowFollowersHoldTheReadingBack(t *testing.T) {
	l := lines(5000)
	var most int
	r := &counting{}
	err := journal.Follow(t.Context(), counted{l, r}, everything, func(context.Context, time.Duration) bool { return false },
		func(batch []domain.FollowRecord) error {
			most = max(most, len(batch))
			r.told += len(batch)
			if ahead := r.read - r.told; ahead > 1 {
				t.Fatalf("%d entries were read and not told", ahead)
			}
			return nil
		})
	if !domain.IsKind(err, domain.Unavailable) || r.read != 5000 || most < 2 || most > 1000 {
		t.Errorf("read %d, at most %d at once, %v", r.read, most, err)
	}
	broken := errors.New("the follower is gone")
	if err := journal.Follow(t.Context(), l, everything, nil, func([]domain.FollowRecord) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("a follower that is gone: %v", err)
	}
}

type counting struct{ read, told int }

type counted struct {
	*log
	n *counting
}

func (c counted) Open(ctx context.Context) (journal.Reader, error) {
	r, err := c.log.Open(ctx)
	return countedReader{r, c.n}, err
}

type countedReader struct {
	journal.Reader
	n *counting
}

func (c countedReader) Next() (journal.Entry, error) {
	e, err := c.Reader.Next()
	if err == nil {
		c.n.read++
	}
	return e, err
}

// TestResumedFollowersMissAndDoubleNothing reads random logs in random pieces: times
// repeat and step back, lines are alike, a follower comes back with the cursor of any
// record, and old output is dropped behind it.
func TestResumedFollowersMissAndDoubleNothing(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		l, at, read, cursor := &log{name: "a", alive: true}, int64(1000), 0, ""
		var got strings.Builder
		for range 12 {
			grow(r, l, &at)
			if r.IntN(3) == 0 && read > 0 {
				l.dropped = max(l.dropped, keepable(l, read))
			}
			said := follow(t, l, behind(cursor))
			records := said.records[:1+r.IntN(len(said.records))]
			for _, rec := range records {
				if rec.Kind == domain.FollowGap {
					t.Fatalf("seed %d: told of a gap where none is", seed)
				}
				if rec.Kind == domain.FollowLine {
					got.Write(rec.Data)
					read++
				}
			}
			cursor = records[len(records)-1].Cursor
		}
		var want strings.Builder
		for _, e := range l.entries[:read] {
			want.Write(e.Data)
		}
		if got.String() != want.String() {
			t.Fatalf("seed %d: told\n%q\nwant\n%q", seed, got.String(), want.String())
		}
	}
}

func grow(r *rand.Rand, l *log, at *int64) {
	for range r.IntN(8) {
		switch r.IntN(5) {
		case 0: // the same moment
		case 1:
			*at -= int64(r.IntN(3))
		default:
			*at += int64(r.IntN(3))
		}
		text := []string{"a\n", "b\n", "half", "\x00\xff\n"}[r.IntN(4)]
		if r.IntN(2) == 0 {
			l.print(*at, text)
		} else {
			l.complain(*at, text)
		}
	}
}

// keepable is how many of the entries that were read may be dropped such that the
// newest of them, by which the place is told, is kept.
func keepable(l *log, read int) int {
	newest := l.dropped
	for i := l.dropped; i < read; i++ {
		if i == l.dropped || l.entries[i].At.After(l.entries[newest].At) {
			newest = i
		}
	}
	return newest
}
