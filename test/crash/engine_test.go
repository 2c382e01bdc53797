//go:build integration

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/test/deployment"
)

// engine is a real one that a test may treat as it likes.
type engine struct {
	deployment.Docker
	dir string
}

func newEngine(t *testing.T) engine {
	t.Helper()
	e := engine{deployment.NewDocker(t), t.TempDir()}
	e.Host = "unix://" + filepath.Join(e.dir, "docker.sock")
	e.script(t, "start")
	t.Cleanup(func() { e.script(t, "stop") })
	return e
}

func (e engine) script(t *testing.T, verb string) {
	t.Helper()
	if out, err := exec.Command("../../scripts/dockerd.sh", verb, e.dir).CombinedOutput(); err != nil {
		t.Fatalf("%s an engine: %v\n%s", verb, err, out)
	}
}

// kill ends the engine as a crash does, and with it the runtime that it had started. The
// containers' processes go on without them.
func (e engine) kill(t *testing.T, l *lane) {
	t.Helper()
	engine, runtime := e.process(t, "dockerd.pid"), e.process(t, "exec/containerd/containerd.pid")
	if err := syscall.Kill(engine, syscall.SIGKILL); err != nil {
		t.Fatalf("kill the engine: %v", err)
	}
	l.Eventually(t, "the engine is dead", func() error { return errors.Join(over(engine), over(runtime)) })
}

func (e engine) process(t *testing.T, file string) int {
	t.Helper()
	written, err := os.ReadFile(filepath.Join(e.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(written)))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return pid
}

// over says why a process is not.
func over(pid int) error {
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("process %d is there: %w", pid, err)
	}
	return nil
}

// roles lists what the engine holds of a container.
func (e engine) roles(t *testing.T, uuid string) []string {
	t.Helper()
	return strings.Fields(e.Ask(t, "ps", "--all", "--filter", "label="+domain.LabelContainer+"="+uuid, "--format", `{{.Label "`+domain.LabelRole+`"}}`))
}

// steadfast creates a container that is to run whatever happens.
func (l *lane) steadfast(t *testing.T) api.Container {
	t.Helper()
	order := l.order("steadfast")
	order.RestartPolicy = &api.RestartPolicy{Name: "always"}
	made, err := l.CLI.CreateContainer(t.Context(), order, true)
	if err != nil {
		t.Fatal(err)
	}
	return l.await(t, made.UUID, "Running")
}

// raised holds that, after an engine that ended every process came back, the bystander
// is stopped and can be started, that the steadfast one runs with the same addresses, and
// that both go on as before.
func (l *lane) raised(t *testing.T, steadfast api.Container) {
	t.Helper()
	l.await(t, l.bystander, "Stopped")
	l.Eventually(t, "the process runs again", func() error {
		after, err := l.CLI.Container(t.Context(), steadfast.UUID, false)
		if err == nil && (after.Status != "Running" || l.Engine.PID(t, l.Deployment, steadfast.UUID) == 0) {
			err = fmt.Errorf("it is %s: %s", after.Status, said(after))
		}
		return err
	})
	l.plugged(t, steadfast.UUID, steadfast)
	l.do(t, l.bystander, deed{verb: "start", status: "Running"})
	l.remove(t, steadfast.UUID)
	l.Eventually(t, "the host holds as much as before", func() error { return l.Inventory(t).Grew(l.clean) })
	l.clean, l.pid = l.settled(t), l.Engine.PID(t, l.Deployment, l.bystander) // other names, another start
	l.works(t)
}

// TestAnEngineThatRestarted ends every process. A container that is to be restarted
// runs again with the same address; another can be started.
func TestAnEngineThatRestarted(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	l := newLane(t, deployment.Plan{Engine: e.Docker})
	steadfast := l.steadfast(t)
	e.script(t, "stop")
	e.script(t, "start")
	l.raised(t, steadfast)
}

// TestAnEngineThatWasKilled dies by kill -9 in the middle of creates, once when there is
// nothing but a sandbox and once when there is a member, while other containers run. Each
// create comes to its end when the engine is back, no process of before lives on beside
// a new one, and nothing is left.
func TestAnEngineThatWasKilled(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	l := newLane(t, deployment.Plan{Engine: e.Docker})
	for _, stage := range []string{"sandbox", "member"} {
		steadfast := l.steadfast(t)
		before := []int{l.pid, l.Engine.PID(t, l.Deployment, steadfast.UUID)}
		half := l.create(t, "half-"+stage)
		l.Eventually(t, "its "+stage+" exists", func() error {
			if roles := e.roles(t, half); len(roles) == 0 || stage == "member" && len(roles) == 1 {
				return fmt.Errorf("there is %v", roles)
			}
			return nil
		})
		e.kill(t, l)
		e.script(t, "start")
		e.halfMade(t, l, half)
		for _, pid := range before {
			l.Eventually(t, "the process of before is gone", func() error { return over(pid) })
		}
		l.remove(t, half)
		l.raised(t, steadfast)
	}
}

// halfMade holds that a container whose create met the engine's death runs once, or is in
// Error with a reason and without a trace on the host: an engine that died while it
// started a process may refuse for ever to start that object again.
func (e engine) halfMade(t *testing.T, l *lane, uuid string) {
	t.Helper()
	l.Eventually(t, "the create has come to its end", func() error {
		c, err := l.CLI.Container(t.Context(), uuid, false)
		if err != nil {
			return err
		}
		roles := e.roles(t, uuid)
		if c.Status == "Running" && len(roles) == 2 || c.Status == "Error" && c.StatusReason != nil && len(roles) == 0 {
			return nil
		}
		return fmt.Errorf("it is %s: %s; the engine holds %v", c.Status, said(c), roles)
	})
}
