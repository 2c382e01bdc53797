// Package enginetest is the contract of agent.Engine as a test suite. Every engine
// passes it; what an engine cannot do is an optional capability it does not have.
package enginetest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/google/uuid"
)

// Factory makes what Run tests.
type Factory struct {
	// Open returns a client of the same engine each time: opening again is a restart of
	// the agent. The suite does not close it. Of a log the engine keeps two of the bursts
	// of testJournalRotation, and not eight.
	Open func(t *testing.T) agent.Engine
	// Image is present and holds a busybox-like shell.
	Image string
	// Pullable can be fetched; empty where no registry is at hand.
	Pullable string
	// Pinned can be fetched too and is not Pullable; empty where no registry is at hand.
	Pinned string
	// Missing is in no registry that answers; Unreachable names a registry that does not.
	Missing, Unreachable string
	// Private needs Secret; empty where no such registry is at hand.
	Private string
	Secret  *domain.PullSecret
	// Namespaces says that Object.NetNS is a real namespace.
	Namespaces bool
}

// patience bounds every wait of the suite, and is far above what a machine takes that is
// busy with other things too.
const patience = time.Minute

// Run runs the whole suite.
func Run(t *testing.T, f Factory) {
	for _, part := range []struct {
		name string
		test func(*testing.T, *house)
	}{
		{"Info", testInfo},
		{"Life", testLife}, {"Repeat", testRepeat}, {"Settings", testSettings}, {"Hostname", testHostname}, {"Stage", testStage},
		{"Stop", testStop}, {"Kill", testKill}, {"Pause", testPause}, {"HealthOfThawed", testHealthOfThawed}, {"Toggle", testToggle}, {"Update", testUpdate}, {"Confine", testConfine},
		{"CommandMissing", testCommandMissing}, {"ImageFaults", testImageFaults}, {"Pull", testPull},
		{"StoredImages", testStoredImages}, {"Resolve", testResolve}, {"Pinned", testPinned},
		{"WrongState", testWrongState}, {"DeadSandbox", testDeadSandbox}, {"Generations", testGenerations},
		{"Restart", testRestart}, {"Parallel", testParallel},
		{"Events", testEvents}, {"EventOfEnd", testEventOfEnd},
		{"ExecRun", testExecRun}, {"ExecStreams", testExecStreams}, {"ExecTerminal", testExecTerminal}, {"ExecFaults", testExecFaults}, {"ExecOfAnother", testExecOfAnother},
		{"Attach", testAttach}, {"AttachTerminal", testAttachTerminal},
		{"Logs", testLogs}, {"LogsTerminal", testLogsTerminal},
		{"Journal", testJournal}, {"JournalTerminal", testJournalTerminal}, {"JournalOfRuns", testJournalOfRuns},
		{"JournalRotation", testJournalRotation}, {"JournalPace", testJournalPace},
		{"Top", testTop}, {"Stats", testStats}, {"Archive", testArchive}, {"ArchiveFaults", testArchiveFaults},
		{"Commit", testCommit}, {"CommitFaults", testCommitFaults},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newHouse(t, f))
		})
	}
}

// house is one test's view of the engine; what it makes is removed at the end.
type house struct {
	Factory
	t      *testing.T
	engine agent.Engine
}

func newHouse(t *testing.T, f Factory) *house {
	t.Helper()
	return &house{Factory: f, t: t, engine: f.Open(t)}
}

func (h *house) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	h.t.Cleanup(cancel)
	return ctx
}

// id makes a container's name and sees to its removal.
func (h *house) id() domain.ContainerID {
	id := domain.ContainerID(uuid.NewString())
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), patience)
		defer cancel()
		h.clean(ctx, id)
	})
	return id
}

func (h *house) clean(ctx context.Context, id domain.ContainerID) {
	objects, err := h.engine.Inspect(ctx, id)
	if err != nil {
		h.t.Errorf("clean up %s: %v", id, err)
	}
	for _, o := range objects {
		if o.Sandbox {
			continue
		}
		if err := h.engine.Members().Remove(ctx, o); err != nil {
			h.t.Errorf("remove member %s: %v", id, err)
		}
	}
	if err := h.engine.Sandboxes().Remove(ctx, id); err != nil {
		h.t.Errorf("remove sandbox %s: %v", id, err)
	}
}

// command is the spec of a container that runs a line of shell.
func (h *house) command(script string) domain.Spec {
	return domain.Spec{Image: h.Image, Command: []string{"sh", "-c", script}, MemoryMB: 64, CPU: 0.5}
}

func (h *house) sandbox(id domain.ContainerID) agent.Object {
	h.t.Helper()
	o, err := h.engine.Sandboxes().Ensure(h.ctx(), agent.SandboxSpec{Container: id})
	h.must(err, "ensure sandbox")
	return o
}

// create makes sandbox and member of a new container.
func (h *house) create(spec domain.Spec) agent.Object {
	h.t.Helper()
	id := h.id()
	o, err := h.engine.Members().Create(h.ctx(), agent.MemberSpec{
		Container: id, Generation: 1, Sandbox: h.sandbox(id), Spec: spec,
	})
	h.must(err, "create member")
	return o
}

// start makes a container and starts it.
func (h *house) start(spec domain.Spec) agent.Object {
	h.t.Helper()
	o := h.create(spec)
	h.must(h.engine.Members().Start(h.ctx(), o), "start member")
	return o
}

// member reads the container's member as it is now.
func (h *house) member(id domain.ContainerID) agent.Object {
	h.t.Helper()
	o, found := h.find(id, false)
	if !found {
		h.t.Fatalf("container %s has no member", id)
	}
	return o
}

func (h *house) find(id domain.ContainerID, sandbox bool) (agent.Object, bool) {
	h.t.Helper()
	objects, err := h.engine.Inspect(h.ctx(), id)
	h.must(err, "inspect")
	for _, o := range objects {
		if o.Sandbox == sandbox {
			return o, true
		}
	}
	return agent.Object{}, false
}

// until asks again and again until good is true, and fails with what when patience ends.
func (h *house) until(what string, good func() bool) {
	h.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !good() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func (h *house) untilStatus(id domain.ContainerID, s domain.Status) agent.Object {
	h.t.Helper()
	var o agent.Object
	h.until("status "+string(s), func() bool { o = h.member(id); return o.State.Status == s })
	return o
}

// logs collects the log as text.
func (h *house) logs(o agent.Object, q domain.LogQuery) string {
	h.t.Helper()
	var text bytes.Buffer
	err := capability[agent.Logger](h).Logs(h.ctx(), o, q, func(_ domain.LogStream, p []byte) error {
		text.Write(p)
		return nil
	})
	h.must(err, "read logs")
	return text.String()
}

// printed waits until the whole log contains text.
func (h *house) printed(o agent.Object, text string) {
	h.t.Helper()
	h.until("log with "+text, func() bool {
		return strings.Contains(h.logs(o, domain.LogQuery{Stdout: true, Stderr: true, Tail: -1}), text)
	})
}

func (h *house) must(err error, what string) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
}

// fault asserts the kind of err and that its message tells the user about each word.
func (h *house) fault(err error, kind domain.FaultKind, words ...string) {
	h.t.Helper()
	if !domain.IsKind(err, kind) {
		h.t.Fatalf("got %v, want a fault of kind %d", err, kind)
	}
	for _, word := range words {
		if message := domain.AsFault(err).Message; !strings.Contains(message, word) {
			h.t.Errorf("message %q does not say %q", message, word)
		}
	}
}

// file writes a file of the host that can be bound.
func (h *house) file(name, content string) string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), name)
	h.must(os.WriteFile(path, []byte(content), 0o644), "write "+name)
	return path
}

// capability is engine as C, which every engine of this house has.
func capability[C any](h *house) C {
	h.t.Helper()
	c, ok := h.engine.(C)
	if !ok {
		h.t.Fatalf("the engine lacks a capability: %T", *new(C))
	}
	return c
}

// tape keeps what a stream says.
type tape struct {
	mu   sync.Mutex
	data []byte
}

func (r *tape) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data = append(r.data, p...)
	return len(p), nil
}

func (r *tape) has(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Contains(r.data, []byte(text))
}

func (r *tape) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(slices.Clone(r.data))
}
