//go:build integration

package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/domain"
)

// engine is what a deployment drives, and what a test can see of it from outside.
type engine interface {
	// config is the engine's part of zun.conf.
	config() string
	// image is one that can be pulled.
	image() string
	// objects lists what the engine holds of d, one thing a line.
	objects(t *testing.T, d *deployment) []string
	// pid is the process of a container of d; it never comes back as another's.
	pid(t *testing.T, d *deployment, uuid string) int
	// clear removes what d leaves in an engine that outlives it.
	clear(t *testing.T, d *deployment)
}

// simulated is the fake engine with real network namespaces.
type simulated struct{}

func (simulated) config() string { return "[engine]\ndriver = fake" }
func (simulated) image() string  { return "cirros" }

func (simulated) objects(t *testing.T, d *deployment) []string {
	t.Helper()
	var lines []string
	for _, pattern := range []string{"objects/*.json", "roots/*"} {
		paths, err := filepath.Glob(filepath.Join(simulation(t, d), pattern))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, paths...)
	}
	return lines
}

func (simulated) pid(t *testing.T, d *deployment, uuid string) int {
	t.Helper()
	objects, err := cues(t, d).Inspect(t.Context(), domain.ContainerID(uuid))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if !o.Sandbox {
			return o.PID
		}
	}
	return 0
}

// clear has nothing to do: the engine goes with its directory.
func (simulated) clear(*testing.T, *deployment) {}

// cues is the very engine that d's agent drives, for making it fail.
func cues(t *testing.T, d *deployment) *fake.Engine {
	t.Helper()
	e, err := fake.New(fake.Options{Dir: simulation(t, d)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func simulation(t *testing.T, d *deployment) string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(d.dir, "agent", "fake-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("there must be one simulated engine, not %v (%v)", dirs, err)
	}
	return dirs[0]
}

// docker is a real engine, and a registry that it reaches.
type docker struct{ host, registry string }

// newDocker is the engine that ZUN_TEST_DOCKER names, with the registry of
// ZUN_TEST_REGISTRY, which has cirros:latest.
func newDocker(t *testing.T) docker {
	t.Helper()
	e := docker{os.Getenv("ZUN_TEST_DOCKER"), os.Getenv("ZUN_TEST_REGISTRY")}
	if e.host == "" || e.registry == "" {
		t.Fatal("ZUN_TEST_DOCKER must name a Docker engine and ZUN_TEST_REGISTRY a registry with cirros; run make test SUITE=crash")
	}
	return e
}

func (e docker) config() string {
	return fmt.Sprintf("[engine]\ndriver = docker\nready_sandboxes = 0\n[docker]\napi_url = %s", e.host)
}

func (e docker) image() string { return e.registry + "/cirros:latest" }

func (e docker) objects(t *testing.T, d *deployment) []string {
	t.Helper()
	out := e.ask(t, "ps", "--all", "--no-trunc", "--filter", "label="+domain.LabelDeployment+"="+d.id(t),
		"--format", `{{.ID}} {{.Label "`+domain.LabelRole+`"}}`)
	return slices.Sorted(strings.Lines(out))
}

func (e docker) pid(t *testing.T, _ *deployment, uuid string) int {
	t.Helper()
	id := e.ask(t, "ps", "--all", "--quiet", "--filter", "label="+domain.LabelContainer+"="+uuid, "--filter", "label="+domain.LabelRole+"=member")
	var pid int
	if _, err := fmt.Sscan(e.ask(t, "inspect", "--format", "{{.State.Pid}}", strings.TrimSpace(id)), &pid); err != nil {
		t.Fatalf("the process of %s: %v", uuid, err)
	}
	return pid
}

func (e docker) clear(t *testing.T, d *deployment) {
	t.Helper()
	for _, id := range strings.Fields(e.ask(t, "ps", "--all", "--quiet", "--filter", "label="+domain.LabelDeployment+"="+d.id(t))) {
		e.ask(t, "rm", "--force", id)
	}
}

func (e docker) ask(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", append([]string{"--host", e.host}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, out)
	}
	return string(out)
}
