//go:build integration

package crash

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/test/deployment"
)

// refusal is a container that cannot be, and words of the reason that its user reads.
type refusal struct {
	name   string
	change func(*api.ContainerCreate)
	reason string
}

func image(ref, policy string) func(*api.ContainerCreate) {
	return func(c *api.ContainerCreate) { c.Image, c.ImagePullPolicy = ref, policy }
}

func command(words ...string) func(*api.ContainerCreate) {
	return func(c *api.ContainerCreate) { c.Command = words }
}

// TestWhatCannotBeLeavesNothing asks the simulated engine for containers that cannot be.
func TestWhatCannotBeLeavesNothing(t *testing.T) {
	t.Parallel()
	refuse(t, newLane(t, deployment.Plan{Engine: deployment.Simulated{}}), []refusal{
		{"unknown-image", image("missing/nothing", "always"), "was not found"},
		{"unreachable-registry", image("unreachable/cirros", "always"), "could not be reached"},
		{"image-never-pulled", image("somewhere/cirros", "never"), "is not on the host"},
		{"no-such-command", command("no-such-command"), "was not found"},
	})
}

// TestWhatDockerCannotDoLeavesNothing asks a real engine.
func TestWhatDockerCannotDoLeavesNothing(t *testing.T) {
	t.Parallel()
	e := deployment.NewDocker(t)
	refuse(t, newLane(t, deployment.Plan{Engine: e}), []refusal{
		{"unknown-image", image(e.Registry+"/nothing:1", "always"), "could not be found"},
		{"unreachable-registry", image("127.0.0.1:1/nothing:1", "always"), "cannot be reached"},
		{"image-never-pulled", image("127.0.0.1:1/nothing:1", "never"), "is not on the host"},
		{"no-such-command", command("no-such-command"), "no-such-command"},
	})
}

// refuse holds that each ends in Error with its reason, that the host holds nothing of
// it even before it is deleted, and that the next request works.
func refuse(t *testing.T, l *lane, all []refusal) {
	t.Helper()
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			order := l.order(r.name)
			r.change(&order)
			c, err := l.CLI.CreateContainer(t.Context(), order, true)
			if err != nil {
				t.Fatal(err)
			}
			l.failed(t, c.UUID, r.reason)
			l.Eventually(t, "the host holds nothing of it", func() error { return l.Inventory(t).Differs(l.clean, "rows") })
			l.remove(t, c.UUID)
			l.works(t)
		})
	}
}

// failed awaits the status Error and holds its reason against words.
func (l *lane) failed(t *testing.T, uuid, words string) {
	t.Helper()
	if reason := said(l.await(t, uuid, "Error")); !strings.Contains(reason, words) {
		t.Errorf("the reason is %q, not a word of %q", reason, words)
	}
}

// works holds that the usual container still comes and goes, and leaves nothing.
func (l *lane) works(t *testing.T) {
	t.Helper()
	uuid := l.create(t, "next")
	l.await(t, uuid, "Running")
	l.remove(t, uuid)
	l.held(t)
}

// TestAFullPoolOfAddresses fills a network of five addresses.
func TestAFullPoolOfAddresses(t *testing.T) {
	t.Parallel()
	l := newPlainLane(t, deployment.Plan{Engine: deployment.Simulated{}, Settings: "[local]\nipv4_pool = 10.9.8.0/29"})
	var fill []string
	for n := range 4 { // the fifth address is the bystander's
		fill = append(fill, l.create(t, fmt.Sprintf("fill-%d", n)))
		l.await(t, fill[n], "Running")
	}
	late := l.create(t, "late")
	l.failed(t, late, "No more IP addresses available")
	for _, uuid := range append(fill, late) {
		l.remove(t, uuid)
	}
	l.works(t)
}

// TestADiskThatCannotBeWritten makes the agent's directory read-only.
func TestADiskThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	l := newLane(t, deployment.Plan{Engine: deployment.Simulated{}})
	files := filepath.Join(l.Dir, "agent", "containers")
	l.Room.Output(t, "mount", "--bind", files, files)
	l.Room.Output(t, "mount", "-o", "remount,bind,ro", files)
	uuid := l.create(t, "unlucky")
	l.failed(t, uuid, "the host could not keep the container's files")
	l.Eventually(t, "the host holds nothing of it", func() error { return l.Inventory(t).Differs(l.clean, "rows", "volumes") }) // the mount above is among the latter
	l.Room.Output(t, "umount", files)
	l.remove(t, uuid)
	l.works(t)
}
