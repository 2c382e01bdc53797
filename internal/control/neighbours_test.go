package control_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
)

func hinted(hints map[string]string) func(*control.CreateRequest) {
	return func(r *control.CreateRequest) { r.Spec.Hints = hints }
}

func labelled(name, value string) func(*control.CreateRequest) {
	return func(r *control.CreateRequest) { r.Spec.Labels = map[string]string{name: value} }
}

// hostsOf counts where the containers are.
func hostsOf(h *house, ids ...domain.ContainerID) map[string]int {
	h.t.Helper()
	all := map[string]int{}
	for _, id := range ids {
		all[h.row(id).HostName]++
	}
	return all
}

func TestHardHints(t *testing.T) {
	h := newHouse(t)
	for i := range 4 {
		h.addHost(fmt.Sprintf("n%d", i))
	}
	web := h.create("web", labelled("app", "web"))
	at := h.row(web).HostName
	for _, hints := range []map[string]string{
		{"same_host": string(web)}, {"affinity": "app=web"}, {"affinity": string(web)},
	} {
		if got := h.row(h.create("near", hinted(hints))).HostName; got != at {
			t.Errorf("%v: on %q, not %q", hints, got, at)
		}
	}
	for _, hints := range []map[string]string{
		{"different_host": string(web)}, {"anti-affinity": "app=web"}, {"anti_affinity": `["app=web"]`},
	} {
		if got := h.row(h.create("apart", hinted(hints))).HostName; got == at || got == "" {
			t.Errorf("%v: on %q, beside it", hints, got)
		}
	}
	if got := h.row(h.create("first", hinted(map[string]string{"affinity": "app=nobody"}))); got.HostName == "" {
		t.Error("the first of its kind finds no host")
	}
	none := h.row(h.create("torn", hinted(map[string]string{"same_host": string(web), "different_host": string(web)})))
	if none.Status != domain.Error || none.StatusReason != placing.NoValidHost {
		t.Errorf("both near and apart: %s %q", none.Status, none.StatusReason)
	}
}

func TestSoftHintsGiveWay(t *testing.T) {
	h := newHouse(t)
	for i := range 3 {
		h.addHost(fmt.Sprintf("n%d", i))
	}
	var spread, packed []domain.ContainerID
	for i := range 6 {
		spread = append(spread, h.create(fmt.Sprintf("s%d", i), labelled("app", "s"), hinted(map[string]string{"spread": "app=s"})))
		packed = append(packed, h.create(fmt.Sprintf("p%d", i), hinted(map[string]string{"group": "p", "group_policy": "soft-affinity"})))
	}
	if got := hostsOf(h, spread...); len(got) != 3 || got["n0"] != 2 || got["n1"] != 2 {
		t.Errorf("spread over %v", got)
	}
	if got := hostsOf(h, packed...); len(got) != 1 {
		t.Errorf("packed on %v", got)
	}
}

// Creates of one group at once see each other: the members that no host is left for
// end in Error, and no host has two.
func TestAGroupKeepsApartUnderConcurrency(t *testing.T) {
	const hosts, creates = 5, 12
	h := newHouse(t)
	for i := range hosts {
		h.addHost(fmt.Sprintf("n%d", i))
	}
	ids := make([]domain.ContainerID, creates)
	var all sync.WaitGroup
	for i := range creates {
		all.Go(func() {
			row, err := h.Create(t.Context(), member(), request(fmt.Sprintf("c%d", i), hinted(map[string]string{"group": "db"})))
			if err != nil {
				t.Error(err)
			}
			ids[i] = row.ID
		})
	}
	all.Wait()
	got := hostsOf(h, ids...)
	if got[""] != creates-hosts || len(got) != hosts+1 {
		t.Errorf("placed as %v", got)
	}
}

func TestNeighboursAreOfTheOwnProject(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	theirs := h.create("theirs", labelled("app", "web"))
	other := domain.Actor{UserID: "u2", ProjectID: "p2", RequestID: "req-2"}
	row, err := h.Create(t.Context(), other, request("mine", hinted(map[string]string{"anti-affinity": "app=web", "group": "x"})))
	if err != nil || row.HostName != "n1" {
		t.Errorf("kept from a host by another project: %q, %v", row.HostName, err)
	}
	_, err = h.Create(t.Context(), other, request("spy", hinted(map[string]string{"same_host": string(theirs)})))
	if want := fmt.Sprintf("The hint same_host names the container %s, which could not be found.", theirs); !domain.IsKind(err, domain.Invalid) || domain.AsFault(err).Message != want {
		t.Errorf("a look at another project: %v", err)
	}
	_, err = h.Create(t.Context(), other, request("bad", hinted(map[string]string{"group": "x", "group_policy": "near"})))
	if !domain.IsKind(err, domain.Invalid) {
		t.Errorf("a policy that nobody knows: %v", err)
	}
	if _, err = h.Create(t.Context(), other, request("odd", hinted(map[string]string{"unheard": "of"}))); err != nil {
		t.Errorf("an unknown hint: %v", err)
	}
}

// A placement that a host refuses later keeps the hints too.
func TestHintsHoldWhenPlacedAgain(t *testing.T) {
	h := newHouse(t)
	for i := range 3 {
		h.addHost(fmt.Sprintf("n%d", i))
	}
	apart := hinted(map[string]string{"group": "db"})
	one := h.row(h.running("one", apart))
	two := h.create("two", apart)
	before := h.row(two).HostName
	h.step(h.loops.Prepare)
	hostID, report := h.reportOf(two, domain.PhaseRefused)
	h.send(hostID, report)
	h.step(h.loops.Prepare)
	if after := h.row(two); after.HostName == before || after.HostName == one.HostName || after.HostName == "" {
		t.Errorf("placed again on %q, before on %q", after.HostName, before)
	}
}

// A drain is proven by what comes after it: nothing, however many creates race.
func TestADisabledHostTakesNothingUnderConcurrency(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.QuotaOff = true })
	h.addHost("n1")
	drained := h.addHost("n2")
	var all sync.WaitGroup
	yes := true
	left := make(chan int64, 1)
	for i := range 24 {
		all.Go(func() {
			if i == 8 {
				_, err := h.SetService(t.Context(), "n2", "zun-compute", control.ServiceChange{Disabled: &yes})
				host, hostErr := h.Host(t.Context(), drained.ID)
				if err != nil || hostErr != nil {
					t.Error(err, hostErr)
				}
				left <- host.Used.Containers
				return
			}
			if _, err := h.Create(t.Context(), member(), request(fmt.Sprintf("c%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	host, err := h.Host(t.Context(), drained.ID)
	h.must(err)
	if at := <-left; host.Used.Containers != at {
		t.Errorf("the host had %d containers when it was drained and has %d", at, host.Used.Containers)
	}
	placed, err := h.List(t.Context(), admin(), control.ListRequest{AllProjects: true})
	h.must(err)
	for _, row := range placed {
		if row.HostName == "" {
			t.Errorf("container %s found no host: %s", row.Spec.Name, row.StatusReason)
		}
	}
}
