package agent_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// scriptedEngine is an engine in memory that keeps a log of its calls, fails on
// cue, and checks that no process starts where it must not.
type scriptedEngine struct {
	clock *stepClock
	nets  *scriptedNets

	mu      sync.Mutex
	down    bool
	serial  int
	ticks   time.Duration
	objects map[string]*agent.Object
	watch   chan domain.ContainerID
	faults  map[string][]error // by call, one for each time
	calls   []string
	broken  []string // rules that were broken
	images  map[string]bool
	sizes   map[domain.ContainerID]int64 // megabytes, as an update last set them
}

func newScriptedEngine(clock *stepClock, nets *scriptedNets) *scriptedEngine {
	return &scriptedEngine{
		clock: clock, nets: nets, objects: map[string]*agent.Object{}, faults: map[string][]error{}, images: map[string]bool{}, sizes: map[domain.ContainerID]int64{},
	}
}

var errEngineDown = domain.NewFault(domain.Unavailable, "engine-down", "the container engine does not answer")

// enter logs a call and returns the failure scripted for it. It leaves mu locked.
func (e *scriptedEngine) enter(call string) error {
	e.mu.Lock()
	e.calls = append(e.calls, call)
	if e.down {
		return errEngineDown
	}
	if queue := e.faults[call]; len(queue) > 0 {
		e.faults[call] = queue[1:]
		return queue[0]
	}
	return nil
}

func (e *scriptedEngine) fail(call string, errs ...error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults[call] = append(e.faults[call], errs...)
}

func (e *scriptedEngine) setDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
	if down && e.watch != nil {
		close(e.watch)
		e.watch = nil
	}
}

// changed sends an event. The caller holds mu.
func (e *scriptedEngine) changed(id domain.ContainerID) {
	if e.watch != nil {
		e.watch <- id
	}
}

func (e *scriptedEngine) count(call string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, c := range e.calls {
		if c == call {
			n++
		}
	}
	return n
}

// find returns the member or sandbox of id.
func (e *scriptedEngine) memory(id domain.ContainerID) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sizes[id]
}

func (e *scriptedEngine) find(id domain.ContainerID, sandbox bool) (agent.Object, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.objects {
		if o.Container == id && o.Sandbox == sandbox {
			return *o, true
		}
	}
	return agent.Object{}, false
}

func (e *scriptedEngine) status(id domain.ContainerID) domain.Status {
	o, _ := e.find(id, false)
	return o.State.Status
}

// exit ends the process of id by itself.
func (e *scriptedEngine) exit(id domain.ContainerID, code int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.objects {
		if o.Container == id && !o.Sandbox {
			e.ended(o, code)
		}
	}
}

// lose removes every object that which names, without anybody having asked.
func (e *scriptedEngine) lose(which func(agent.Object) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, o := range e.objects {
		if which(*o) {
			delete(e.objects, key)
			e.changed(o.Container)
		}
	}
}

// killHolder ends the sandbox's holder, as a kill of its pause process does.
func (e *scriptedEngine) killHolder(id domain.ContainerID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range e.objects {
		if o.Container == id && o.Sandbox {
			o.State.Status, o.PID, o.NetNS = domain.Stopped, 0, ""
			e.changed(id)
		}
	}
}

// moment is now, later than every moment before. The caller holds mu.
func (e *scriptedEngine) moment() time.Time {
	e.ticks++
	return e.clock.Now().Add(e.ticks)
}

// ahead puts the engine's clock ahead of the agent's.
func (e *scriptedEngine) ahead(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ticks += d
}

func (e *scriptedEngine) ended(o *agent.Object, code int) {
	o.State.Status, o.State.ExitCode, o.State.FinishedAt, o.PID = domain.Stopped, &code, e.moment(), 0
	e.changed(o.Container)
}

func (e *scriptedEngine) Info(context.Context) (domain.Inventory, error) {
	defer e.mu.Unlock()
	return domain.Inventory{CPUs: 2, DiskGB: 101, EngineUp: true}, e.enter("info")
}

func (e *scriptedEngine) List(context.Context) ([]agent.Object, error) {
	defer e.mu.Unlock()
	if err := e.enter("list"); err != nil {
		return nil, err
	}
	return e.snapshot(func(agent.Object) bool { return true }), nil
}

func (e *scriptedEngine) Inspect(_ context.Context, id domain.ContainerID) ([]agent.Object, error) {
	defer e.mu.Unlock()
	if err := e.enter("inspect"); err != nil {
		return nil, err
	}
	return e.snapshot(func(o agent.Object) bool { return o.Container == id }), nil
}

func (e *scriptedEngine) snapshot(which func(agent.Object) bool) []agent.Object {
	var found []agent.Object
	for _, o := range e.objects {
		if which(*o) {
			found = append(found, *o)
		}
	}
	return found
}

func (e *scriptedEngine) Watch(ctx context.Context) (<-chan domain.ContainerID, error) {
	defer e.mu.Unlock()
	if err := e.enter("watch"); err != nil {
		return nil, err
	}
	e.watch = make(chan domain.ContainerID, 1000)
	return e.watch, ctx.Err()
}

func (e *scriptedEngine) Sandboxes() agent.Sandboxes { return scriptedSandboxes{e} }
func (e *scriptedEngine) Members() agent.Members     { return scriptedMembers{e} }
func (e *scriptedEngine) Images() agent.Images       { return scriptedImages{e} }

type scriptedSandboxes struct{ *scriptedEngine }

func (e scriptedSandboxes) Stage(_ context.Context, s agent.SandboxSpec) (agent.Object, error) {
	defer e.mu.Unlock()
	if err := e.enter("stage"); err != nil {
		return agent.Object{}, err
	}
	for _, o := range e.objects {
		if o.Container == s.Container && o.Sandbox {
			return *o, nil
		}
	}
	return e.add(agent.Object{Container: s.Container, Sandbox: true, State: domain.Observation{Status: domain.Created}}), nil
}

func (e scriptedSandboxes) Ensure(_ context.Context, s agent.SandboxSpec) (agent.Object, error) {
	defer e.mu.Unlock()
	if err := e.enter("ensure"); err != nil {
		return agent.Object{}, err
	}
	for key, o := range e.objects {
		if o.Container != s.Container || !o.Sandbox {
			continue
		}
		switch o.State.Status {
		case domain.Running:
			return *o, nil
		case domain.Created:
			return e.live(o), nil
		default:
			delete(e.objects, key)
		}
	}
	made := e.add(agent.Object{Container: s.Container, Sandbox: true})
	return e.live(e.objects[made.EngineID]), nil
}

// live gives a sandbox its namespace. The caller holds mu.
func (e *scriptedEngine) live(o *agent.Object) agent.Object {
	e.serial++
	o.PID, o.NetNS, o.State.Status = 1000+e.serial, fmt.Sprintf("/ns/%d", e.serial), domain.Running
	e.changed(o.Container)
	return *o
}

// add keeps o under a new id. The caller holds mu.
func (e *scriptedEngine) add(o agent.Object) agent.Object {
	e.serial++
	o.EngineID, o.CreatedAt = fmt.Sprintf("object-%d", e.serial), e.moment()
	e.objects[o.EngineID] = &o
	e.changed(o.Container)
	return o
}

func (e scriptedSandboxes) Remove(_ context.Context, id domain.ContainerID) error {
	defer e.mu.Unlock()
	if err := e.enter("dissolve"); err != nil {
		return err
	}
	for key, o := range e.objects {
		if o.Container == id && o.Sandbox {
			delete(e.objects, key)
			e.changed(id)
		}
	}
	return nil
}

type scriptedMembers struct{ *scriptedEngine }

func (e scriptedMembers) Create(_ context.Context, m agent.MemberSpec) (agent.Object, error) {
	defer e.mu.Unlock()
	if err := e.enter("create"); err != nil {
		return agent.Object{}, err
	}
	for _, o := range e.objects {
		if o.Container == m.Container && !o.Sandbox && o.Generation == m.Generation {
			return *o, nil
		}
	}
	if m.Sandbox.EngineID == "" {
		e.broken = append(e.broken, "a member was created without a sandbox")
	}
	return e.add(agent.Object{Container: m.Container, Generation: m.Generation, CPUSet: m.CPUSet, State: domain.Observation{Status: domain.Created}}), nil
}

// act finds o's object under the lock and gives it to fn.
func (e *scriptedEngine) act(call string, o agent.Object, fn func(o *agent.Object)) error {
	defer e.mu.Unlock()
	if err := e.enter(call); err != nil {
		return err
	}
	found := e.objects[o.EngineID]
	if found == nil {
		return domain.NewFault(domain.NotFound, "container-not-found", "No such container: %s", o.Container)
	}
	fn(found)
	return nil
}

func (e scriptedMembers) Start(_ context.Context, o agent.Object) error {
	return e.act("start", o, func(o *agent.Object) {
		if o.State.Status == domain.Running {
			return
		}
		e.checkPlugged(o.Container)
		e.serial++
		o.PID = 1000 + e.serial
		o.State.Status, o.State.StartedAt, o.State.ExitCode = domain.Running, e.moment(), nil
		o.State.FinishedAt = time.Time{}
		e.changed(o.Container)
	})
}

// checkPlugged notes a start in a sandbox that does not live or is not plugged.
func (e *scriptedEngine) checkPlugged(id domain.ContainerID) {
	for _, o := range e.objects {
		if o.Container == id && o.Sandbox && o.State.Status == domain.Running {
			if !e.nets.holds(id, o.NetNS) {
				e.broken = append(e.broken, "a process started in a sandbox that is not plugged")
			}
			return
		}
	}
	e.broken = append(e.broken, "a process started without a living sandbox")
}

func (e scriptedMembers) Stop(_ context.Context, o agent.Object, _ time.Duration) error {
	return e.act("stop", o, func(o *agent.Object) {
		if o.PID != 0 {
			e.ended(o, 143)
		}
	})
}

func (e scriptedMembers) Kill(_ context.Context, o agent.Object, signal string) error {
	return e.act("kill", o, func(o *agent.Object) {
		if signal != "SIGHUP" {
			e.ended(o, 137)
		}
	})
}

func (e scriptedMembers) Pause(_ context.Context, o agent.Object) error {
	return e.act("pause", o, func(o *agent.Object) { o.State.Status = domain.Paused; e.changed(o.Container) })
}

func (e scriptedMembers) Unpause(_ context.Context, o agent.Object) error {
	return e.act("unpause", o, func(o *agent.Object) { o.State.Status = domain.Running; e.changed(o.Container) })
}

func (e scriptedMembers) Update(_ context.Context, o agent.Object, spec domain.Spec) error {
	return e.act("update", o, func(o *agent.Object) { e.sizes[o.Container] = spec.MemoryMB })
}

func (e *scriptedEngine) Confine(_ context.Context, o agent.Object, cpus domain.CPUSet) error {
	return e.act("confine", o, func(o *agent.Object) { o.CPUSet = cpus })
}

func (e scriptedMembers) Remove(_ context.Context, o agent.Object) error {
	defer e.mu.Unlock()
	if err := e.enter("remove"); err != nil {
		return err
	}
	delete(e.objects, o.EngineID)
	e.changed(o.Container)
	return nil
}

type scriptedImages struct{ *scriptedEngine }

func (e scriptedImages) Present(_ context.Context, ref string) (bool, error) {
	defer e.mu.Unlock()
	return e.images[ref], e.enter("present")
}

func (e scriptedImages) Pull(_ context.Context, ref string, _ *domain.PullSecret, progress func(done, total int64)) error {
	defer e.mu.Unlock()
	if err := e.enter("pull"); err != nil {
		return err
	}
	progress(10, 20)
	e.images[ref] = true
	return nil
}

func (e scriptedImages) Remove(context.Context, string) error { return nil }

// scriptedNets is a network in memory.
type scriptedNets struct {
	mu     sync.Mutex
	ends   map[string]string // port to namespace
	owners map[string]domain.ContainerID
	names  map[string]string // port to the interface inside
	count  int               // plugs made
	faults []error           // of the next plugs
	stuck  []error           // of the next unplugs
	fitted [][]domain.Nic
}

func newScriptedNets() *scriptedNets {
	return &scriptedNets{ends: map[string]string{}, names: map[string]string{}, owners: map[string]domain.ContainerID{}}
}

func take(queue *[]error) error {
	if len(*queue) == 0 {
		return nil
	}
	err := (*queue)[0]
	*queue = (*queue)[1:]
	return err
}

func (n *scriptedNets) Plug(_ context.Context, id domain.ContainerID, netns, name string, nic domain.Nic) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := take(&n.faults); err != nil {
		return err
	}
	n.ends[nic.PortID], n.owners[nic.PortID], n.names[nic.PortID] = netns, id, name
	n.count++
	return nil
}

func (n *scriptedNets) Unplug(_ context.Context, _ domain.ContainerID, nic domain.Nic) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := take(&n.stuck); err != nil {
		return err
	}
	delete(n.ends, nic.PortID)
	delete(n.owners, nic.PortID)
	return nil
}

func (n *scriptedNets) Plugged(context.Context) ([]agent.Plugged, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []agent.Plugged
	for port, id := range n.owners {
		all = append(all, agent.Plugged{Container: id, PortID: port})
	}
	return all, nil
}

func (n *scriptedNets) Sync(_ context.Context, inUse []domain.Nic) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fitted = append(n.fitted, slices.Clone(inUse))
	return nil
}

func (n *scriptedNets) holds(id domain.ContainerID, netns string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for port, at := range n.ends {
		if n.owners[port] == id && at == netns {
			return true
		}
	}
	return false
}

// name is the interface that port is inside, empty if it is not plugged.
func (n *scriptedNets) name(port string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ends[port] == "" {
		return ""
	}
	return n.names[port]
}

// made counts the plugs so far.
func (n *scriptedNets) made() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

func (n *scriptedNets) plugs() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.ends)
}

func (n *scriptedNets) syncs() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.fitted)
}
