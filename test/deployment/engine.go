package deployment

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Engine is what a deployment drives, and what a test can see of it from outside.
type Engine interface {
	// Config is the engine's part of zun.conf.
	Config() string
	// Image is one that can be pulled.
	Image() string
	// Objects lists what the engine holds of d, one thing a line.
	Objects(t *testing.T, d *Deployment) []string
	// PID is the process of a container of d; it never comes back as another's.
	PID(t *testing.T, d *Deployment, uuid string) int
	// CPUs are those that a container of d may run on, as a list; empty: all.
	CPUs(t *testing.T, d *Deployment, uuid string) string
	// clear removes what d leaves in an engine that outlives it.
	clear(t *testing.T, d *Deployment)
}

// Simulated is the fake engine with real network namespaces.
type Simulated struct{}

// Config names the driver.
func (Simulated) Config() string { return "[engine]\ndriver = fake" }

// Image is always there to be pulled.
func (Simulated) Image() string { return "cirros" }

// Objects lists files of every host's engine.
func (Simulated) Objects(t *testing.T, d *Deployment) []string {
	t.Helper()
	var lines []string
	for _, host := range d.Hosts {
		for _, pattern := range []string{"objects/*.json", "roots/*", "trees/*"} {
			paths, err := filepath.Glob(filepath.Join(host.Simulation(t), pattern))
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, paths...)
		}
	}
	return lines
}

// PID looks on every host.
func (Simulated) PID(t *testing.T, d *Deployment, uuid string) int {
	t.Helper()
	return member(t, d, uuid).PID
}

// CPUs looks on every host.
func (Simulated) CPUs(t *testing.T, d *Deployment, uuid string) string {
	t.Helper()
	return member(t, d, uuid).CPUSet.CPUs
}

// member is what the simulated engines know of a container; zero: nothing.
func member(t *testing.T, d *Deployment, uuid string) agent.Object {
	t.Helper()
	for _, host := range d.Hosts {
		objects, err := host.Cues(t).Inspect(t.Context(), domain.ContainerID(uuid))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			if !o.Sandbox {
				return o
			}
		}
	}
	return agent.Object{}
}

// clear has nothing to do: the engine goes with its directory.
func (Simulated) clear(*testing.T, *Deployment) {}

// Cues is the very engine that the host's agent drives, for making it fail.
func (h *Host) Cues(t *testing.T) *fake.Engine {
	t.Helper()
	e, err := fake.New(fake.Options{Dir: h.Simulation(t)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Simulation is the directory of the host's simulated engine.
func (h *Host) Simulation(t *testing.T) string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(h.State, "fake-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("there must be one simulated engine, not %v (%v)", dirs, err)
	}
	return dirs[0]
}

// Docker is a real engine, and a registry that it reaches.
type Docker struct{ Host, Registry string }

// NewDocker is the engine that ZUN_TEST_DOCKER names, with the registry of
// ZUN_TEST_REGISTRY, which has cirros:latest.
func NewDocker(t *testing.T) Docker {
	t.Helper()
	e := Docker{os.Getenv("ZUN_TEST_DOCKER"), os.Getenv("ZUN_TEST_REGISTRY")}
	if e.Host == "" || e.Registry == "" {
		t.Fatal("ZUN_TEST_DOCKER must name a Docker engine and ZUN_TEST_REGISTRY a registry with cirros; run make test SUITE=crash")
	}
	return e
}

// Config names the engine, without ready sandboxes: they would blur an inventory.
func (e Docker) Config() string {
	return fmt.Sprintf("[engine]\ndriver = docker\nready_sandboxes = 0\n[docker]\napi_url = %s", e.Host)
}

// Image is in the registry.
func (e Docker) Image() string { return e.Registry + "/cirros:latest" }

// Objects lists containers and sandboxes.
func (e Docker) Objects(t *testing.T, d *Deployment) []string {
	t.Helper()
	out := e.Ask(t, "ps", "--all", "--no-trunc", "--filter", "label="+domain.LabelDeployment+"="+d.ID(t),
		"--format", `{{.ID}} {{.Label "`+domain.LabelRole+`"}}`)
	out += e.Ask(t, "images", "--all", "--no-trunc", "--filter", "label="+domain.LabelDeployment+"="+d.ID(t), "--filter", "label="+domain.LabelImage,
		"--format", "{{.ID}} image")
	return slices.Sorted(strings.Lines(out))
}

// PID is what the engine says.
func (e Docker) PID(t *testing.T, _ *Deployment, uuid string) int {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(e.member(t, uuid, "{{.State.Pid}}"), &pid); err != nil {
		t.Fatalf("the process of %s: %v", uuid, err)
	}
	return pid
}

// CPUs is what the engine says.
func (e Docker) CPUs(t *testing.T, _ *Deployment, uuid string) string {
	t.Helper()
	return strings.TrimSpace(e.member(t, uuid, "{{.HostConfig.CpusetCpus}}"))
}

// member tells of a container in the engine's own templates.
func (e Docker) member(t *testing.T, uuid, format string) string {
	t.Helper()
	id := e.Ask(t, "ps", "--all", "--quiet", "--filter", "label="+domain.LabelContainer+"="+uuid, "--filter", "label="+domain.LabelRole+"=member")
	return e.Ask(t, "inspect", "--format", format, strings.TrimSpace(id))
}

func (e Docker) clear(t *testing.T, d *Deployment) {
	t.Helper()
	for _, id := range strings.Fields(e.Ask(t, "ps", "--all", "--quiet", "--filter", "label="+domain.LabelDeployment+"="+d.ID(t))) {
		e.Ask(t, "rm", "--force", id)
	}
}

// Ask runs the engine's own client.
func (e Docker) Ask(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", append([]string{"--host", e.Host}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, out)
	}
	return string(out)
}
