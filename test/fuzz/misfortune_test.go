//go:build integration

package fuzz

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
	"github.com/go-zun/zun/test/deployment"
)

// befall lets every misfortune happen when its request is made, each for its while. At
// the end everything is whole again.
func (s *storm) befall(ctx context.Context, t *testing.T) {
	t.Helper()
	var under sync.WaitGroup
	defer under.Wait()
	for _, m := range s.schedule.misfortunes {
		for s.made.Load() < int64(m.at) {
			if !pause(ctx, 5*time.Millisecond) {
				return
			}
		}
		under.Go(func() { s.happen(ctx, t, m) })
	}
}

func (s *storm) happen(ctx context.Context, t *testing.T, m misfortune) {
	t.Helper()
	host := s.Hosts[m.dice%uint64(len(s.Hosts))]
	switch m.what {
	case "kill-api", "freeze-api", "window-api":
		s.hurt(ctx, t, m, s.APIs[m.dice%uint64(len(s.APIs))])
	case "kill-compute", "freeze-compute", "window-compute", "restart-compute":
		s.hurt(ctx, t, m, host.Process)
	case "bury":
		s.bury(ctx, t, m, host)
	case "disable-host":
		s.journal.note("%s: %s", m, host.Name)
		_, _ = s.admin.DisableService(ctx, host.Name, "zun-compute", "a whim")
		pause(ctx, m.lasts)
		s.enable(ctx, host)
	case "lock-database":
		s.journal.note("%s", m)
		locked, end := context.WithTimeout(ctx, m.lasts)
		defer end()
		if err := s.Lock(locked, t); err != nil {
			s.journal.note("%v", err)
		}
	case "hang-up-database":
		s.journal.note("%s", m)
		s.HangUp(t)
	case "cue":
		s.cue(t, m, host)
	default:
		s.strike(t, m)
	}
}

// hurt kills, freezes or restarts a service, or has it die in a named window. Two
// misfortunes never hurt one service at once.
func (s *storm) hurt(ctx context.Context, t *testing.T, m misfortune, victim *deployment.Process) {
	t.Helper()
	s.busy[victim].Lock()
	defer s.busy[victim].Unlock()
	s.journal.note("%s: %s", m, victim.Name)
	switch how, _, _ := strings.Cut(m.what, "-"); how {
	case "kill":
		victim.Kill()
		pause(ctx, m.lasts)
		victim.MustStart(t)
	case "restart":
		victim.Stop(t)
		victim.MustStart(t)
	case "freeze":
		victim.Signal(syscall.SIGSTOP)
		pause(ctx, m.lasts)
		victim.Signal(syscall.SIGCONT)
	case "window":
		s.window(ctx, t, m, victim)
	}
}

func (s *storm) enable(ctx context.Context, host *deployment.Host) {
	for {
		if _, err := s.admin.EnableService(ctx, host.Name, "zun-compute"); err == nil || !pause(ctx, 200*time.Millisecond) {
			return
		}
	}
}

// window has a service die in a named window, if it meets it in time.
func (s *storm) window(ctx context.Context, t *testing.T, m misfortune, victim *deployment.Process) {
	t.Helper()
	side := failpoint.Control
	if m.what == "window-compute" {
		side = failpoint.Agent
	}
	points := slices.DeleteFunc(failpoint.List(), func(p failpoint.Point) bool { return p.Side != side })
	point, moment := pick(m.dice/16, points...), pick(m.dice/1024, "before", "after")
	s.journal.note("%s will die %s %s", victim.Name, moment, point.Name)
	mortal := victim.Arm(t, point.Name, moment)
	pause(ctx, 3*m.lasts)
	met := mortal.Recover(t)
	s.journal.note("%s met %s: %v", victim.Name, point.Name, met)
}

// bury deletes a container by force while its host is dead and known to be.
func (s *storm) bury(ctx context.Context, t *testing.T, m misfortune, host *deployment.Host) {
	t.Helper()
	s.busy[host.Process].Lock()
	defer s.busy[host.Process].Unlock()
	s.journal.note("%s dies and is known to be dead", host.Name)
	if host.Process != s.APIs[0] { // the all-in-one would take control with it
		host.Kill()
	}
	_, _ = s.admin.ForceDownService(ctx, host.Name, "zun-compute", true)
	seat := &s.seats[m.dice/8%projects][m.dice/64%slots]
	if uuid := seat.occupant(); uuid != "" {
		err := s.admin.DeleteContainer(ctx, uuid, client.DeleteOptions{Force: true, AllProjects: true})
		v := s.journal.answered(op{number: m.at, kind: "delete-force"}, uuid, "by burial", err)
		if v != refused {
			seat.leave(uuid)
		}
	}
	pause(ctx, m.lasts)
	if host.Process != s.APIs[0] {
		host.MustStart(t)
	}
	for {
		if _, err := s.admin.ForceDownService(ctx, host.Name, "zun-compute", false); err == nil || !pause(ctx, 200*time.Millisecond) {
			return
		}
	}
}

// cue has the engine of a host fail a few calls, or take long over them.
func (s *storm) cue(t *testing.T, m misfortune, host *deployment.Host) {
	t.Helper()
	c := fake.Cue{
		Op: pick(m.dice/16, fake.OpInspect, fake.OpSandboxEnsure, fake.OpSandboxRemove, fake.OpCreate, fake.OpStart, fake.OpStart,
			fake.OpStop, fake.OpKill, fake.OpPause, fake.OpUnpause, fake.OpUpdate, fake.OpRemove, fake.OpImagePull, fake.OpExec),
		Times: int(1 + m.dice/512%3),
	}
	if m.dice/4096%3 == 0 {
		c.Delay = 2 * m.lasts
	} else {
		words := slices.Sorted(maps.Keys(fake.FaultWords()))
		c.Fault = pick(m.dice/16384, words...)
		if c.Op == fake.OpExec && c.Fault == "internal" {
			c.Fault = "unavailable" // what nobody can explain to a client who waits is a 500, and ought to be
		}
	}
	s.journal.note("the engine of %s: %+v", host.Name, c)
	if err := host.Cues(t).Cue(c); err != nil {
		t.Errorf("cue: %v", err)
	}
}

// strike does something to a container behind the service's back.
func (s *storm) strike(t *testing.T, m misfortune) {
	t.Helper()
	uuid := s.seats[m.dice/8%projects][m.dice/64%slots].occupant()
	if uuid == "" {
		return
	}
	for _, host := range s.Hosts {
		engine := host.Cues(t)
		objects, err := engine.Inspect(t.Context(), domain.ContainerID(uuid))
		if err != nil || len(objects) == 0 {
			continue // it is elsewhere, or on cue the engine did not say
		}
		s.journal.befell(uuid)
		s.journal.note("%s strikes %s on %s", m.what, uuid, host.Name)
		switch m.what {
		case "end-process":
			err = engine.EndProcess(domain.ContainerID(uuid), int(m.dice/4096%2))
		case "kill-sandbox":
			err = engine.KillSandbox(domain.ContainerID(uuid))
		case "lose":
			err = engine.Lose(domain.ContainerID(uuid))
		}
		if err != nil && !domain.IsKind(err, domain.NotFound) { // it may just have gone
			t.Errorf("%s: %v", m.what, err)
		}
		if m.what != "end-process" { // as a namespace goes with the process that holds it
			host.Room.Output(t, "sh", "-c", "ip netns delete zun-"+uuid+" 2>/dev/null || true")
		}
	}
}
