package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/internal/rest/stream"
)

// output is the followed log that a test scripts.
type output struct {
	asked  chan domain.FollowQuery
	script func(ctx context.Context, sink control.FollowSink) error
	ended  chan struct{} // receives when a following ended
}

func (o *output) Follow(ctx context.Context, _ domain.Actor, _ control.Ref, q domain.FollowQuery, sink control.FollowSink) error {
	defer func() { o.ended <- struct{}{} }()
	o.asked <- q
	return o.script(ctx, sink)
}

// meter counts what is told to it.
type meter struct {
	mu                         sync.Mutex
	open, records, bytes, gaps int
	ends                       []string
}

func (m *meter) Following(more int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open += more
}

func (m *meter) Followed(records, bytes, gaps int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records, m.bytes, m.gaps = m.records+records, m.bytes+bytes, m.gaps+gaps
}

func (m *meter) FollowingEnded(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends = append(m.ends, reason)
}

// withdrawn is an identity whose token can be withdrawn.
type withdrawn struct {
	identity
	gone atomic.Bool
}

func (w *withdrawn) Authenticate(ctx context.Context, token string) (domain.Actor, error) {
	if w.gone.Load() {
		return domain.Actor{}, domain.NewFault(domain.Unauthenticated, "", "withdrawn")
	}
	return w.identity.Authenticate(ctx, token)
}

// broadcast is a served front door with a followed log behind it.
type broadcast struct {
	*output
	t        *testing.T
	url      string
	meter    *meter
	identity *withdrawn
	stopping chan struct{}
}

func newBroadcast(t *testing.T, timing stream.Timing, script func(ctx context.Context, sink control.FollowSink) error) *broadcast {
	t.Helper()
	b := &broadcast{
		t: t, meter: &meter{}, identity: &withdrawn{}, stopping: make(chan struct{}),
		output: &output{asked: make(chan domain.FollowQuery, 99), ended: make(chan struct{}, 99), script: script},
	}
	h := build(t, func(d *rest.Deps) {
		d.Output, d.FollowMeter, d.Identity, d.Stopping = b.output, b.meter, b.identity, b.stopping
		d.Options.Extensions, d.Options.Follow = true, rest.FollowOptions{PerContainer: 2, PerProject: 3, Timing: timing}
	})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *broadcast) get(row, query string, header map[string]string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+"/v1/containers/"+row+"/logs/follow"+query, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set(api.HeaderToken, "member")
	r.Header.Set("Accept", "text/event-stream")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// next reads one event; its name is "alive" for a sign of life and empty at the end.
func next(t *testing.T, from *bufio.Reader) (name, id string, record api.LogRecord) {
	t.Helper()
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return "", "", record
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "id":
			id = value
		case "event":
			name = value
		case "data":
			if err := json.Unmarshal([]byte(value), &record); err != nil {
				t.Fatal(err)
			}
		case "":
			if value == "alive" {
				return "alive", "", record
			}
			if name != "" {
				return name, id, record
			}
		}
	}
}

func record(kind domain.FollowKind, cursor string) domain.FollowRecord {
	return domain.FollowRecord{Kind: kind, Cursor: cursor}
}

func TestFollowedLogsAreEvents(t *testing.T) {
	code := 3
	line := domain.FollowRecord{Kind: domain.FollowLine, Stream: domain.Stderr, At: moment.Add(7), Data: []byte("\x00\xff\n"), Cursor: "b"}
	gap := domain.FollowRecord{Kind: domain.FollowGap, Reason: domain.GapRotated, Cursor: "c"}
	end := domain.FollowRecord{Kind: domain.FollowEnd, Reason: domain.EndExited, ExitCode: &code, Cursor: "d"}
	b := newBroadcast(t, stream.Timing{}, func(_ context.Context, sink control.FollowSink) error {
		return errors.Join(sink([]domain.FollowRecord{record(domain.FollowBegin, "a"), line}), sink([]domain.FollowRecord{gap}), sink([]domain.FollowRecord{end}))
	})
	answer := b.get("web-1", "?stdout=false&tail=5&since=1700000000&restarts=true&cursor=old", map[string]string{"Last-Event-ID": "new"})
	want := domain.FollowQuery{Stderr: true, Tail: 5, Since: time.Unix(1700000000, 0), Cursor: "new", Restarts: true}
	if got := <-b.asked; got != want {
		t.Errorf("the host is asked %+v", got)
	}
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%s %v", answer.Status, answer.Header)
	}
	from := bufio.NewReader(answer.Body)
	for _, want := range []string{
		`begin a {}`, `line b {"stream":"stderr","time":"2026-11-22T19:45:23.725710007Z","data":"AP8K"}`,
		`gap c {"reason":"rotated"}`, `end d {"reason":"exited","exit_code":3}`, `  {}`,
	} {
		name, id, record := next(t, from)
		data, _ := json.Marshal(record)
		if got := fmt.Sprintf("%s %s %s", name, id, data); got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
	<-b.ended
	if m := b.meter; m.open != 0 || m.records != 4 || m.bytes != 3 || m.gaps != 1 || strings.Join(m.ends, " ") != "exited" {
		t.Errorf("counted %+v", m)
	}
	untimed := bufio.NewReader(b.get("web-1", "?timestamps=false", nil).Body)
	_, _, _ = next(t, untimed)
	if _, _, record := next(t, untimed); record.Time != "" {
		t.Errorf("a time although none was asked for: %+v", record)
	}
}

func TestWhatIsRefusedBeforeFollowing(t *testing.T) {
	b := newBroadcast(t, stream.Timing{}, func(context.Context, control.FollowSink) error {
		return domain.NewFault(domain.Conflict, "conflict", "Cannot act on container in 'Error' state")
	})
	for name, c := range map[string]struct {
		row, query string
		header     map[string]string
		status     int
	}{
		"by the host":        {"web-1", "", nil, 409},
		"an unknown one":     {"nosuch", "", nil, 404},
		"no token":           {"web-1", "", map[string]string{"X-Auth-Token": ""}, 401},
		"a foreign cursor":   {"web-1", "?cursor=a%20b", nil, 400},
		"a foreign event":    {"web-1", "", map[string]string{"Last-Event-ID": "a/b"}, 400},
		"a bad time":         {"web-1", "?since=yesterday", nil, 400},
		"an unknown word":    {"web-1", "?follow=true", nil, 400},
		"another media type": {"web-1", "", map[string]string{"Accept": "text/html"}, 406},
	} {
		if answer := b.get(c.row, c.query, c.header); answer.StatusCode != c.status {
			t.Errorf("%s: %s, want %d", name, answer.Status, c.status)
		}
	}
	if m := b.meter; m.open != 0 || len(m.ends) != 0 {
		t.Errorf("counted %+v", m)
	}
	plain := build(t, nil)
	if w := plain.do(t, ask{path: "/v1/containers/web-1/logs/follow"}); w.Code != 404 {
		t.Errorf("where extensions are off: %d", w.Code)
	}
	if w := plain.do(t, ask{path: "/v1/containers/web-1/logs?follow=true"}); w.Code != 400 {
		t.Errorf("the plain call took a word that it does not know: %d", w.Code)
	}
}

// lasting begins and then waits for the end of its follower.
func lasting(ctx context.Context, sink control.FollowSink) error {
	if err := sink([]domain.FollowRecord{record(domain.FollowBegin, "a")}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestFollowersPerContainerAndProject(t *testing.T) {
	b := newBroadcast(t, stream.Timing{}, lasting)
	first := b.get("web-1", "", nil)
	b.get("web-1", "", nil)
	if answer := b.get("web-1", "", nil); answer.StatusCode != 429 {
		t.Errorf("a third of one container: %s", answer.Status)
	}
	if answer := b.get(otherID, "", nil); answer.StatusCode != 200 {
		t.Errorf("a third of one project: %s", answer.Status)
	}
	if answer := b.get(otherID, "", nil); answer.StatusCode != 429 {
		t.Errorf("a fourth of one project: %s", answer.Status)
	}
	_ = first.Body.Close()
	<-b.ended
	deadline := time.Now().Add(10 * time.Second)
	for b.get("web-1", "", nil).StatusCode != 200 {
		if time.Now().After(deadline) {
			t.Fatal("the place of one that left is not free")
		}
	}
}

func TestHowFollowingEnds(t *testing.T) {
	short := 50 * time.Millisecond
	broken := func(cause error) func(context.Context, control.FollowSink) error {
		return func(_ context.Context, sink control.FollowSink) error {
			return errors.Join(sink([]domain.FollowRecord{record(domain.FollowBegin, "a")}), cause)
		}
	}
	for name, c := range map[string]struct {
		timing stream.Timing
		script func(context.Context, control.FollowSink) error
		end    func(*broadcast)
		resume bool
	}{
		"lifetime":     {stream.Timing{Longest: short}, lasting, nil, true},
		"stopping":     {stream.Timing{}, lasting, func(b *broadcast) { close(b.stopping) }, true},
		"unauthorized": {stream.Timing{Recheck: short}, lasting, func(b *broadcast) { b.identity.gone.Store(true) }, true},
		"unavailable":  {stream.Timing{}, broken(domain.NewFault(domain.Unavailable, "host-stopping", "stopping")), nil, true},
		"failed":       {stream.Timing{}, broken(errors.New("boom")), nil, false},
	} {
		b := newBroadcast(t, c.timing, c.script)
		from := bufio.NewReader(b.get("web-1", "", nil).Body)
		if name, _, _ := next(t, from); name != "begin" {
			t.Errorf("first comes %q", name)
		}
		if c.end != nil {
			c.end(b)
		}
		kind, id, end := next(t, from)
		if kind != "end" || id != "a" || end.Reason != name || end.Resume != c.resume {
			t.Errorf("%s: sent %s %s %+v", name, kind, id, end)
		}
		if kind, _, _ := next(t, from); kind != "" {
			t.Errorf("%s: behind the end comes %s", name, kind)
		}
		<-b.ended
	}
}

func TestSilentLogsShowLife(t *testing.T) {
	b := newBroadcast(t, stream.Timing{Alive: 20 * time.Millisecond, Recheck: 30 * time.Millisecond}, lasting)
	from := bufio.NewReader(b.get("web-1", "", nil).Body)
	_, _, _ = next(t, from)
	for range 3 {
		if name, _, _ := next(t, from); name != "alive" {
			t.Fatalf("in silence comes %q", name)
		}
	}
}

func TestFollowersThatTakeNothingAreLeft(t *testing.T) {
	batch := []domain.FollowRecord{{Kind: domain.FollowLine, Data: make([]byte, 32<<10), Cursor: "a"}}
	var sent atomic.Int64
	b := newBroadcast(t, stream.Timing{Patience: 300 * time.Millisecond}, func(_ context.Context, sink control.FollowSink) error {
		for {
			if err := sink(batch); err != nil {
				return err
			}
			sent.Add(1)
		}
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprint(conn, "GET /v1/containers/web-1/logs/follow HTTP/1.1\r\nHost: x\r\nX-Auth-Token: member\r\n\r\n")
	select {
	case <-b.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("one who takes nothing is still served")
	}
	if n := sent.Load(); n > 1024 {
		t.Errorf("%d batches were taken from the host for one who takes none", n)
	}
}
