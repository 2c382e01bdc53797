package control_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/loops"
	"github.com/go-zun/zun/internal/domain"
)

// obey is a host that carries out whatever it reads, until ctx ends. A create that
// it reads of a container called refused it refuses, and it reports everything twice.
func obey(ctx context.Context, t *testing.T, brain rooms, hostID string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		all, _, err := brain.Assignments(ctx, hostID, 0)
		if err != nil && ctx.Err() == nil {
			t.Errorf("assignments: %v", err)
		}
		for _, a := range all {
			if a.Op == nil {
				continue
			}
			r := answerTo(a)
			for range 2 {
				if _, err := brain.Report(ctx, hostID, r); err != nil && ctx.Err() == nil {
					t.Errorf("report: %v", err)
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func answerTo(a domain.Assignment) domain.Report {
	r := domain.Report{
		Container: a.Container, Generation: a.Generation, ActionID: a.Op.ActionID, Epoch: a.Op.Epoch, Phase: domain.PhaseDone,
		Seen: &domain.Observation{Status: domain.Created, EngineID: "e"},
	}
	switch {
	case a.Want.Absent:
		r.Phase, r.Seen = domain.PhaseReleased, nil
	case a.Op.Verb == domain.VerbCreate && a.Spec.Name == "refused":
		r.Phase, r.Seen = domain.PhaseRefused, nil
	case a.Want.Running:
		r.Seen.Status = domain.Running
	case a.Op.Verb == domain.VerbStop:
		r.Seen.Status = domain.Stopped
	}
	return r
}

// TestReplicasAgree lets two replicas with their loops, two hosts and many users
// work at once on one store, and then looks whether every book is even.
func TestReplicasAgree(t *testing.T) {
	h := newHouse(t)
	hosts := []domain.Host{h.addHost("n1"), h.addHost("n2")}
	replicas := []rooms{h.rooms}
	loopsOf := []*loops.Loops{h.loops}
	h.reopen()
	replicas, loopsOf = append(replicas, h.rooms), append(loopsOf, h.loops)

	ctx, cancel := context.WithCancel(t.Context())
	var background, users sync.WaitGroup
	for i := range replicas {
		background.Go(func() { loopsOf[i].Run(ctx) })
		background.Go(func() { obey(ctx, t, replicas[i], hosts[i].ID) })
	}
	for i := range 12 {
		users.Go(func() { h.liveAndDie(replicas[i%2], replicas[(i+1)%2], i) })
	}
	users.Wait()
	h.eventually(func() bool {
		rows, err := h.List(ctx, admin(), control.ListRequest{AllProjects: true})
		return err == nil && len(rows) == 0
	})
	cancel()
	background.Wait()
	h.books("p1", domain.Claim{}, map[string]int64{"n1": 0, "n2": 0})
	if n := h.nets.count(); n != 0 {
		t.Errorf("%d containers still have ports", n)
	}
}

// liveAndDie is one user: creates through one replica, acts through the other.
func (h *house) liveAndDie(one, other rooms, n int) {
	ctx, name := h.t.Context(), fmt.Sprintf("c%d", n)
	if n%5 == 4 {
		name = "refused"
	}
	row, err := one.Create(ctx, member(), request(name))
	if err != nil {
		h.t.Errorf("create: %v", err)
		return
	}
	ref := control.Ref{Ident: string(row.ID)}
	if n%3 == 0 { // at once, whatever the loops and the hosts are doing
		if err := other.Delete(ctx, admin(), ref, control.DeleteRequest{Force: true}); err != nil {
			h.t.Errorf("delete: %v", err)
		}
		return
	}
	if _, err := other.Act(ctx, member(), ref, domain.VerbStop, domain.ActionArgs{}); err != nil && name != "refused" {
		h.t.Errorf("stop: %v", err)
	}
	settled := func() bool {
		now, err := other.Get(ctx, member(), ref)
		return err == nil && (now.Status == domain.Stopped || now.Status == domain.Error)
	}
	h.eventually(settled)
	if err := one.Delete(ctx, member(), ref, control.DeleteRequest{}); err != nil {
		h.t.Errorf("delete: %v", err)
	}
}
