package control_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// dedicated asks for whole CPUs of its own.
func dedicated(cpus float64) func(*control.CreateRequest) {
	return func(r *control.CreateRequest) {
		r.Spec.CPU, r.CPUAsked, r.Spec.CPUPolicy = cpus, true, domain.CPUDedicated
	}
}

// pinning makes a host of two memory nodes with two and four CPUs to dedicate.
func pinning(h *domain.Host) {
	h.Inventory.CPUPinning = true
	h.Inventory.MemoryNodes = []domain.MemoryNode{{ID: 0, CPUs: "1-2", MemoryMB: 8192}, {ID: 1, CPUs: "4-7", MemoryMB: 8192}}
}

func TestDedicatedCPUs(t *testing.T) {
	h := newHouse(t)
	h.addHost("plain")
	host := h.addHost("n1", pinning)
	pair := h.running("pair", dedicated(2))
	row := h.row(pair)
	if want := (domain.CPUSet{CPUs: "1-2", MemoryNodes: "0"}); row.CPUSet != want || row.HostName != "n1" {
		t.Fatalf("has %+v on %s, want %+v", row.CPUSet, row.HostName, want)
	}
	a := h.assignment(host.ID, pair)
	if a == nil || a.CPUSet != row.CPUSet || !slices.Contains(a.Requires, domain.AbilityCPUs) {
		t.Errorf("the host reads %+v", a)
	}
	three := h.row(h.create("three", dedicated(3)))
	if want := (domain.CPUSet{CPUs: "4-6", MemoryNodes: "1"}); three.CPUSet != want {
		t.Errorf("has %+v, want %+v", three.CPUSet, want)
	}
	for name, cpus := range map[string]float64{"too many": 2, "half": 0.5} {
		if row := h.row(h.create(name, dedicated(cpus))); row.Status != domain.Error || row.CPUSet != (domain.CPUSet{}) {
			t.Errorf("%s: status %s with %+v", name, row.Status, row.CPUSet)
		}
	}
	_, err := h.Update(t.Context(), member(), control.Ref{Ident: "pair"}, size(1, 512))
	wantFault(t, err, domain.Conflict, "The size of container "+string(pair)+" cannot be changed, because its CPUs are dedicated.")

	h.must(h.delete(pair, control.DeleteRequest{Stop: true}))
	if row := h.row(h.create("too early", dedicated(2))); row.Status != domain.Error {
		t.Errorf("has %+v while another may still run there", row.CPUSet)
	}
	h.released(pair)
	if row := h.row(h.create("heir", dedicated(2))); row.CPUSet.CPUs != "1-2" {
		t.Errorf("what was given back is not given out: %+v, %s", row.CPUSet, row.StatusReason)
	}
}

func TestDedicatedCPUsOfARefusedCreateGoElsewhere(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1", pinning)
	h.addHost("n2", pinning)
	id := h.create("web", dedicated(4))
	h.step(h.loops.Prepare)
	former := h.row(id)
	hostID, r := h.reportOf(id, domain.PhaseRefused)
	h.send(hostID, r)
	if row := h.row(id); row.CPUSet != (domain.CPUSet{}) || row.HostID != "" {
		t.Errorf("keeps %+v on %q", row.CPUSet, row.HostName)
	}
	h.step(h.loops.Prepare)
	if row := h.row(id); row.HostID == former.HostID || row.CPUSet.CPUs != "4-7" {
		t.Errorf("has %+v on %s after %s", row.CPUSet, row.HostName, former.HostName)
	}
}

func TestDedicatedCPUsStayTakenUntilADeadHostIsClean(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1", pinning)
	id := h.running("web", dedicated(4))
	h.store.step(time.Hour)
	h.must(h.delete(id, control.DeleteRequest{Force: true}))
	h.addHost("n1", pinning) // it is back, and not yet clean
	if row := h.row(h.create("early", dedicated(4))); row.Status != domain.Error {
		t.Errorf("has %+v while another may still run there", row.CPUSet)
	}
	a := h.assignment(host.ID, id)
	h.send(host.ID, domain.Report{Container: id, Generation: a.Generation, Phase: domain.PhaseReleased})
	if row := h.row(h.create("late", dedicated(4))); row.CPUSet.CPUs != "4-7" {
		t.Errorf("has %+v, %s", row.CPUSet, row.StatusReason)
	}
}

func TestNoCPUIsDedicatedTwice(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1", pinning)
	h.addHost("n2", pinning)
	var all sync.WaitGroup
	for range 20 { // and there are twelve
		all.Go(func() {
			if _, err := h.Create(t.Context(), member(), request("web", dedicated(1))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	rows, err := h.List(t.Context(), admin(), control.ListRequest{AllProjects: true})
	h.must(err)
	taken := map[string]int{}
	for _, row := range rows {
		if row.HostID != "" {
			taken[row.HostName+" "+row.CPUSet.CPUs]++
		} else if row.Status != domain.Error {
			t.Errorf("without a host: %s", row.Status)
		}
	}
	if len(taken) != 12 {
		t.Errorf("dedicated are %v", taken)
	}
	for cpu, times := range taken {
		if times > 1 {
			t.Errorf("%s is dedicated %d times", cpu, times)
		}
	}
}
