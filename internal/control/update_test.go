package control_test

import (
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// answer carries out whatever the host of id has before it as soon as it has it.
func (h *house) answer(id domain.ContainerID, send func()) (wait func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.eventually(func() bool {
			a := h.assignment(h.row(id).HostID, id)
			return a != nil && a.Op != nil
		})
		send()
	}()
	return func() { <-ended }
}

func size(cpu float64, memory int64) control.Change {
	return control.Change{CPU: &cpu, MemoryMB: &memory}
}

func TestUpdateWaitsForTheHost(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	wait := h.answer(id, func() {
		if a := h.assignment(host.ID, id); a.Spec.CPU != 2 || a.Op.Verb != domain.VerbUpdate {
			t.Errorf("the host reads %+v", a)
		}
		if h.row(id).Spec.CPU != 1 {
			t.Error("shown before it is true")
		}
		h.done(id, domain.Running)
	})
	row, err := h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(2, 256))
	wait()
	h.must(err)
	if row.Spec.CPU != 2 || row.Spec.MemoryMB != 256 || row.Status != domain.Running {
		t.Errorf("got %+v", row)
	}
	h.books("p1", domain.Claim{Containers: 1, CPU: 2, MemoryMB: 256}, nil)
	actions, err := h.Actions(t.Context(), member(), control.Ref{Ident: "web"})
	h.must(err)
	if len(actions) != 1 {
		t.Errorf("an update is recorded: %+v", actions)
	}
}

func TestUpdateThatFailsGivesBack(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	wait := h.answer(id, func() { h.failed(id, "the engine refused") })
	_, err := h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(2, 1024))
	wait()
	wantFault(t, err, domain.Conflict, "the engine refused")
	h.wantStatus(id, domain.Running)
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, nil)
}

func TestUpdateThatIsDeletedGivesBack(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	wait := h.answer(id, func() { h.must(h.delete(id, control.DeleteRequest{Force: true})) })
	_, err := h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(2, 1024))
	wait()
	wantFault(t, err, domain.Conflict, "The container was deleted.")
	h.released(id)
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0})
}

func TestUpdatePastItsTime(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.ResponseTimeout = 20 * time.Millisecond })
	h.addHost("n1")
	id := h.running("web")
	_, err := h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(2, 512))
	if !domain.IsKind(err, domain.Timeout) {
		t.Errorf("got %v", err)
	}
	_, err = h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(3, 512))
	wantFault(t, err, domain.Conflict, "Another update of container "+string(id)+" has not finished yet.")
	h.done(id, domain.Running) // it went on
	if row := h.row(id); row.Spec.CPU != 2 {
		t.Errorf("got %+v", row.Spec)
	}
}

func TestUpdateIsNoticedFromAnotherReplica(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	here := h.Containers
	h.reopen()
	wait := h.answer(id, func() { h.done(id, domain.Running) })
	row, err := here.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(2, 512))
	wait()
	if err != nil || row.Spec.CPU != 2 {
		t.Errorf("got %+v, %v", row.Spec, err)
	}
}

func TestUpdateRefusals(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.Quota.CPU, o.Ratios.CPU = 3, 1 })
	h.addHost("n1", func(h *domain.Host) { h.Inventory.MemoryMB = 1536 })
	id := h.running("web")
	_, err := h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(3.5, 512))
	wantFault(t, err, domain.Forbidden, "Quota exceeded for resources: ['cpu']")
	_, err = h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(1, 4096))
	wantFault(t, err, domain.Conflict, "The host of container "+string(id)+" has not enough free resources.")
	h.store.step(time.Hour)
	_, err = h.Update(t.Context(), member(), control.Ref{Ident: "web"}, size(2, 512))
	wantFault(t, err, domain.Unavailable, "The host of container "+string(id)+" is not up.")
	h.books("p1", domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}, nil)
}

func TestResizeContainerGoesOnByItself(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	cpu, name, heal := 0.5, "small", true
	row, err := h.Act(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbResizeContainer,
		domain.ActionArgs{CPU: &cpu, Name: &name, AutoHeal: &heal})
	h.must(err)
	if row.Spec.CPU != 1 || row.Spec.Name != "small" || !row.Spec.AutoHeal {
		t.Errorf("accepted as %+v", row.Spec)
	}
	h.done(id, domain.Running)
	if row := h.row(id); row.Spec.CPU != 0.5 || row.Spec.Name != "small" {
		t.Errorf("got %+v", row.Spec)
	}
	h.books("p1", domain.Claim{Containers: 1, CPU: 0.5, MemoryMB: 512}, nil)
}

func TestNamesAndFlagsAreTrueAtOnce(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.NameScope = control.NamesProject })
	h.addHost("n1")
	h.running("web")
	h.running("other")
	heal, name, taken := true, "shop", "other"
	row, err := h.Update(t.Context(), member(), control.Ref{Ident: "web"}, control.Change{Name: &name, AutoHeal: &heal})
	if err != nil || row.Spec.Name != "shop" || !row.Spec.AutoHeal {
		t.Errorf("got %+v, %v", row.Spec, err)
	}
	_, err = h.Update(t.Context(), member(), control.Ref{Ident: "shop"}, control.Change{Name: &taken})
	wantFault(t, err, domain.Conflict, "A container with name other already exists.")
	_, err = h.Rename(t.Context(), member(), control.Ref{Ident: "shop"}, "shop")
	wantFault(t, err, domain.Conflict, "The new name for the container is the same as the old name.")
	row, err = h.Rename(t.Context(), member(), control.Ref{Ident: "shop"}, "web")
	if err != nil || row.Spec.Name != "web" {
		t.Errorf("got %+v, %v", row.Spec, err)
	}
}
