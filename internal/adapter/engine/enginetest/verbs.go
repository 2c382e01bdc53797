package enginetest

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

const trapping = `trap "exit 7" TERM; trap "echo usr1" USR1; echo ready; while true; do sleep 0.1; done`

func testStop(t *testing.T, h *house) {
	polite := h.start(h.command(trapping))
	h.printed(polite, "ready")
	h.must(h.engine.Members().Stop(h.ctx(), polite, 10*time.Second), "stop")
	if code := h.member(polite.Container).State.ExitCode; code == nil || *code != 7 {
		t.Errorf("a process that traps TERM ended with %v, want 7", code)
	}
	deaf := h.start(h.command(`trap "" TERM; echo ready; while true; do sleep 0.1; done`))
	h.printed(deaf, "ready")
	begun := time.Now()
	h.must(h.engine.Members().Stop(h.ctx(), deaf, time.Second), "stop")
	if took := time.Since(begun); took < 900*time.Millisecond || took > 8*time.Second {
		t.Errorf("a grace of one second took %v", took)
	}
	if code := h.member(deaf.Container).State.ExitCode; code == nil || *code != 137 {
		t.Errorf("a process that ignores TERM ended with %v, want 137", code)
	}
}

func testKill(t *testing.T, h *house) {
	o := h.start(h.command(trapping))
	h.printed(o, "ready")
	h.must(h.engine.Members().Kill(h.ctx(), o, "SIGUSR1"), "kill USR1")
	h.printed(o, "usr1")
	if s := h.member(o.Container).State.Status; s != domain.Running {
		t.Errorf("a trapped signal left it %s", s)
	}
	h.fault(h.engine.Members().Kill(h.ctx(), o, "NONSENSE"), domain.Invalid, "NONSENSE")
	h.must(h.engine.Members().Kill(h.ctx(), o, "9"), "kill 9")
	if code := h.untilStatus(o.Container, domain.Stopped).State.ExitCode; code == nil || *code != 137 {
		t.Errorf("the exit code is %v, want 137", code)
	}
	h.fault(h.engine.Members().Kill(h.ctx(), o, "TERM"), domain.Conflict)
}

// An engine may show for a moment what was before, but not for long.
func testPause(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	h.must(h.engine.Members().Pause(h.ctx(), o), "pause")
	if s := h.untilStatus(o.Container, domain.Paused).State; s.Detail == "" {
		t.Error("a paused member shows no detail")
	}
	h.must(h.engine.Members().Unpause(h.ctx(), o), "unpause")
	h.untilStatus(o.Container, domain.Running)
}

// testHealthOfThawed holds that nothing but a check that failed makes a member unhealthy: one
// that is healed would be begun anew for having been paused.
func testHealthOfThawed(t *testing.T, h *house) {
	spec := h.command("sleep 1000")
	spec.Healthcheck = &domain.Healthcheck{Test: "true", Interval: 1, Timeout: 60, Retries: 3}
	o := h.start(spec)
	healthy := func() bool { return h.member(o.Container).State.Health == "healthy" }
	h.until("the first check", healthy)
	h.must(h.engine.Members().Pause(h.ctx(), o), "pause")
	h.untilStatus(o.Container, domain.Paused)
	h.must(h.engine.Members().Unpause(h.ctx(), o), "unpause")
	if s := h.untilStatus(o.Container, domain.Running).State; s.Health == "unhealthy" {
		t.Error("a member that was paused is unhealthy, though no check failed")
	}
	h.until("a check after the pause", healthy)
}

// testToggle freezes and thaws as fast as the engine does it, each twice: what the engine
// still shows of an earlier call must not pass for the outcome of a later one.
func testToggle(_ *testing.T, h *house) {
	o := h.start(h.command("while true; do echo tick; sleep 0.02; done"))
	members := h.engine.Members()
	for range 8 {
		for range 2 {
			h.must(members.Pause(h.ctx(), o), "pause")
		}
		for range 2 {
			h.must(members.Unpause(h.ctx(), o), "unpause")
		}
	}
	ticks := func() int { return strings.Count(h.logs(o, domain.LogQuery{Stdout: true, Tail: -1}), "tick") }
	seen := ticks()
	h.until("the thawed process goes on", func() bool { return ticks() > seen })
	h.must(members.Pause(h.ctx(), o), "pause")
	h.untilStatus(o.Container, domain.Paused)
	quiet := 0
	h.until("the frozen process says nothing more", func() bool {
		if now := ticks(); now != seen {
			seen, quiet = now, 0
		}
		quiet++
		return quiet > 10
	})
}

func testUpdate(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	h.must(h.engine.Members().Update(h.ctx(), o, domain.Spec{CPU: 0.25, MemoryMB: 96}), "update")
	stats, err := capability[agent.Observer](h).Stats(h.ctx(), h.member(o.Container))
	h.must(err, "stats")
	if stats.MemoryLimit != 96<<20 {
		t.Errorf("the memory limit is %d, want 96 MiB", stats.MemoryLimit)
	}
}

// testConfine takes a member of all CPUs to the first one and back, running, frozen and
// stopped, and makes one that has been there from the beginning.
func testConfine(t *testing.T, h *house) {
	confiner := capability[agent.Confiner](h)
	where := func(o agent.Object) string { return h.member(o.Container).CPUSet.CPUs }
	o := h.start(h.command("sleep 1000"))
	if at := where(o); at != "" {
		t.Errorf("a member that nobody confined runs on %q", at)
	}
	first := domain.CPUSet{CPUs: "0", MemoryNodes: "0"}
	h.must(confiner.Confine(h.ctx(), o, first), "confine")
	h.must(confiner.Confine(h.ctx(), o, first), "confine again")
	if at := h.member(o.Container).CPUSet; at != first {
		t.Errorf("a confined member runs on %+v", at)
	}
	h.runsOn(o, "0")
	all := runtime.NumCPU() - 1
	everywhere := domain.CPUSet{CPUs: "0-" + strconv.Itoa(all)}
	h.must(confiner.Confine(h.ctx(), o, everywhere), "let go")
	h.runsOn(o, everywhere.CPUs)
	h.must(h.engine.Members().Pause(h.ctx(), o), "pause")
	h.must(confiner.Confine(h.ctx(), o, first), "confine what is frozen")
	h.must(h.engine.Members().Unpause(h.ctx(), o), "unpause")
	h.untilStatus(o.Container, domain.Running)
	h.runsOn(o, "0")
	h.must(h.engine.Members().Stop(h.ctx(), o, 0), "stop")
	h.must(confiner.Confine(h.ctx(), o, first), "confine what is stopped")
	h.must(h.engine.Members().Start(h.ctx(), o), "start")
	h.runsOn(o, "0")

	id := h.id()
	made, err := h.engine.Members().Create(h.ctx(), agent.MemberSpec{Container: id, Generation: 1, Sandbox: h.sandbox(id), Spec: h.command("sleep 1000"), CPUSet: first})
	h.must(err, "create")
	h.must(h.engine.Members().Start(h.ctx(), made), "start")
	h.runsOn(made, "0")
}

// runsOn asks the kernel where the process of o may run. A simulated process has no
// kernel, and its engine's word is what there is.
func (h *house) runsOn(o agent.Object, cpus string) {
	h.t.Helper()
	member := h.member(o.Container)
	if member.CPUSet.CPUs != cpus {
		h.t.Errorf("the engine has the member on %q, want %q", member.CPUSet.CPUs, cpus)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", member.PID))
	if err == nil && !regexp.MustCompile(`(?m)^Cpus_allowed_list:\t`+cpus+`$`).Match(status) {
		h.t.Errorf("the process does not run on %s:\n%s", cpus, status)
	}
}

func testCommandMissing(t *testing.T, h *house) {
	spec := h.command("")
	spec.Command = []string{"no-such-command", "x"}
	o := h.create(spec)
	h.fault(h.engine.Members().Start(h.ctx(), o), domain.Invalid, "no-such-command", "not found")
	if s := h.member(o.Container).State.Status; s == domain.Running {
		t.Errorf("a member that could not start is %s", s)
	}
}

func testImageFaults(t *testing.T, h *house) {
	images := h.engine.Images()
	present, err := images.Present(h.ctx(), h.Image)
	h.must(err, "look for the image")
	absent, err := images.Present(h.ctx(), h.Missing)
	h.must(err, "look for the missing image")
	if !present || absent {
		t.Errorf("present: %v, missing: %v", present, absent)
	}
	h.fault(images.Pull(h.ctx(), h.Missing, nil, nil), domain.NotFound, h.Missing)
	h.fault(images.Pull(h.ctx(), h.Unreachable, nil, nil), domain.Unavailable, "registry")
	id := h.id()
	spec := h.command("true")
	spec.Image = h.Missing
	_, err = h.engine.Members().Create(h.ctx(), agent.MemberSpec{Container: id, Generation: 1, Sandbox: h.sandbox(id), Spec: spec})
	h.fault(err, domain.NotFound)
	if _, found := h.find(id, false); found {
		t.Error("something half made was left")
	}
}

func testPull(t *testing.T, h *house) {
	images := h.engine.Images()
	if h.Pullable != "" {
		h.must(images.Remove(h.ctx(), h.Pullable), "remove")
		var last int64
		h.must(images.Pull(h.ctx(), h.Pullable, nil, func(done, _ int64) { last = max(last, done) }), "pull")
		if present, err := images.Present(h.ctx(), h.Pullable); err != nil || !present {
			t.Errorf("after the pull: %v, %v (%d bytes)", present, err, last)
		}
		h.must(images.Remove(h.ctx(), h.Pullable), "remove")
		h.must(images.Remove(h.ctx(), h.Pullable), "remove again")
	}
	if h.Private != "" {
		h.fault(images.Pull(h.ctx(), h.Private, nil, nil), domain.Forbidden, h.Private)
		h.fault(images.Pull(h.ctx(), h.Private, &domain.PullSecret{Domain: h.Secret.Domain, Username: "nobody", Password: "wrong"}, nil), domain.Forbidden)
		h.must(images.Pull(h.ctx(), h.Private, h.Secret, nil), "pull with the secret")
	}
}

func testWrongState(_ *testing.T, h *house) {
	members := h.engine.Members()
	o := h.create(h.command("sleep 1000"))
	h.fault(members.Pause(h.ctx(), o), domain.Conflict)
	h.fault(members.Unpause(h.ctx(), o), domain.Conflict)
	_, err := capability[agent.Observer](h).Top(h.ctx(), o, "")
	h.fault(err, domain.Conflict)
	_, err = capability[agent.Attacher](h).Attach(h.ctx(), o)
	h.fault(err, domain.Conflict)
	gone := o
	h.must(members.Remove(h.ctx(), o), "remove")
	h.fault(members.Start(h.ctx(), gone), domain.NotFound)
	h.fault(members.Pause(h.ctx(), gone), domain.NotFound)
	err = capability[agent.Logger](h).Logs(h.ctx(), gone, domain.LogQuery{Stdout: true, Tail: -1}, func(domain.LogStream, []byte) error { return nil })
	h.fault(err, domain.NotFound)
}

func testDeadSandbox(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	sandbox, _ := h.find(o.Container, true)
	killer, ok := h.engine.(interface {
		KillSandbox(id domain.ContainerID) error
	})
	if ok {
		h.must(killer.KillSandbox(o.Container), "kill the holder")
	} else {
		h.must(h.engine.Members().Kill(h.ctx(), sandbox, "KILL"), "kill the holder")
	}
	h.until("the holder's end", func() bool { s, _ := h.find(o.Container, true); return s.NetNS == "" })
	h.must(h.engine.Members().Stop(h.ctx(), o, 0), "stop the member")
	h.fault(h.engine.Members().Start(h.ctx(), o), domain.Conflict)
	again := h.sandbox(o.Container)
	if again.NetNS == "" || again.State.Status != domain.Running {
		t.Fatalf("the new sandbox looks like %+v", again)
	}
	h.must(h.engine.Members().Start(h.ctx(), o), "start in the new sandbox")
	h.untilStatus(o.Container, domain.Running)
}

func testTop(t *testing.T, h *house) {
	o := h.start(h.command("sleep 1000"))
	for _, args := range []string{"", "aux"} {
		table, err := capability[agent.Observer](h).Top(h.ctx(), o, args)
		h.must(err, "top")
		if !slices.Contains(table.Titles, "PID") || len(table.Processes) == 0 || len(table.Processes[0]) != len(table.Titles) {
			t.Errorf("top %q shows %+v", args, table)
		}
	}
	_, err := capability[agent.Observer](h).Top(h.ctx(), o, "--no-such-option")
	h.fault(err, domain.Invalid)
}

func testStats(t *testing.T, h *house) {
	o := h.start(h.command("while true; do echo busy > /tmp/x; sleep 0.05; done"))
	stats, err := capability[agent.Observer](h).Stats(h.ctx(), o)
	h.must(err, "stats")
	if stats.MemoryUsage == 0 || stats.MemoryLimit != 64<<20 || stats.PIDs == 0 || stats.CPUPercent < 0 || stats.CPUPercent > 400 || stats.At.IsZero() {
		t.Errorf("the sample is %+v", stats)
	}
}
