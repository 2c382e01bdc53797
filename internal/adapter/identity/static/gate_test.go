package static

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"
)

func TestGateForgetsAndStaysSmall(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	g := newGate(func() time.Time { return now })
	guess := attempt{source: "192.0.2.1", name: "admin"}
	for range 20 {
		g.note(guess, false)
	}
	if wait := g.wait(guess); wait != longestWait {
		t.Errorf("wait = %v, want the longest", wait)
	}
	for n := range maxRecords {
		g.note(attempt{source: guess.source, name: strconv.Itoa(n)}, false)
	}
	if len(g.records) > maxRecords || g.order.Len() != len(g.records) {
		t.Errorf("%d records, %d in order", len(g.records), g.order.Len())
	}
	if wait := g.wait(guess); wait != longestWait {
		t.Errorf("wait = %v: a flood of names made the source forgotten", wait)
	}
	now = now.Add(forgetAfter)
	if wait := g.wait(guess); wait > 0 {
		t.Errorf("wait = %v after the time of forgetting", wait)
	}
}

// TestGateForgetsNobodyForThoseItDoesNotLookAt: to be refused costs nothing, so that one
// source which must wait could make the gate forget another with names alone.
func TestGateForgetsNobodyForThoseItDoesNotLookAt(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	g := newGate(func() time.Time { return now })
	guess := attempt{source: "192.0.2.1", name: "admin"}
	for n := range sourceFree + 1 {
		g.note(guess, false)
		g.note(attempt{source: "192.0.2.2", name: strconv.Itoa(n)}, false)
	}
	for n := range 2 * maxRecords {
		if _, wait, err := g.try(t.Context(), attempt{source: "192.0.2.2", name: "more" + strconv.Itoa(n)}); wait <= 0 || err != nil {
			t.Fatalf("a source that must wait is looked at: %v %v", wait, err)
		}
	}
	if wait := g.wait(guess); wait <= 0 {
		t.Error("who guessed may guess on")
	}
}

func TestGateTakesANetworkOfIPv6ForOneSource(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	g := newGate(func() time.Time { return now })
	for n := range pairFree + 1 {
		g.note(attempt{source: "2001:db8::" + strconv.Itoa(n), name: "admin"}, false)
	}
	if wait := g.wait(attempt{source: "2001:db8::ffff", name: "admin"}); wait <= 0 {
		t.Error("another address of the network may guess on")
	}
	for _, source := range []string{"2001:db8:0:1::1", "192.0.2.1", "no address"} {
		if wait := g.wait(attempt{source: source, name: "admin"}); wait > 0 {
			t.Errorf("%s waits %v", source, wait)
		}
	}
}

func TestGateGivesUpWithTheRequest(t *testing.T) {
	g := newGate(time.Now)
	for range comparisons {
		g.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := g.try(ctx, attempt{source: "s", name: "n"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
