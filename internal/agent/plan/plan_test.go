package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// what builds an assignment from a verb and changes to it.
func what(verb domain.Verb, changes ...func(*domain.Assignment)) domain.Assignment {
	want := domain.Assignment{
		Container: "c1", Generation: 1, EverCreated: true,
		Nics: []domain.Nic{{PortID: "p1", Ready: true}},
	}
	if verb != "" {
		want.Op = &domain.Op{ActionID: 1, Epoch: 1, Verb: verb, AcceptedAt: noon}
	}
	for _, change := range changes {
		change(&want)
	}
	return want
}

func fresh(a *domain.Assignment)     { a.EverCreated = false }
func run(a *domain.Assignment)       { a.Op.Args.Run = true }
func notReady(a *domain.Assignment)  { a.Nics[0].Ready = false }
func begun(a *domain.Assignment)     { a.Op.Begun = true }
func givenUp(a *domain.Assignment)   { a.Op.Args.Gone = &domain.Nic{PortID: "p2"} }
func stopFirst(a *domain.Assignment) { a.Op.Args.Stop = true }
func absent(a *domain.Assignment)    { a.Want.Absent = true }
func up(a *domain.Assignment)        { a.Want.Running = true }
func frozen(a *domain.Assignment)    { a.Want.Paused = true }
func second(a *domain.Assignment)    { a.Generation = 2 }
func leaving(a *domain.Assignment)   { a.Op.Args.Gone = &domain.Nic{PortID: "p0"} }
func joining(a *domain.Assignment)   { a.Op.Args.Choice = &domain.NetChoice{} }
func noNics(a *domain.Assignment)    { a.Nics = nil }

func box(status domain.Status) plan.Object {
	return plan.Object{EngineID: "s1", Container: "c1", Sandbox: true, CreatedAt: noon.Add(-time.Hour), State: domain.Observation{Status: status}}
}

func member(status domain.Status) plan.Object {
	o := plan.Object{EngineID: "m1", Container: "c1", Generation: 1, State: domain.Observation{Status: status}}
	if status != domain.Created {
		o.State.StartedAt = noon.Add(-time.Minute)
	}
	if status == domain.Stopped {
		o.State.FinishedAt = noon.Add(-time.Second)
	}
	return o
}

func started(o plan.Object, at time.Time) plan.Object {
	o.State.StartedAt = at
	return o
}

func have(objects ...plan.Object) plan.Have { return plan.Have{Objects: objects} }

func resumed(h plan.Have) plan.Have { h.Resumed = true; return h }
func due(h plan.Have) plan.Have     { h.RestartDue = true; return h }
func rewired(h plan.Have) plan.Have { h.Rewired = true; return h }
func resized(h plan.Have) plan.Have { h.Resized = true; return h }
func plugged(h plan.Have, ports ...string) plan.Have {
	h.Plugged = ports
	return h
}

func TestMake(t *testing.T) {
	t.Parallel()
	running, stopped, created := member(domain.Running), member(domain.Stopped), member(domain.Created)
	alive, dead := box(domain.Running), box(domain.Stopped)
	tests := []struct {
		name string
		want domain.Assignment
		have plan.Have
		plan string // steps, & marks those beside, then what is reported
	}{
		{"create", what("create", fresh), have(), "image& rules& stage sandbox& files net& create -> done unmake"},
		{"create and run", what("create", fresh, run), have(), "image& rules& stage sandbox& files net& create start -> done unmake"},
		{"create and run, port not active", what("create", fresh, run, notReady), have(), "image& rules& stage sandbox& files net& create -> progress unmake"},
		{"create and run, port active at last", what("create", fresh, run), plugged(have(alive, created), "p1"), "files start -> done unmake"},
		{"create without nets plugs nothing", what("create", fresh, run, noNics), have(alive, created), "files start -> done unmake"},
		{"create, ended after the sandbox", what("create", fresh, run), resumed(have(alive)), "image& files net& create start -> done unmake"},
		{"create, ended after the object", what("create", fresh, run), resumed(have(alive, created)), "files net& start -> done unmake"},
		{"create, ended after the start", what("create", fresh, run), resumed(have(alive, running)), "-> done unmake"},
		{"create, the process came and went", what("create", fresh, run), resumed(have(alive, stopped)), "-> done unmake"},
		{"create, object made, not to be run", what("create", fresh), resumed(have(alive, created)), "-> done unmake"},
		{"create, known and lost", what("create", run), have(alive), "-> missing"},
		{"rebuild replaces when the image is here", what("rebuild", fresh, run, second), plugged(have(alive, running), "p1"), "image& remove files create start -> done unmake"},
		{"rebuild of a lost one", what("rebuild", fresh, run, second), have(), "image& rules& stage sandbox& files net& create start -> done unmake"},
		{"start", what("start"), plugged(have(alive, stopped), "p1"), "files start -> done"},
		{"start plugs what it does not know plugged", what("start"), have(alive, stopped), "files net& start -> done"},
		{"start with a dead sandbox", what("start"), have(dead, stopped), "unplug rules& stage sandbox& files net& start -> done"},
		{"start what runs", what("start"), have(alive, running), "-> done"},
		{"start what is lost", what("start"), have(alive), "-> missing"},
		{"start what was never made", what("start", fresh), have(), "-> failed"},
		{"start waits for the port", what("start", notReady), have(alive, stopped), "files net& -> progress"},
		{"stop", what("stop"), have(alive, running), "stop -> done"},
		{"stop what is paused", what("stop"), have(alive, member(domain.Paused)), "stop -> done"},
		{"stop what ended", what("stop"), have(alive, stopped), "-> done"},
		{"reboot", what("reboot"), plugged(have(alive, running), "p1"), "stop files start -> done"},
		{"reboot what ended", what("reboot"), plugged(have(alive, stopped), "p1"), "files start -> done"},
		{"reboot done by a former run", what("reboot"), resumed(have(alive, started(running, noon.Add(time.Second)))), "-> done"},
		{"reboot not done by a former run, of what ended", what("reboot"), resumed(plugged(have(alive, started(stopped, noon.Add(time.Second))), "p1")), "files start -> done"},
		{"reboot not done by a former run", what("reboot"), resumed(plugged(have(alive, running), "p1")), "stop files start -> done"},
		{"a start time proves nothing in the same run", what("reboot"), plugged(have(alive, started(running, noon.Add(time.Second))), "p1"), "stop files start -> done"},
		{"pause", what("pause"), have(alive, running), "pause -> done"},
		{"pause what is shown as paused", what("pause"), have(alive, member(domain.Paused)), "pause -> done"},
		{"pause what ended", what("pause"), have(alive, stopped), "-> failed"},
		{"unpause", what("unpause"), have(alive, member(domain.Paused)), "unpause -> done"},
		{"unpause what is shown as running", what("unpause"), have(alive, running), "unpause -> done"},
		{"kill is begun first", what("kill"), have(alive, running), "begin kill -> done"},
		{"kill is never sent twice", what("kill", begun), resumed(have(alive, running)), "-> failed"},
		{"kill what ended", what("kill"), have(alive, stopped), "-> failed"},
		{"update", what("update"), have(alive, stopped), "update -> done"},
		{"attach a network", what("network_attach"), have(alive, running), "net -> done unmake"},
		{"join a security group", what("add_security_group"), rewired(plugged(have(alive, running))), "net -> done"},
		{"leave a security group without a sandbox", what("remove_security_group"), have(dead, stopped), "-> done"},
		{"detach a network", what("network_detach"), plugged(have(alive, running), "p0", "p1"), "unplug -> done"},
		{"detach a network known by the action", what("network_detach", leaving), have(alive, running), "unplug net -> done"},
		{"unplug what an attach that was given up may have plugged", what("network_attach", givenUp), have(alive, running), "unplug -> done"},
		{"the same without anything that stands", what("network_attach", givenUp), have(), "unplug -> done"},
		{"rewire without a sandbox", what("network_attach"), have(dead, stopped), "-> done unmake"},
		{"an unknown verb", what("levitate"), have(alive, running), "-> refused"},
		{"delete", what("delete", absent), have(alive, running), "remove unplug dissolve forget -> released"},
		{"delete after a stop", what("delete", absent, stopFirst), have(alive, running), "stop remove unplug dissolve forget -> released"},
		{"delete of all generations", what("delete", absent, second), have(dead, running, stopped), "remove remove unplug dissolve forget -> released"},
		{"delete of nothing", what("delete", absent), have(), "unplug forget -> released"},
		{"absent without an action", what("", absent), have(alive, running), "remove unplug dissolve forget ->"},
		{"settled and running", what("", up), have(alive, running), "-> observed"},
		{"settled under other rules", what("", up), rewired(have(alive, running)), "net -> observed"},
		{"settled with limits that were given up", what("", up), resized(have(alive, running)), "update -> observed"},
		{"ended with limits that were given up", what(""), resized(have(alive, stopped)), "update -> observed"},
		{"settled with an interface nobody wants", what("", up), plugged(have(alive, running), "p1", "p2"), "unplug -> observed"},
		{"settled and ended", what("", up), have(alive, stopped), "-> observed"},
		{"settled and lost", what("", up), have(alive), "-> missing"},
		{"settled after a failed create", what("", fresh), have(), "->"},
		{"a create that was given up and ended late", what("", fresh, second), have(alive, running), "remove unplug dissolve forget ->"},
		{"a rebuild that was given up before its object", what("", fresh, second, up), plugged(have(alive, stopped), "p1"), "remove unplug dissolve forget ->"},
		{"restart due", what("", up), plugged(due(have(alive, stopped)), "p1"), "files start -> observed"},
		{"restart due after the host booted", what("", up), due(have(dead, stopped)), "unplug rules& stage sandbox& files net& start -> observed"},
		{"holder died under a running process", what("", up), have(dead, running), "stop unplug rules& stage sandbox& files net& start -> observed"},
		{"holder gone under a running process", what("", up), have(running), "stop unplug rules& stage sandbox& files net& start -> observed"},
		{"holder died under a paused process", what("", up, frozen), have(dead, member(domain.Paused)), "stop unplug rules& stage sandbox& files net& start pause -> observed"},
		{"holder died under a process nobody wants", what(""), have(dead, running), "stop -> observed"},
		{"sandbox replaced, not yet started again", what("", up), have(started(alive, noon), stopped), "files net& start -> observed"},
		{"a stopped one stays stopped", what(""), have(started(alive, noon), stopped), "-> observed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := describe(plan.Make(test.want, test.have)); got != test.plan {
				t.Errorf("plan is\n  %s, want\n  %s", got, test.plan)
			}
		})
	}
}

func TestUnmaking(t *testing.T) {
	t.Parallel()
	half := have(box(domain.Running), member(domain.Created))
	tests := map[domain.Verb]string{
		"create":  "remove unplug dissolve forget ->",
		"rebuild": "remove ->", "network_attach": "unplug ->",
	}
	for verb, want := range tests {
		if got := describe(plan.Plan{Steps: plan.Unmaking(what(verb, fresh, joining), half)}); got != want {
			t.Errorf("unmaking a %s is %q, want %q", verb, got, want)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	want := what("create", fresh)
	want.Requires = []string{"mounts"}
	if plan.Refusal(want, nil) == "" {
		t.Error("an unknown word is not refused")
	}
	if reason := plan.Refusal(want, []string{"mounts"}); reason != "" {
		t.Errorf("a known word is refused: %s", reason)
	}
	if want.Want.Absent = true; plan.Refusal(want, nil) != "" {
		t.Error("a delete is refused")
	}
}

func describe(p plan.Plan) string {
	var words []string
	if p.Begin {
		words = append(words, "begin")
	}
	for _, s := range p.Steps {
		word := string(s.Kind)
		if s.Beside {
			word += "&"
		}
		words = append(words, word)
	}
	words = append(words, "->")
	if p.Then != "" {
		words = append(words, string(p.Then))
	}
	if p.Unmake {
		words = append(words, "unmake")
	}
	return strings.Join(words, " ")
}
