//go:build integration

package crash

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/failpoint"
)

// TestEveryWindow kills the process that holds a window just before and just after
// its effect, for every window that the code lists.
func TestEveryWindow(t *testing.T) {
	t.Run("fake", func(t *testing.T) { run(t, newFake(t), os.Getenv("ZUN_CRASH_DATABASE"), all()) })
}

// TestWindowsOnDocker does the same for the windows that meet a real engine.
func TestWindowsOnDocker(t *testing.T) {
	windows := all()
	if os.Getenv("ZUN_CRASH_MATRIX") == "" {
		windows = slices.DeleteFunc(windows, func(w window) bool { return !w.chosenForDocker() })
	}
	run(t, newDocker(t), os.Getenv("ZUN_CRASH_DATABASE"), windows)
}

// window is one moment at which a process dies.
type window struct {
	failpoint.Point
	moment string
}

func all() []window {
	var windows []window
	for _, p := range failpoint.List() {
		windows = append(windows, window{p, "before"}, window{p, "after"})
	}
	return windows
}

// chosenForDocker names the ten windows that every change is held against on the
// real engine: one for each kind of effect on it, and both ends of the link.
func (w window) chosenForDocker() bool {
	return slices.Contains([]string{
		string(failpoint.PreparePorts) + ":after", string(failpoint.ImagePull) + ":after",
		string(failpoint.SandboxEnsure) + ":after", string(failpoint.NetPlug) + ":after",
		string(failpoint.MemberCreate) + ":after", string(failpoint.MemberStart) + ":after",
		string(failpoint.MemberKill) + ":after", string(failpoint.MemberRemove) + ":after",
		string(failpoint.SandboxRemove) + ":before", string(failpoint.ReportDone) + ":before",
	}, string(w.Name)+":"+w.moment)
}

func run(t *testing.T, e engine, database string, windows []window) {
	d := newDeployment(t, e, database)
	bystander := d.create(t, "bystander")
	d.await(t, bystander, "Running")
	d.live(t, "undisturbed") // also makes what stays for good, such as the project's network
	pid := e.pid(t, bystander)
	clean := d.inventory(t)
	for _, w := range windows {
		name := strings.ReplaceAll(string(w.Name), ".", "-") + "-" + w.moment
		t.Run(name, func(t *testing.T) {
			d.dieIn(t, w, name)
			d.await(t, bystander, "Running")
			if now := e.pid(t, bystander); now != pid {
				t.Errorf("the bystander's process is %d, it was %d", now, pid)
			}
			eventually(t, "nothing is left behind", func() error { return d.inventory(t).differs(clean) })
		})
	}
}

// dieIn lives a whole life through a crash in w.
func (d *deployment) dieIn(t *testing.T, w window, name string) {
	t.Helper()
	victim := d.compute
	if w.Side == failpoint.Control {
		victim = d.api
	}
	met := victim.arm(t, w.Name, w.moment)
	restarted := make(chan struct{})
	died := victim.done()
	stopWatching := make(chan struct{})
	go func() {
		defer close(restarted)
		select {
		case <-died:
			victim.start(t)
		case <-stopWatching:
		}
	}()
	d.live(t, name)
	close(stopWatching)
	<-restarted
	if !met() {
		t.Errorf("a whole life never met the window %s", w.Name)
	}
}
