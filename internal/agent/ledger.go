package agent

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/agent/queue"
	"github.com/go-zun/zun/internal/agent/restart"
	"github.com/go-zun/zun/internal/domain"
)

// ledger is what the agent knows of the containers on this host: assignments, and
// the engine's objects as last seen. All of it can be read again after a restart.
type ledger struct {
	mu      sync.Mutex
	charges map[domain.ContainerID]*charge
	listed  bool // the engine's objects were listed and no event was lost since
	read    bool // the assignments were read in full
	shared
}

// charge is one container. Its first part is guarded by the ledger; the second
// belongs to the worker that holds the container's key.
type charge struct {
	id       domain.ContainerID
	want     domain.Assignment
	assigned bool
	objects  []Object
	fresh    bool           // objects are as the engine last told, and no event came since
	resumed  opKey          // the action that was there when this agent began, or control began anew
	renewed  bool           // by a control that began anew, which may name another action as one that ended
	told     *domain.Report // the last report of what was observed
	doomed   chan struct{}  // closed once the container is to go

	course course
}

// course is what a worker remembers of a container from one plan to the next.
type course struct {
	ended    opKey         // the action whose end was reported
	tried    opKey         // the action that was left amid it, because the engine went
	made     int64         // the generation reported created
	sized    *domain.Claim // the limits that an update last gave the member
	tally    restart.Tally
	held     bool               // somebody asked for the end; no policy undoes it
	plugs    map[string]plug    // by port
	halfMade *domain.Assignment // a generation whose undoing failed
	trouble  trouble
	early    early
}

// early is a moment of the engine's that was still to come when it was first seen.
type early struct {
	told, seen time.Time
}

// plug is how a port was last plugged: into which sandbox, and under which rules.
type plug struct {
	sandbox, rules string
}

// rulesOf is equal for interfaces under equal rules.
func rulesOf(nics []domain.Nic, port string) string {
	for _, nic := range nics {
		if nic.PortID == port {
			return fmt.Sprint(nic.Groups, nic.Rules)
		}
	}
	return ""
}

// trouble is a run of failures that are tried again.
type trouble struct {
	since     time.Time
	notBefore time.Time
	wait      queue.Backoff
}

// opKey names an action as control must still wait for it.
type opKey struct {
	action, epoch int64
}

// noAction stands for no action; zero is a tombstone's.
const noAction = -1

// noGeneration is below every generation.
const noGeneration = -1

func keyOf(op *domain.Op) opKey {
	if op == nil {
		return opKey{action: noAction}
	}
	return opKey{action: op.ActionID, epoch: op.Epoch}
}

// newLedger returns one of a host that has cpus; none: nothing can be dedicated there.
func newLedger(cpus []int) *ledger {
	return &ledger{charges: map[domain.ContainerID]*charge{}, shared: shared{cpus: cpus}}
}

func (l *ledger) find(id domain.ContainerID) *charge {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.charges[id]
}

// charge returns the entry of id, made if there is none. The caller holds mu.
func (l *ledger) charge(id domain.ContainerID) *charge {
	c := l.charges[id]
	if c == nil {
		c = &charge{id: id, fresh: l.listed, doomed: make(chan struct{})}
		c.resumed, c.course.ended, c.course.tried, c.course.made = keyOf(nil), keyOf(nil), keyOf(nil), noGeneration
		c.course.plugs = map[string]plug{}
		c.course.trouble.wait = queue.Backoff{First: 500 * time.Millisecond, Longest: 30 * time.Second}
		l.charges[id] = c
	}
	return c
}

// assign notes what control wants. Readings come one after the other, so the last one
// counts whatever its revision: a container that came from another host brings that
// host's along, and a database that was restored begins anew.
func (l *ledger) assign(want domain.Assignment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.charge(want.Container)
	c.want, c.assigned = want, true
	if !l.read {
		c.resumed, c.renewed = keyOf(want.Op), true
	}
	if want.Want.Absent && !c.isDoomed() {
		close(c.doomed)
	}
}

// isDoomed says whether the container is to go, for good.
func (c *charge) isDoomed() bool {
	select {
	case <-c.doomed:
		return true
	default:
		return false
	}
}

// complete notes that the assignments were read in full: what is not among ids is
// this host's no more, and only its objects are still known.
func (l *ledger) complete(ids []domain.ContainerID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = true
	for id, c := range l.charges {
		if c.assigned && !slices.Contains(ids, id) {
			c.assigned = false
		}
	}
}

// unread notes that control began anew: all is read as it was when this agent began.
func (l *ledger) unread() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = false
}

// informed says whether the assignments were read in full: before, nobody is a stranger.
func (l *ledger) informed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.read
}

// drop forgets a container that this host has nothing more to do with: its delete or
// its refused create ended with key, nothing stands here, and nothing newer was assigned.
func (l *ledger) drop(id domain.ContainerID, key opKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.charges[id]
	if c == nil || c.want.Op == nil || keyOf(c.want.Op) != key {
		return
	}
	if c.want.Want.Absent || c.want.Op.Verb == domain.VerbCreate && len(c.objects) == 0 {
		delete(l.charges, id)
	}
}

// list notes all objects of the engine and returns every container's id.
func (l *ledger) list(objects []Object) []domain.ContainerID {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.charges {
		c.objects, c.fresh = nil, true
	}
	l.listed = true
	for _, o := range objects {
		c := l.charge(o.Container)
		c.objects = append(c.objects, o)
	}
	ids := make([]domain.ContainerID, 0, len(l.charges))
	for id := range l.charges {
		ids = append(ids, id)
	}
	return ids
}

// blind notes that events may have been lost.
func (l *ledger) blind() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listed = false
	for _, c := range l.charges {
		c.fresh = false
	}
}

// stir notes that the engine changed something of id; false if id is unknown.
func (l *ledger) stir(id domain.ContainerID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.charges[id]
	if c != nil {
		c.fresh = false
	}
	return c != nil
}

// order returns what control wants of c; false if nothing.
func (l *ledger) order(c *charge) (domain.Assignment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.renewed {
		c.renewed, c.course.ended = false, keyOf(nil)
	}
	want := c.want
	if want.CPUSet == (domain.CPUSet{}) {
		want.CPUSet = l.left
	}
	return want, c.assigned
}

// objects returns c's objects, and whether they are fresh.
func (l *ledger) objects(c *charge) ([]Object, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(c.objects), c.fresh
}

// expect notes that the engine is about to be asked: an event from now on makes the
// answer stale.
func (l *ledger) expect(c *charge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.fresh = l.listed
}

// keep notes what the engine told of c.
func (l *ledger) keep(c *charge, objects []Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.objects = objects
}

// orphans lists containers that have objects here and no assignment; none before
// both were read in full.
func (l *ledger) orphans() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.read {
		return nil
	}
	var ids []string
	for id, c := range l.charges {
		if !c.assigned && len(c.objects) > 0 {
			ids = append(ids, string(id))
		}
	}
	slices.Sort(ids)
	return ids
}

// assigned lists the containers that control assigned to this host.
func (l *ledger) assigned() []domain.ContainerID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []domain.ContainerID
	for id, c := range l.charges {
		if c.assigned {
			ids = append(ids, id)
		}
	}
	return ids
}

// Images lists the references that the containers assigned to this host are made of;
// false while not all of them are known. Those of an update under way count.
func (a *Agent) Images() (references []string, complete bool) {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	for _, c := range a.ledger.charges {
		if c.assigned {
			references = append(references, c.want.Spec.Image)
		}
	}
	return references, a.ledger.read
}

// nics lists the interfaces that are or will be plugged here.
func (l *ledger) nics() []domain.Nic {
	l.mu.Lock()
	defer l.mu.Unlock()
	var nics []domain.Nic
	for _, c := range l.charges {
		if c.assigned {
			nics = append(nics, c.want.Nics...)
		}
	}
	return nics
}

// news notes that r is told of c, and says whether it differs from what was last.
func (l *ledger) news(c *charge, r domain.Report) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.told != nil && sameNews(*c.told, r) {
		return false
	}
	c.told = &r
	return true
}

// tellAgain makes everything news again.
func (l *ledger) tellAgain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.charges {
		c.told = nil
	}
}

// sameNews compares two reports but for their times and the running clock in Detail.
func sameNews(a, b domain.Report) bool {
	if a.Phase != b.Phase || a.Generation != b.Generation || (a.Seen == nil) != (b.Seen == nil) {
		return false
	}
	if a.Seen == nil {
		return true
	}
	x, y := *a.Seen, *b.Seen
	x.Detail, y.Detail = "", ""
	return reflect.DeepEqual(x, y)
}
