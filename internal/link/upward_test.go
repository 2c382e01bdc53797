package link_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/inproc"
	"github.com/go-zun/zun/internal/link/node"
)

func TestManyAndLargeAssignmentsCome(t *testing.T) {
	r, _, m, _ := pair(t)
	large := strings.Repeat("x", 3<<20)
	for i := range 2000 {
		a := domain.Assignment{Container: domain.ContainerID(fmt.Sprintf("c%d", i)), Revision: int64(i + 1)}
		a.Spec.Environment = map[string]string{"PAD": strings.Repeat("y", 5<<10)}
		if i == 1000 {
			a.Spec.Mounts = []domain.MountRequest{{Type: "bind", Source: large}}
		}
		r.brain.assignments = append(r.brain.assignments, a)
	}
	got, revision, err := m.Control().Assignments(t.Context(), 0)
	if err != nil || len(got) != 2000 || revision != 2000 {
		t.Fatalf("%d assignments to revision %d: %v", len(got), revision, err)
	}
	for i, a := range got {
		if a.Revision != int64(i+1) {
			t.Fatalf("assignment %d has revision %d", i, a.Revision)
		}
	}
	if got[1000].Spec.Mounts[0].Source != large {
		t.Error("the large assignment changed")
	}
	if got, _, err = m.Control().Assignments(t.Context(), 2000); err != nil || len(got) != 0 {
		t.Errorf("nothing new gave %d assignments: %v", len(got), err)
	}
}

func TestReportsAndBeats(t *testing.T) {
	r, _, m, _ := pair(t)
	answer, err := m.Control().Beat(t.Context(), domain.Beat{Sequence: 1})
	if err != nil || answer.NextIn != 10*time.Second || answer.Revision != 7 {
		t.Fatalf("%+v %v", answer, err)
	}
	stale, err := m.Control().Report(t.Context(), domain.Report{Container: "c1", Generation: 2})
	if err != nil || !stale {
		t.Fatalf("stale %v, %v", stale, err)
	}
	if r.brain.reports[0].Container != "c1" {
		t.Errorf("reports %+v", r.brain.reports)
	}
}

func TestAnotherReplicaTakesOverAndOneComesBack(t *testing.T) {
	r := newRig(t)
	one, two := r.replica("127.0.0.1:0"), r.replica("127.0.0.1:0")
	m := r.joined("h1", one, two)
	beat := func() error { _, err := m.Control().Beat(t.Context(), domain.Beat{}); return err }
	if err := beat(); err != nil {
		t.Fatal(err)
	}
	one.stop()
	if err := beat(); err != nil {
		t.Fatalf("with one of two replicas: %v", err)
	}
	two.stop()
	err := beat()
	wantFault(t, err, domain.Unavailable, "host-unavailable")
	if !strings.Contains(err.Error(), one.address) && !strings.Contains(err.Error(), two.address) {
		t.Errorf("the fault names no control: %v", err)
	}
	back := r.replica(one.address)
	eventually(t, "the restarted replica is found", func() bool { return beat() == nil })
	if _, err := back.nodes.Calls(r.store.host("h1")).Observe(t.Context(), "c1"); err != nil {
		t.Errorf("a fresh replica calls the host: %v", err)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := linkGoroutines()
	r, rep, m, calls := pair(t)
	if _, err := calls.Observe(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	engine := echo()
	m.hands.open = func() (s agent.Stream, err error) { return engine, nil }
	if _, err := calls.Terminals().Open(t.Context(), "c1", ""); err != nil { // left open on purpose
		t.Fatal(err)
	}
	rep.nodes.Wake(r.store.host("h1"), 1)
	rep.stop()
	m.stop()
	eventually(t, "goroutines of the link are gone", func() bool { return linkGoroutines() <= before })
	select {
	case <-engine.closed:
	default:
		t.Error("the engine's terminal stayed open")
	}
}

func linkGoroutines() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "google.golang.org/grpc") || strings.Contains(stack, "/internal/link/") && !strings.Contains(stack, "testing.tRunner") {
			n++
		}
	}
	return n
}

// mute is a connection whose peer can vanish without a word: nothing arrives any
// more and nothing is refused.
type mute struct {
	net.Conn
	gone *atomic.Bool
}

func (m mute) Write(p []byte) (int, error) {
	if m.gone.Load() {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

func TestAPeerThatVanishedIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		network, gone := inproc.NewNetwork(), &atomic.Bool{}
		dial := func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := network.Dial(ctx, address)
			if err != nil {
				return nil, err
			}
			return mute{conn, gone}, nil
		}
		rep := r.replicaOn(network.Listen("control"), dial)
		m := r.admitted(rep, network)
		engine := echo()
		m.hands.open = func() (agent.Stream, error) { return engine, nil }
		s, err := rep.nodes.Calls(r.store.host("h1")).Terminals().Open(t.Context(), "c1", "")
		if err != nil {
			t.Fatal(err)
		}
		gone.Store(true)
		began := time.Now()
		_, err = s.Read(make([]byte, 1)) // control hears no sign of life
		wantFault(t, err, domain.Unavailable, "host-unavailable")
		<-engine.closed // and neither does the agent
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("noticed after %v", took)
		}
		m.stop()
		rep.stop()
	})
}

// admitted makes the host of an all-in-one on network.
func (r *rig) admitted(rep *replica, network *inproc.Network) *machine {
	r.t.Helper()
	vault, err := inproc.Admit(r.t.Context(), rep.authority, ctl.Admission{HostName: "h1", Address: "node"})
	if err != nil {
		r.t.Fatal(err)
	}
	deps := node.Deps{HostName: "h1", AdvertiseAddress: "node", Controls: []string{"control"}, Vault: vault, Dial: network.Dial}
	m := r.machineOn(network.Listen("node"), deps)
	if err := errors.Join(m.Enter(r.t.Context()), m.Register(r.t.Context())); err != nil {
		r.t.Fatal(err)
	}
	return m
}

func TestOneProcessSpeaksTheSameContract(t *testing.T) {
	r := newRig(t)
	network := inproc.NewNetwork()
	rep := r.replicaOn(network.Listen("control"), network.Dial)
	m := r.admitted(rep, network)
	if _, err := m.Control().Beat(t.Context(), domain.Beat{}); err != nil {
		t.Fatal(err)
	}
	host := r.store.host("h1")
	if _, err := rep.nodes.Calls(host).Observe(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	rep.nodes.Wake(host, 9)
	if rev := <-m.hands.woken; rev != 9 {
		t.Errorf("woken with %d", rev)
	}
	again, err := inproc.Admit(t.Context(), rep.authority, ctl.Admission{HostName: "h1", Address: "node"})
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := again.Load(); err != nil || kept.Identity.ID != host.ID {
		t.Errorf("after a restart the host is another: %v", err)
	}
}
