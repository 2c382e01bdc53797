package control_test

import (
	"context"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// groups are security groups in memory: an id is "id-" and the name, and each has as
// many rules as its edition says.
type groups struct {
	edition string
	port    int
}

func (g *groups) Find(_ context.Context, _ domain.Actor, idents []string) ([]string, error) {
	var ids []string
	for _, ident := range idents {
		if ident == "unknown" {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "Security group unknown not found.")
		}
		ids = append(ids, "id-"+ident)
	}
	return ids, nil
}

func (g *groups) Default(context.Context, string) (string, error) { return "id-default", nil }

func (g *groups) Rules(_ context.Context, c domain.Container) ([]string, []domain.GroupRule, error) {
	return c.Spec.SecurityGroups, []domain.GroupRule{{Protocol: "tcp", PortMin: g.port, PortMax: g.port}}, nil
}

func (g *groups) Edition(context.Context) (string, error) { return g.edition, nil }

func newGroupedHouse(t *testing.T) (*house, *groups) {
	h := newHouse(t)
	g := &groups{}
	h.groups = g
	h.reopen()
	return h, g
}

func (h *house) regroup(verb domain.Verb, name string) error {
	_, err := h.Rewire(h.t.Context(), member(), control.Ref{Ident: "web"}, verb, domain.ActionArgs{Group: name})
	return err
}

func TestGroupsOfACreate(t *testing.T) {
	h, _ := newGroupedHouse(t)
	h.addHost("n1")
	id := h.create("web", func(r *control.CreateRequest) { r.Spec.SecurityGroups = []string{"a", "b"} })
	if got := h.row(id).Spec.SecurityGroups; len(got) != 2 || got[1] != "id-b" {
		t.Errorf("groups %v", got)
	}
	_, err := h.Create(t.Context(), member(), request("x", func(r *control.CreateRequest) { r.Spec.SecurityGroups = []string{"unknown"} }))
	wantFault(t, err, domain.Invalid, "Security group unknown not found.")
}

func TestJoinAndLeaveAGroup(t *testing.T) {
	h, _ := newGroupedHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	h.must(h.regroup(domain.VerbAddGroup, "web"))
	wantFault(t, h.regroup(domain.VerbAddGroup, "db"), domain.Conflict, "Cannot add_security_group container "+string(id)+" in Running state")
	h.step(h.loops.Prepare)
	a := h.assignment(host.ID, id)
	if a.Op == nil || a.Op.Verb != domain.VerbAddGroup || len(a.Spec.SecurityGroups) != 2 {
		t.Fatalf("the host reads %+v", a)
	}
	if row := h.row(id); row.TaskState != domain.GroupAdding {
		t.Errorf("task state %q", row.TaskState)
	}
	h.done(id, domain.Running)
	wantFault(t, h.regroup(domain.VerbAddGroup, "web"), domain.Invalid, "Security group id-web has been added to container.")
	wantFault(t, h.regroup(domain.VerbRemoveGroup, "db"), domain.Invalid, "Security group id-db was not added to container.")
	h.must(h.regroup(domain.VerbRemoveGroup, "default"))
	h.step(h.loops.Prepare)
	h.done(id, domain.Running)
	if row := h.wantStatus(id, domain.Running); len(row.Spec.SecurityGroups) != 1 || row.Spec.SecurityGroups[0] != "id-web" {
		t.Errorf("left %v", row.Spec.SecurityGroups)
	}
}

func TestGroupsNeedADriverThatHasThem(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.running("web")
	wantFault(t, h.regroup(domain.VerbAddGroup, "web"), domain.Unsupported, "The configured network driver does not support add_security_group.")
}

func TestChangedRulesReachTheHost(t *testing.T) {
	h, g := newGroupedHouse(t)
	host := h.addHost("n1")
	id := h.running("web", func(r *control.CreateRequest) { r.Spec.SecurityGroups = []string{"a"} })
	busy := h.running("busy")
	h.must(h.act(busy, domain.VerbStop))
	g.edition, g.port = "2", 80
	wakes := h.nodes.wakes()
	if n := h.step(h.loops.Regroup); n != 1 {
		t.Errorf("regrouped %d", n)
	}
	a := h.assignment(host.ID, id)
	if len(a.Nics[0].Rules) != 1 || a.Nics[0].Rules[0].PortMin != 80 || a.Nics[0].Groups[0] != "id-a" || h.nodes.wakes() != wakes+1 {
		t.Errorf("the host reads %+v and was woken %d times", a.Nics, h.nodes.wakes()-wakes)
	}
	if len(a.Requires) != 1 || a.Requires[0] != "security-groups" {
		t.Errorf("the host must know %v", a.Requires)
	}
	h.done(busy, domain.Stopped)
	if n := h.step(h.loops.Regroup); n != 1 {
		t.Errorf("when its action ended the other was regrouped %d times", n)
	}
	if h.step(h.loops.Regroup) != 0 {
		t.Error("regrouped without a change")
	}
}

// A container whose ports are just being made, under the rules of a moment ago, gets the
// new ones too.
func TestChangedRulesReachWhatIsBeingPrepared(t *testing.T) {
	h, g := newGroupedHouse(t)
	host := h.addHost("n1")
	idle := h.running("idle")
	id := h.create("web", func(r *control.CreateRequest) { r.Spec.SecurityGroups = []string{"a"} })
	h.nets.before = func(domain.Container) {
		g.edition, g.port = "2", 80
		if n := h.step(h.loops.Regroup); n != 1 {
			t.Errorf("regrouped %d, not %s alone", n, idle)
		}
	}
	h.step(h.loops.Prepare)
	h.done(id, domain.Running)
	if n := h.step(h.loops.Regroup); n != 1 {
		t.Errorf("regrouped %d", n)
	}
	if a := h.assignment(host.ID, id); len(a.Nics[0].Rules) != 1 || a.Nics[0].Rules[0].PortMin != 80 {
		t.Errorf("the host reads %+v", a.Nics)
	}
	if h.step(h.loops.Regroup) != 0 {
		t.Error("regrouped without a change")
	}
}
