//go:build integration

package docker_test

import (
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/adapter/engine/docker"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/kit/road"
)

// far is an engine at the end of a road, with a container that sleeps.
func far(t *testing.T) (*docker.Engine, *road.Road, agent.Object) {
	t.Helper()
	loadImage(t)
	way := road.New(t, "unix", strings.TrimPrefix(host(t), "unix://"))
	deployment := uuid.NewString()
	near := open(t, docker.Options{Deployment: deployment, Log: slog.New(slog.DiscardHandler)})
	o, err := put(t, near, domain.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if err := near.Members().Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	e, err := docker.New(docker.Options{Host: "tcp://" + way.Addr().String(), Deployment: deployment, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return e, way, o
}

// session opens one that prints a word and sleeps for so many seconds, and reads the word.
func session(t *testing.T, e *docker.Engine, o agent.Object, seconds string) agent.Stream {
	t.Helper()
	id, err := e.ExecCreate(t.Context(), o, []string{"sh", "-c", "echo on; exec sleep " + seconds}, false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.ExecOpen(t.Context(), o, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := io.ReadFull(s, make([]byte, len("on\n"))); err != nil {
		t.Fatal(err)
	}
	return s
}

// end is how a stream ended.
func end(s agent.Stream) (int, error) {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return -1, err
	}
	return s.Wait()
}

// TestAnEngineThatDiesIsNoEnd holds that the loss of the engine is not told as the end of
// a process: a pipe would take what came so far for all.
func TestAnEngineThatDiesIsNoEnd(t *testing.T) {
	e, way, o := far(t)
	viewer, err := e.Attach(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = viewer.Close() })
	s := session(t, e, o, "1000")
	way.Shut(true)
	for name, s := range map[string]agent.Stream{"attach": viewer, "exec": s} {
		if code, err := end(s); !domain.IsKind(err, domain.Unavailable) {
			t.Errorf("%s ended with %d, %v", name, code, err)
		}
	}
}

// TestASessionThatIsCutOffLeavesNothing cuts the connection of a session while the engine
// goes on: the user is told, and the process ends.
func TestASessionThatIsCutOffLeavesNothing(t *testing.T) {
	e, way, o := far(t)
	s := session(t, e, o, "4141")
	way.Cut()
	if code, err := end(s); !domain.IsKind(err, domain.Timeout) { // it is asked for its code in vain
		t.Errorf("the session ended with %d, %v", code, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(time.Minute); ; <-tick.C {
		out, err := exec.CommandContext(t.Context(), "docker", "-H", host(t), "top", o.EngineID).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out), "sleep 4141") {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the process was left behind: %s", out)
		}
	}
}
