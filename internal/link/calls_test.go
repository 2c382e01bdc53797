package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/node"
	"github.com/go-zun/zun/internal/link/trust"
)

// pair is one replica and one host that can call each other.
func pair(t *testing.T) (*rig, *replica, *machine, control.Calls) {
	t.Helper()
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	m := r.joined("h1", rep)
	return r, rep, m, rep.nodes.Calls(r.store.host("h1"))
}

func TestUnaryCallsArrive(t *testing.T) {
	_, _, m, calls := pair(t)
	ctx := t.Context()
	if seen, err := calls.Observe(ctx, "c1"); err != nil || seen.Detail != "c1" {
		t.Errorf("observe: %+v %v", seen, err)
	}
	if res, err := calls.ExecRun(ctx, "c1", []string{"ls"}); err != nil || string(res.Output) != "ls" || res.ExitCode != 3 {
		t.Errorf("exec: %+v %v", res, err)
	}
	if table, err := calls.Top(ctx, "c1", "aux"); err != nil || table.Titles[1] != "aux" || table.Processes[0][1] != "sh" {
		t.Errorf("top: %+v %v", table, err)
	}
	if s, err := calls.Stats(ctx, "c1"); err != nil || s.CPUPercent != 12.5 || s.PIDs != 3 {
		t.Errorf("stats: %+v %v", s, err)
	}
	term := calls.Terminals()
	if id, err := term.ExecCreate(ctx, "c1", []string{"sh"}, true); err != nil || id != "exec-sh" {
		t.Errorf("exec create: %q %v", id, err)
	}
	if err := errors.Join(term.ExecResize(ctx, "c1", "e", 80, 24), term.Resize(ctx, "c1", 100, 40)); err != nil {
		t.Error(err)
	}
	if len(m.hands.sizes) != 2 || m.hands.sizes[1] != [2]int{100, 40} {
		t.Errorf("sizes %v", m.hands.sizes)
	}
}

func TestFaultsOfTheHostArrive(t *testing.T) {
	r, rep, m, calls := pair(t)
	m.hands.failed = domain.NewFault(domain.Unsupported, "no-top", "The engine cannot do this.")
	_, err := calls.Top(t.Context(), "c1", "")
	wantFault(t, err, domain.Unsupported, "no-top")
	m.hands.failed = errors.New("secret path")
	_, err = calls.Stats(t.Context(), "c1")
	wantFault(t, err, domain.Internal, "")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a cause crossed: %v", err)
	}
	m.hands.exec = func(ctx context.Context) (domain.ExecResult, error) {
		<-ctx.Done()
		return domain.ExecResult{}, ctx.Err()
	}
	brief, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = calls.ExecRun(brief, "c1", []string{"sleep"})
	wantFault(t, err, domain.Timeout, "timeout")

	other := r.store.host("h1")
	other.ID, other.Name = "00000000-0000-0000-0000-000000000000", "imposter"
	_, err = rep.nodes.Calls(other).Observe(t.Context(), "c1")
	wantFault(t, err, domain.Unavailable, "host-unavailable")

	m.stop()
	_, err = calls.Observe(t.Context(), "c1")
	wantFault(t, err, domain.Unavailable, "host-unavailable")
	if !strings.Contains(err.Error(), "h1") {
		t.Errorf("the fault does not name the host: %v", err)
	}
	if said := domain.AsFault(err).Message; said != "the host does not answer" {
		t.Errorf("a user is told %q, though the name of a host is for administrators", said)
	}
	_, err = calls.Terminals().Open(t.Context(), "c1", "e1")
	if said := domain.AsFault(err).Message; said != "the host does not answer" || !strings.Contains(err.Error(), "h1") {
		t.Errorf("a user is told %q at a terminal, and the log %v", said, err)
	}
}

func TestWakesMeltTogetherAndNeverBlock(t *testing.T) {
	r, rep, m, _ := pair(t)
	host := r.store.host("h1")
	for rev := int64(1); rev <= 1000; rev++ {
		rep.nodes.Wake(host, rev)
	}
	var got []int64
	for last := int64(0); last < 1000; {
		select {
		case last = <-m.hands.woken:
			got = append(got, last)
		case <-time.After(10 * time.Second):
			t.Fatalf("the newest revision never came; got %v", got)
		}
	}
	if len(got) > 100 {
		t.Errorf("1000 hints became %d calls", len(got))
	}
	gone := host
	gone.ID, gone.Address = "gone", "127.0.0.1:1"
	rep.nodes.Wake(gone, 5) // lost without harm
}

func TestAWakeWaitsForAnAgentThatStartsAgain(t *testing.T) {
	r := newRig(t)
	rep := r.replica("127.0.0.1:0")
	deps := node.Deps{HostName: "h1", Token: r.token(rep, "h1"), Controls: []string{rep.address}, Vault: trust.NewVault(t.TempDir())}
	m := r.machine(deps)
	if err := errors.Join(m.Enter(t.Context()), m.Register(t.Context())); err != nil {
		t.Fatal(err)
	}
	host := r.store.host("h1")
	m.stop()
	if _, err := rep.nodes.Calls(host).Observe(t.Context(), "c1"); err == nil {
		t.Fatal("a stopped agent answered")
	}
	rep.nodes.Wake(host, 5)
	listener, err := net.Listen("tcp", host.Address)
	if err != nil {
		t.Fatal(err)
	}
	deps.AdvertiseAddress = host.Address
	m = r.machineOn(listener, deps)
	if err := m.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case rev := <-m.hands.woken:
		if rev != 5 {
			t.Errorf("woken with %d", rev)
		}
	case <-time.After(10 * time.Second):
		t.Error("the wake was lost")
	}
}

func TestLogsStreamAndEndByTheSink(t *testing.T) {
	_, _, m, calls := pair(t)
	m.hands.logs = func(_ context.Context, sink func(domain.LogStream, []byte) error) error {
		return errors.Join(sink(domain.Stdout, []byte("out")), sink(domain.Stderr, bytes.Repeat([]byte("e"), 100<<10)))
	}
	got := map[domain.LogStream]int{}
	err := calls.Output().Logs(t.Context(), "c1", domain.LogQuery{Tail: -1}, func(s domain.LogStream, chunk []byte) error {
		got[s] += len(chunk)
		return nil
	})
	if err != nil || got[domain.Stdout] != 3 || got[domain.Stderr] != 100<<10 {
		t.Fatalf("logs: %v %v", got, err)
	}

	ended := make(chan struct{})
	m.hands.logs = func(ctx context.Context, sink func(domain.LogStream, []byte) error) error {
		defer close(ended)
		for ctx.Err() == nil {
			if err := sink(domain.Stdout, []byte("more")); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	enough := errors.New("enough")
	err = calls.Output().Logs(t.Context(), "c1", domain.LogQuery{}, func(domain.LogStream, []byte) error { return enough })
	if !errors.Is(err, enough) {
		t.Fatalf("got %v", err)
	}
	<-ended
}

// console is an engine's terminal: output is read from out, input goes to in.
type console struct {
	out    io.Reader
	in     io.WriteCloser
	code   int
	closed chan struct{}
	once   sync.Once
}

func (c *console) Read(p []byte) (int, error)  { return c.out.Read(p) }
func (c *console) Write(p []byte) (int, error) { return c.in.Write(p) }
func (c *console) CloseWrite() error           { return c.in.Close() }
func (c *console) Wait() (int, error)          { return c.code, nil }
func (c *console) Close() error {
	c.once.Do(func() {
		close(c.closed)
		if r, ok := c.out.(io.Closer); ok {
			_ = r.Close()
		}
		_ = c.in.Close()
	})
	return nil
}

// echo is a console that gives back what it takes.
func echo() *console {
	r, w := io.Pipe()
	return &console{out: r, in: w, code: 7, closed: make(chan struct{})}
}

func TestATerminalCarriesBothWaysAndTheExitCode(t *testing.T) {
	_, _, m, calls := pair(t)
	engine := echo()
	m.hands.open = func() (agent.Stream, error) { return engine, nil }
	s, err := calls.Terminals().Open(t.Context(), "c1", "e1")
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	go func() {
		_, _ = s.Write(sent)
		_ = s.CloseWrite()
	}()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back (%v)", len(got), len(sent), err)
	}
	if code, err := s.Wait(); code != 7 || err != nil {
		t.Fatalf("exit %d %v", code, err)
	}
	_ = s.Close()
	<-engine.closed

	m.hands.open = func() (agent.Stream, error) { return nil, domain.NewFault(domain.NotFound, "no-exec", "gone") }
	_, err = calls.Terminals().Open(t.Context(), "c1", "e2")
	wantFault(t, err, domain.NotFound, "no-exec")
}

func TestClosingATerminalEndsTheEngineSide(t *testing.T) {
	_, _, m, calls := pair(t)
	engine := echo()
	m.hands.open = func() (agent.Stream, error) { return engine, nil }
	s, err := calls.Terminals().Open(t.Context(), "c1", "")
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	<-engine.closed
	if _, err := s.Wait(); err == nil {
		t.Error("a closed terminal reported an exit")
	}
}

// counter is endless output that counts what was taken.
type counter struct{ n atomic.Int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

func TestASlowReaderHoldsTheEngineBack(t *testing.T) {
	_, _, m, calls := pair(t)
	flood := &counter{}
	_, sink := io.Pipe()
	engine := &console{out: flood, in: sink, closed: make(chan struct{})}
	m.hands.open = func() (agent.Stream, error) { return engine, nil }
	s, err := calls.Terminals().Open(t.Context(), "c1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	last := int64(-1)
	steady := 0
	eventually(t, "the engine is held back", func() bool {
		if now := flood.n.Load(); now == last {
			steady++
		} else {
			last, steady = now, 0
		}
		return steady > 20
	})
	if last > 2<<20 {
		t.Errorf("%d bytes were taken from the engine for a reader that reads nothing", last)
	}
	// Other calls on the same connection are not held back.
	if _, err := calls.Observe(t.Context(), "c1"); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(s, make([]byte, 4<<20)); err != nil {
		t.Error(err)
	}
}

func TestArchivesCross(t *testing.T) {
	_, _, m, calls := pair(t)
	tar := bytes.Repeat([]byte("tar!"), 200<<10)
	m.hands.get = func(sink func([]byte) error) (domain.PathStat, error) {
		return domain.PathStat{Name: "f", Size: int64(len(tar))}, sink(tar)
	}
	var got bytes.Buffer
	stat, err := calls.Archives().Get(t.Context(), "c1", "/f", func(b []byte) error { got.Write(b); return nil })
	if err != nil || stat.Name != "f" || !bytes.Equal(got.Bytes(), tar) {
		t.Fatalf("get: %d bytes, %+v, %v", got.Len(), stat, err)
	}
	m.hands.get = func(func([]byte) error) (domain.PathStat, error) {
		return domain.PathStat{}, domain.NewFault(domain.NotFound, "no-path", "no such path")
	}
	_, err = calls.Archives().Get(t.Context(), "c1", "/f", nil)
	wantFault(t, err, domain.NotFound, "no-path")

	var put []byte
	ended := make(chan error, 1)
	m.hands.put = func(source io.Reader) (err error) {
		put, err = io.ReadAll(source)
		ended <- err
		return err
	}
	if err := calls.Archives().Put(t.Context(), "c1", "/", bytes.NewReader(tar)); err != nil || !bytes.Equal(put, tar) {
		t.Fatalf("put: %d bytes, %v", len(put), err)
	}
	<-ended
	err = calls.Archives().Put(t.Context(), "c1", "/", io.MultiReader(bytes.NewReader(tar), broken{}))
	wantFault(t, err, domain.Invalid, "archive-broken-off")
	if <-ended == nil {
		t.Error("half an archive was taken for a whole one")
	}
	m.hands.put = func(io.Reader) error { return domain.NewFault(domain.Conflict, "read-only", "no") }
	err = calls.Archives().Put(t.Context(), "c1", "/", bytes.NewReader(tar))
	wantFault(t, err, domain.Conflict, "read-only")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("client went away") }
