//go:build integration

package crash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/test/deployment"
)

// TestADeleteOutrunsACreate deletes a container whose image is still on its way.
func TestADeleteOutrunsACreate(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	l.cue(t, fake.Cue{Op: fake.OpImagePull, Times: 1, Delay: time.Hour})
	uuid := l.create(t, "short-lived")
	l.Eventually(t, "the pull is under way", l.cueTaken(t))
	l.remove(t, uuid)
	l.works(t)
}

// TestAnAgentKilledDuringAPull pulls again after its restart.
func TestAnAgentKilledDuringAPull(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	l.cue(t, fake.Cue{Op: fake.OpImagePull, Times: 1, Delay: time.Hour})
	uuid := l.create(t, "patient")
	l.Eventually(t, "the pull is under way", l.cueTaken(t))
	l.Hosts[0].Kill()
	l.Hosts[0].MustStart(t)
	l.await(t, uuid, "Running")
	l.remove(t, uuid)
	l.works(t)
}

// TestARebootThatCannotStop leaves the process that it found, and says so.
func TestARebootThatCannotStop(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	uuid := l.create(t, "stubborn")
	l.await(t, uuid, "Running")
	pid := l.Engine.PID(t, l.Deployment, uuid)
	l.cue(t, fake.Cue{Op: fake.OpStop, Times: 1, Fault: "invalid", Message: "it would not stop"})
	if err := l.CLI.Act(t.Context(), uuid, "reboot", nil); err != nil {
		t.Fatal(err)
	}
	l.Eventually(t, "the reboot has failed", func() error {
		ended, err := l.newest(t.Context(), uuid, "reboot")
		if err == nil && ended.FinishTime == nil {
			err = errors.New("it has not ended")
		}
		return err
	})
	if c := l.await(t, uuid, "Running"); said(c) != "it would not stop" || l.Engine.PID(t, l.Deployment, uuid) != pid {
		t.Errorf("the reason is %q, the process %d of %d", said(c), l.Engine.PID(t, l.Deployment, uuid), pid)
	}
	l.do(t, uuid, deed{verb: "reboot", status: "Running"})
	l.remove(t, uuid)
	l.works(t)
}

// TestControlKilledWhileTheAgentReports loses no news: what an agent has to tell waits
// until somebody listens.
func TestControlKilledWhileTheAgentReports(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	uuid := l.create(t, "untold")
	l.await(t, uuid, "Running")
	l.cue(t, fake.Cue{Op: fake.OpStop, Times: 1, Delay: time.Second})
	if err := l.CLI.Act(t.Context(), uuid, "stop", nil); err != nil {
		t.Fatal(err)
	}
	l.Eventually(t, "the stop is under way", l.cueTaken(t))
	l.APIs[0].Kill()
	l.Eventually(t, "the process ended", func() error {
		if pid := l.Engine.PID(t, l.Deployment, uuid); pid != 0 {
			return fmt.Errorf("it is %d", pid)
		}
		return nil
	})
	l.APIs[0].MustStart(t)
	l.await(t, uuid, "Stopped")
	if ended, err := l.newest(t.Context(), uuid, "stop"); err != nil || ended.Message != nil {
		t.Errorf("the stop is on record as %+v, %v", ended, err)
	}
	l.remove(t, uuid)
	l.works(t)
}

// TestAHostThatWasBuried deletes by force while the host is down. The row is gone at
// once; what the host still holds goes when it returns.
func TestAHostThatWasBuried(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	uuid := l.create(t, "buried")
	l.await(t, uuid, "Running")
	l.Hosts[0].Kill()
	l.forceDown(t, true)
	if err := l.CLI.DeleteContainer(t.Context(), uuid, client.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.CLI.Container(t.Context(), uuid, false); !isNotFound(err) {
		t.Errorf("the row is still there: %v", err)
	}
	if err := l.Inventory(t).Differs(l.clean, "rows"); err == nil {
		t.Error("the dead host lost the container's objects")
	}
	l.Hosts[0].MustStart(t)
	l.forceDown(t, false)
	l.held(t)
	l.works(t)
}

// TestAHostThatWentSilent becomes Unknown and, when it is back, what it was before,
// untouched.
func TestAHostThatWentSilent(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}, Settings: "[DEFAULT]\nservice_down_time = 3"})
	l.Hosts[0].Kill()
	l.await(t, l.bystander, "Unknown")
	l.Hosts[0].MustStart(t)
	l.held(t)
	l.works(t)
}

// TestASandboxThatDied is made anew with the same ports, and the process is started in it.
func TestASandboxThatDied(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	l.replaced(t, func(uuid string) {
		if err := l.Hosts[0].Cues(t).KillSandbox(domain.ContainerID(uuid)); err != nil {
			t.Fatal(err)
		}
	})
	l.works(t)
}

// TestAPauseContainerThatWasKilled is the same on a real engine.
func TestAPauseContainerThatWasKilled(t *testing.T) {
	t.Parallel()
	e := deployment.NewDocker(t)
	l := newLane(t, deployment.Plan{Engine: e})
	l.replaced(t, func(uuid string) {
		id := e.Ask(t, "ps", "--quiet", "--filter", "label="+domain.LabelContainer+"="+uuid, "--filter", "label="+domain.LabelRole+"=sandbox")
		e.Ask(t, "kill", strings.TrimSpace(id))
	})
	l.works(t)
}

// replaced kills the sandbox of a running container and holds that another takes its
// place, with a new process and the same addresses.
func (l *lane) replaced(t *testing.T, kill func(uuid string)) {
	t.Helper()
	uuid := l.create(t, "homeless")
	before := l.await(t, uuid, "Running")
	pid := l.Engine.PID(t, l.Deployment, uuid)
	kill(uuid)
	l.Eventually(t, "another process runs", func() error {
		if now := l.Engine.PID(t, l.Deployment, uuid); now == 0 || now == pid {
			return fmt.Errorf("it is %d", now)
		}
		return nil
	})
	l.plugged(t, uuid, before)
	l.remove(t, uuid)
}

// plugged holds that a container still has the addresses that it had before, and,
// where a process can look, has them on its interface.
func (l *lane) plugged(t *testing.T, uuid string, before api.Container) {
	t.Helper()
	after := l.await(t, uuid, "Running")
	if fmt.Sprint(after.Addresses) != fmt.Sprint(before.Addresses) {
		t.Errorf("the addresses are %v, they were %v", after.Addresses, before.Addresses)
	}
	if _, ok := l.Engine.(deployment.Docker); !ok { // a simulated process has no interface
		return
	}
	seen, err := l.CLI.Execute(t.Context(), uuid, "ip -o address show eth0")
	if err != nil || seen.Output == nil {
		t.Fatalf("look at the interface: %v", err)
	}
	for _, addresses := range before.Addresses {
		for _, a := range addresses {
			if !strings.Contains(*seen.Output, " "+a.Addr+"/") {
				t.Errorf("the process does not see its address %s: %s", a.Addr, *seen.Output)
			}
		}
	}
}

func (l *lane) cue(t *testing.T, c fake.Cue) {
	t.Helper()
	if err := l.Hosts[0].Cues(t).Cue(c); err != nil {
		t.Fatal(err)
	}
}

// cueTaken says whether the engine has begun to misbehave as it was told once.
func (l *lane) cueTaken(t *testing.T) func() error {
	t.Helper()
	file := filepath.Join(l.Hosts[0].Simulation(t), "cues.json")
	return func() error {
		if _, err := os.Stat(file); err == nil {
			return errors.New("the cue still waits")
		}
		return nil
	}
}

func (l *lane) forceDown(t *testing.T, down bool) {
	t.Helper()
	if _, err := l.CLI.ForceDownService(t.Context(), deployment.HostName(0), "zun-compute", down); err != nil {
		t.Fatal(err)
	}
}
