package control_test

import (
	"fmt"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// many is a fleet that is large enough to be remembered.
const many = 70

// fleetOf adds many hosts, all in zone z0 but the last, which is in z1.
func fleetOf(h *house) (last domain.Host) {
	h.t.Helper()
	for i := range many {
		last = h.addHost(fmt.Sprintf("n%d", i), func(host *domain.Host) {
			host.Zone = "z0"
			if i == many-1 {
				host.Zone = "z1"
			}
		})
	}
	return last
}

func inZone(zone string) func(*control.CreateRequest) {
	return func(r *control.CreateRequest) { r.Spec.Zone = zone }
}

func TestWhatARememberedFleetProposesIsLookedAtAgain(t *testing.T) {
	h := newHouse(t)
	last := fleetOf(h)
	if row := h.row(h.create("one", inZone("z1"))); row.HostName != last.Name {
		t.Fatalf("placed on %q", row.HostName)
	}
	yes := true
	_, err := h.SetService(t.Context(), last.Name, last.Binary, control.ServiceChange{Disabled: &yes})
	h.must(err)
	if row := h.row(h.create("two", inZone("z1"))); row.HostName != "" || row.Status != domain.Error {
		t.Errorf("placed on the disabled host %q, status %s", row.HostName, row.Status)
	}
}

func TestWhatARememberedFleetDeniesIsAskedAnew(t *testing.T) {
	h := newHouse(t)
	fleetOf(h)
	h.create("one")
	h.addHost("new", func(host *domain.Host) { host.Zone = "z2" })
	if row := h.row(h.create("two", inZone("z2"))); row.HostName != "new" {
		t.Errorf("placed on %q", row.HostName)
	}
	h.create("three")
	h.addHost("newer")
	named := func(r *control.CreateRequest) { r.Spec.RequestedHost = "newer" }
	if row := h.row(h.create("four", named)); row.HostName != "newer" {
		t.Errorf("placed on %q", row.HostName)
	}
}
