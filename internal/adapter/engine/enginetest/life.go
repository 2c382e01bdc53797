package enginetest

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

func testInfo(t *testing.T, h *house) {
	info, err := h.engine.Info(h.ctx())
	h.must(err, "info")
	if info.CPUs < 1 || info.MemoryMB < 1 || info.DiskGB < 1 || info.Architecture == "" || info.OSType != "linux" || !info.EngineUp || info.EngineName == "" {
		t.Errorf("the inventory lacks something: %+v", info)
	}
}

func testLife(t *testing.T, h *house) {
	o := h.create(h.command("echo hello; sleep 0.3; exit 3"))
	seen := h.member(o.Container)
	if seen.State.Status != domain.Created || seen.EngineID != o.EngineID || seen.Generation != 1 || seen.PID != 0 || seen.State.Detail != "Created" {
		t.Errorf("a created member looks like %+v", seen)
	}
	sandbox, found := h.find(o.Container, true)
	if !found || sandbox.State.Status != domain.Running || sandbox.NetNS == "" || sandbox.PID == 0 {
		t.Errorf("its sandbox looks like %+v", sandbox)
	}
	if _, err := os.Stat(sandbox.NetNS); h.Namespaces && err != nil {
		t.Errorf("the namespace cannot be reached: %v", err)
	}
	h.must(h.engine.Members().Start(h.ctx(), o), "start")
	seen = h.untilStatus(o.Container, domain.Stopped)
	if seen.State.ExitCode == nil || *seen.State.ExitCode != 3 || seen.PID != 0 || seen.State.FinishedAt.Before(seen.State.StartedAt) {
		t.Errorf("a member that ended looks like %+v", seen)
	}
	h.must(h.engine.Members().Start(h.ctx(), o), "start again")
	h.untilStatus(o.Container, domain.Stopped)
	h.clean(h.ctx(), o.Container)
	if rest, err := h.engine.Inspect(h.ctx(), o.Container); err != nil || len(rest) != 0 {
		t.Errorf("after removal: %v, %v", rest, err)
	}
}

func testRepeat(t *testing.T, h *house) {
	members := h.engine.Members()
	id := h.id()
	first, second := h.sandbox(id), h.sandbox(id)
	if first.EngineID != second.EngineID || first.State.Hostname != second.State.Hostname {
		t.Errorf("ensuring twice made %s and %s", first.EngineID, second.EngineID)
	}
	spec := agent.MemberSpec{Container: id, Generation: 1, Sandbox: first, Spec: h.command("sleep 1000")}
	a, err := members.Create(h.ctx(), spec)
	h.must(err, "create")
	b, err := members.Create(h.ctx(), spec)
	h.must(err, "create again")
	if a.EngineID != b.EngineID {
		t.Errorf("creating twice made %s and %s", a.EngineID, b.EngineID)
	}
	h.must(members.Start(h.ctx(), a), "start")
	pid := h.member(id).PID
	h.must(members.Start(h.ctx(), a), "start again")
	if now := h.member(id).PID; now != pid || pid == 0 {
		t.Errorf("starting twice made process %d of %d", now, pid)
	}
	for range 2 {
		h.must(members.Pause(h.ctx(), a), "pause")
	}
	for range 2 {
		h.must(members.Unpause(h.ctx(), a), "unpause")
	}
	for range 2 {
		h.must(members.Stop(h.ctx(), a, 0), "stop")
	}
	for range 2 {
		h.must(members.Remove(h.ctx(), a), "remove member")
		h.must(h.engine.Sandboxes().Remove(h.ctx(), id), "remove sandbox")
	}
	h.must(members.Stop(h.ctx(), a, 0), "stop what is gone")
}

func testSettings(t *testing.T, h *house) {
	id := h.id()
	spec := h.command(`echo "env=$COLOUR dir="; pwd; cat /etc/hosts; cat /etc/resolv.conf; cat /data; sleep 100`)
	spec.Environment = map[string]string{"COLOUR": "green"}
	spec.Workdir = "/tmp"
	spec.Labels = map[string]string{"tier": "web", domain.LabelContainer: "stranger", domain.LabelDeployment: "stranger"}
	spec.ExposedPorts = []string{"80/tcp", "53/udp"}
	o, err := h.engine.Members().Create(h.ctx(), agent.MemberSpec{
		Container: id, Generation: 7, Sandbox: h.sandbox(id), Spec: spec,
		HostsFile:  h.file("hosts", "10.1.2.3 neighbour\n"),
		ResolvFile: h.file("resolv.conf", "nameserver 192.0.2.53\n"),
		Binds:      []agent.Bind{{Source: h.file("data", "injected\n"), Target: "/data"}},
	})
	h.must(err, "create")
	h.must(h.engine.Members().Start(h.ctx(), o), "start")
	for _, text := range []string{"env=green", "/tmp", "neighbour", "192.0.2.53", "injected"} {
		h.printed(o, text)
	}
	seen := h.member(id)
	if fmt.Sprint(seen.State.Ports) != "[53 80]" && fmt.Sprint(seen.State.Ports) != "[80 53]" {
		t.Errorf("ports are %v", seen.State.Ports)
	}
	if seen.Generation != 7 || len(seen.State.Command) != 3 || seen.State.Command[0] != "sh" {
		t.Errorf("the member looks like %+v", seen)
	}
}

func testHostname(t *testing.T, h *house) {
	id := h.id()
	sandbox, err := h.engine.Sandboxes().Ensure(h.ctx(), agent.SandboxSpec{Container: id, Hostname: "web-1"})
	h.must(err, "ensure sandbox")
	o, err := h.engine.Members().Create(h.ctx(), agent.MemberSpec{Container: id, Generation: 1, Sandbox: sandbox, Spec: h.command("hostname; sleep 1000")})
	h.must(err, "create")
	h.must(h.engine.Members().Start(h.ctx(), o), "start")
	h.printed(o, "web-1")
	if seen := h.member(id); seen.State.Hostname != "web-1" {
		t.Errorf("the hostname is shown as %q", seen.State.Hostname)
	}
	unnamed := h.start(h.command("hostname; sleep 1000"))
	shown := h.member(unnamed.Container).State.Hostname
	if shown == "" {
		t.Error("a container without a wish has no hostname")
	}
	h.printed(unnamed, shown)
}

// testStage creates a member for a sandbox that does not live yet, as the agent does
// to win time.
func testStage(t *testing.T, h *house) {
	spec := agent.SandboxSpec{Container: h.id()}
	staged, err := h.engine.Sandboxes().Stage(h.ctx(), spec)
	h.must(err, "stage")
	again, err := h.engine.Sandboxes().Stage(h.ctx(), spec)
	h.must(err, "stage again")
	o, err := h.engine.Members().Create(h.ctx(), agent.MemberSpec{
		Container: spec.Container, Generation: 1, Sandbox: staged, Spec: h.command("hostname; sleep 1000"),
	})
	h.must(err, "create for a staged sandbox")
	if staged.State.Hostname != again.State.Hostname || staged.Container != again.Container || !staged.Sandbox {
		t.Errorf("staged is told as %+v and seen as %+v", staged, again)
	}
	living, err := h.engine.Sandboxes().Ensure(h.ctx(), agent.SandboxSpec{Container: spec.Container, Staged: staged})
	h.must(err, "ensure what is staged")
	if staged.EngineID != again.EngineID || staged.EngineID != living.EngineID || living.PID == 0 {
		t.Errorf("staged %+v, again %+v, then %+v", staged, again, living)
	}
	h.must(h.engine.Members().Start(h.ctx(), o), "start")
	h.printed(o, living.State.Hostname)
	kept, err := h.engine.Sandboxes().Stage(h.ctx(), spec)
	h.must(err, "stage a living one")
	if kept.PID != living.PID {
		t.Errorf("the living sandbox was %+v and is %+v", living, kept)
	}
}

func testGenerations(t *testing.T, h *house) {
	o := h.create(h.command("sleep 1000"))
	sandbox, _ := h.find(o.Container, true)
	next := agent.MemberSpec{Container: o.Container, Generation: 2, Sandbox: sandbox, Spec: h.command("sleep 1000")}
	made, err := h.engine.Members().Create(h.ctx(), next) // replaces the former one
	h.must(err, "create generation 2")
	h.must(h.engine.Members().Remove(h.ctx(), o), "remove generation 1 again")
	if seen := h.member(o.Container); seen.EngineID != made.EngineID || seen.Generation != 2 {
		t.Errorf("generation 2 looks like %+v", seen)
	}
}

func testRestart(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	before := h.member(o.Container)
	again := h.Open(t)
	objects, err := again.List(h.ctx())
	h.must(err, "list")
	found := 0
	for _, seen := range objects {
		if seen.Container != o.Container {
			continue
		}
		found++
		if !seen.Sandbox && (seen.PID != before.PID || seen.EngineID != before.EngineID || seen.State.Status != domain.Running || seen.Generation != 1) {
			t.Errorf("the member was %+v and is %+v", before, seen)
		}
	}
	if found != 2 {
		t.Errorf("%d objects of the container were listed, want its sandbox and its member", found)
	}
	h.must(again.Members().Stop(h.ctx(), before, 0), "stop through the new client")
}

func testParallel(t *testing.T, h *house) {
	const many = 6
	ids := make([]domain.ContainerID, many)
	for i := range ids {
		ids[i] = h.id()
	}
	errs := make([]error, many)
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() { errs[i] = h.run(id) })
	}
	all.Wait()
	for _, err := range errs {
		h.must(err, "run in parallel")
	}
	pids := map[int]bool{}
	for _, id := range ids {
		pids[h.member(id).PID] = true
	}
	if len(pids) != many {
		t.Errorf("%d processes for %d containers", len(pids), many)
	}
}

func (h *house) run(id domain.ContainerID) error {
	ctx := h.ctx()
	sandbox, err := h.engine.Sandboxes().Ensure(ctx, agent.SandboxSpec{Container: id})
	if err != nil {
		return err
	}
	o, err := h.engine.Members().Create(ctx, agent.MemberSpec{Container: id, Generation: 1, Sandbox: sandbox, Spec: h.command("sleep 1000")})
	if err != nil {
		return err
	}
	return h.engine.Members().Start(ctx, o)
}

func testEvents(t *testing.T, h *house) {
	names, err := h.engine.Watch(h.ctx())
	h.must(err, "watch")
	o := h.create(h.command("sleep 1000"))
	members := h.engine.Members()
	for _, change := range []struct {
		what string
		do   func() error
	}{
		{"create", func() error { return nil }},
		{"start", func() error { return members.Start(h.ctx(), o) }},
		{"pause", func() error { return members.Pause(h.ctx(), o) }},
		{"unpause", func() error { return members.Unpause(h.ctx(), o) }},
		{"stop", func() error { return members.Stop(h.ctx(), o, 0) }},
		{"remove", func() error { return members.Remove(h.ctx(), o) }},
	} {
		h.must(change.do(), change.what)
		heard(t, names, o.Container, change.what)
		drain(names)
	}
}

// heard waits until id is named.
func heard(t *testing.T, names <-chan domain.ContainerID, id domain.ContainerID, what string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case name, open := <-names:
			if !open {
				t.Fatalf("the stream broke before %s was heard", what)
			}
			if name == id {
				return
			}
		case <-late:
			t.Fatalf("%s was never heard", what)
		}
	}
}

// drain takes what has arrived of a change that was heard already.
func drain(names <-chan domain.ContainerID) {
	quiet := time.After(150 * time.Millisecond)
	for {
		select {
		case <-names:
		case <-quiet:
			return
		}
	}
}

// testEventOfEnd looks at each event, as the agent does; the last one is that of the end.
func testEventOfEnd(t *testing.T, h *house) {
	names, err := h.engine.Watch(h.ctx())
	h.must(err, "watch")
	o := h.start(h.command("sleep 0.6; exit 5"))
	for seen := h.member(o.Container); seen.State.Status != domain.Stopped; seen = h.member(o.Container) {
		heard(t, names, o.Container, "the end of the process")
	}
	if code := h.member(o.Container).State.ExitCode; code == nil || *code != 5 {
		t.Errorf("the exit code is %v", code)
	}
}
