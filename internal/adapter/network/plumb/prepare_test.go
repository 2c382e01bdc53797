//go:build integration

package plumb_test

import (
	"context"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestWhatIsPreparedIsPluggedUnderItsRules(t *testing.T) {
	w := newWorld(t)
	p, a, stranger := w.plumb("deployment-one"), grouped(nic(40, 10), "g1"), grouped(nic(40, 11), "g2")
	must(t, p.Prepare(t.Context(), a))
	must(t, p.Prepare(t.Context(), a))
	box := w.plugged(p, a)
	check(t, "prepared and plugged", box, gateways(a), true)
	wantGuarded(t, box, a)
	wantReach(t, "a stranger", w.plugged(p, stranger), false, v4(a), v6(a))
}

// TestPlugLaysWhatWasPreparedAndTakenAway has the rules of a port that nobody plugged yet
// fitted away, as on a host whose other ports change meanwhile.
func TestPlugLaysWhatWasPreparedAndTakenAway(t *testing.T) {
	w := newWorld(t)
	p, a, stranger := w.plumb("deployment-one"), grouped(nic(41, 10), "g1"), grouped(nic(41, 11), "g2")
	must(t, p.Prepare(t.Context(), a))
	must(t, p.Sync(t.Context(), []domain.Nic{a}))
	box := w.plugged(p, a)
	check(t, "plugged after all", box, gateways(a), true)
	wantGuarded(t, box, a)
	wantReach(t, "a stranger", w.plugged(p, stranger), false, v4(a), v6(a))
}

func TestWhatIsPreparedAndNeverPluggedGoes(t *testing.T) {
	w := newWorld(t)
	before := inventory(t)
	p, a := w.plumb("deployment-one"), grouped(nic(1, 10), "g1")
	must(t, p.Prepare(t.Context(), a))
	must(t, p.Unplug(t.Context(), "c", a))
	must(t, p.Sync(t.Context(), nil))
	if after := inventory(t); after != before {
		t.Errorf("after an unplug there is\n%s\nwas\n%s", after, before)
	}
	// What a process that ended left goes when the next one looks at the host.
	must(t, p.Prepare(t.Context(), a))
	must(t, w.plumb("deployment-one").Sync(context.Background(), nil))
	if after := inventory(t); after != before {
		t.Errorf("after a new process there is\n%s\nwas\n%s", after, before)
	}
}
