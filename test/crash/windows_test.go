//go:build integration

package crash

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/failpoint"
	"github.com/go-zun/zun/test/deployment"
)

// TestEveryWindow kills the process that holds a window just before and just after
// its effect, for every window that the code lists.
func TestEveryWindow(t *testing.T) {
	crashThrough(t, deployment.Plan{Engine: deployment.Simulated{}}, all(t))
}

// TestWindowsOnDocker does the same for the windows that meet a real engine, and
// in the matrix for all.
func TestWindowsOnDocker(t *testing.T) {
	windows := all(t)
	if os.Getenv("MATRIX") == "" {
		windows = slices.DeleteFunc(windows, func(w window) bool { return !w.chosenForDocker() })
	}
	crashThrough(t, deployment.Plan{Engine: deployment.NewDocker(t)}, windows)
}

// TestEveryWindowOfReplicas does it with two replicas of control on one database of each
// server, where the client and the agent go on with the one that lives.
func TestEveryWindowOfReplicas(t *testing.T) {
	for name, server := range map[string]deployment.Server{"postgresql": deployment.PostgreSQL, "mariadb": deployment.MariaDB} {
		t.Run(name, func(t *testing.T) {
			crashThrough(t, deployment.Plan{Engine: deployment.Simulated{}, Server: server, Replicas: 2}, all(t))
		})
	}
}

// window is one moment at which a process dies.
type window struct {
	failpoint.Point
	moment string
	// verb is the one before which the process is armed; others may meet the window
	// unharmed before it.
	verb string
}

func (w window) String() string {
	words := []string{strings.ReplaceAll(string(w.Name), ".", "-"), w.moment}
	if w.verb != meetings()[w.Name][0] {
		words = append(words, "in", w.verb)
	}
	return strings.Join(words, "-")
}

// meetings are the verbs in which each window is met, the first one before the others
// for which it means something else: what a create makes a rebuild replaces, what is
// done once may not be done twice, and a delete takes all away.
func meetings() map[failpoint.Name][]string {
	return map[failpoint.Name][]string{
		failpoint.CreateCommit:   {"create"},
		failpoint.ActCommit:      {"kill", "rename", "commit", "rebuild", "delete"},
		failpoint.PreparePorts:   {"create", "network_attach", "add_security_group"},
		failpoint.PrepareVisible: {"create", "rebuild", "network_attach", "network_detach", "add_security_group", "remove_security_group"},
		failpoint.ReportApply:    {"create", "kill", "commit", "delete"},
		failpoint.ReleasePorts:   {"delete", "network_detach"},
		failpoint.ReleaseRow:     {"delete"},
		failpoint.ImageDrop:      {"image_delete"},
		failpoint.ImagePull:      {"create", "rebuild"},
		failpoint.SandboxStage:   {"create"},
		failpoint.SandboxEnsure:  {"create"},
		failpoint.NetRules:       {"create"},
		failpoint.NetPlug:        {"create", "network_attach", "add_security_group", "remove_security_group"},
		failpoint.MemberCreate:   {"create", "rebuild"},
		failpoint.MemberStart:    {"create", "reboot"},
		failpoint.MemberStop:     {"stop"},
		failpoint.MemberKill:     {"kill"},
		failpoint.MemberPause:    {"pause"},
		failpoint.MemberUnpause:  {"unpause"},
		failpoint.MemberRemove:   {"delete", "rebuild"},
		failpoint.MemberUpdate:   {"update"},
		failpoint.MemberConfine:  {"neighbour"},
		failpoint.MemberCommit:   {"commit"},
		failpoint.ArchivePut:     {"put_archive"},
		failpoint.FilesWrite:     {"create"},
		failpoint.FilesForget:    {"delete"},
		failpoint.VolumeMake:     {"create", "rebuild"},
		failpoint.VolumeRemove:   {"delete"},
		failpoint.ImageRemove:    {"image_delete"},
		failpoint.NetUnplug:      {"delete", "network_detach"},
		failpoint.SandboxRemove:  {"delete"},
		failpoint.ReportBegun:    {"kill", "commit"},
		failpoint.ReportDone:     {"create", "kill", "add_security_group", "commit", "rebuild", "delete"},
	}
}

// all is every window that the code lists, before and after its effect, in every verb
// in which it means something else. One that no verb is known to meet fails the test.
func all(t *testing.T) []window {
	t.Helper()
	var windows []window
	for _, p := range failpoint.List() {
		verbs := meetings()[p.Name]
		if len(verbs) == 0 {
			t.Errorf("no verb is named in which the window %s is met", p.Name)
		}
		for _, verb := range verbs {
			windows = append(windows, window{p, "before", verb}, window{p, "after", verb})
		}
	}
	return windows
}

// mayHide says whether a crash in w may hide what became of what is done once.
func (w window) mayHide() bool { return w.verb == "kill" || w.verb == "commit" }

// chosenForDocker names the ten windows that every change is held against on the
// real engine: one for each kind of effect on it, and both ends of the link.
func (w window) chosenForDocker() bool {
	return slices.Contains([]string{
		"agent-image-pull-after", "agent-report-done-before",
		"agent-sandbox-ensure-after", "agent-net-plug-after", "agent-member-create-after", "agent-member-start-after",
		"agent-member-kill-after", "agent-member-remove-after", "agent-net-unplug-after", "agent-sandbox-remove-before",
	}, w.String())
}

// lanes is how many deployments crash side by side: most of the time they wait.
const lanes = 4

// lane is a deployment with a bystander, and how it looks when nothing else is there.
type lane struct {
	*deployment.Deployment
	early     *client.Client // of a version that has every verb
	bystander string
	pid       int
	clean     deployment.Inventory
}

// newLane starts a deployment and lives one undisturbed life in it, which also makes
// what stays for good, such as the project's network.
func newLane(t *testing.T, p deployment.Plan) *lane {
	t.Helper()
	l := &lane{Deployment: deployment.Start(t, p)}
	l.early = l.ClientAt(deployment.Admin(), api.Version{Major: 1, Minor: 13}, l.Doors...)
	l.makeNetwork(t)
	l.makeGroup(t)
	l.populate(t)
	if l.live(t, life{name: "undisturbed", verbs: verbs(), before: func(string) {}}) {
		t.Error("the fate of a signal or an image was hidden without a crash")
	}
	l.held(t)
	return l
}

// newPlainLane is one with the project's own network only, and no life before.
func newPlainLane(t *testing.T, p deployment.Plan) *lane {
	t.Helper()
	l := &lane{Deployment: deployment.Start(t, p)}
	l.populate(t)
	return l
}

// populate starts the bystander and notes what there is then.
func (l *lane) populate(t *testing.T) {
	t.Helper()
	l.bystander = l.create(t, "bystander")
	l.await(t, l.bystander, "Running")
	l.pid = l.Engine.PID(t, l.Deployment, l.bystander)
	l.clean = l.settled(t)
}

// settled is the deployment.Inventory once the kernel trusts each of its own addresses, which
// takes it a while and adds routes.
func (l *lane) settled(t *testing.T) deployment.Inventory {
	t.Helper()
	l.Eventually(t, "every address is settled", func() error {
		if unsettled := l.Room.Output(t, "ip", "-o", "-6", "address", "show", "tentative"); unsettled != "" {
			return errors.New(unsettled)
		}
		return nil
	})
	return l.Inventory(t)
}

// held checks that nothing is left behind and that the bystander noticed nothing.
func (l *lane) held(t *testing.T) {
	t.Helper()
	l.await(t, l.bystander, "Running")
	if now := l.Engine.PID(t, l.Deployment, l.bystander); now != l.pid {
		t.Errorf("the bystander's process is %d, it was %d", now, l.pid)
	}
	l.Eventually(t, "nothing is left behind", func() error { return l.Inventory(t).Differs(l.clean) })
}

// crashThrough deals the windows out to lanes. A lane in which a window failed is
// replaced, because what it left would fail the next ones too.
func crashThrough(t *testing.T, p deployment.Plan, windows []window) {
	t.Helper()
	dealt := make(chan window, len(windows))
	for _, w := range windows {
		dealt <- w
	}
	close(dealt)
	for n := range lanes {
		t.Run(fmt.Sprintf("lane-%d", n), func(t *testing.T) {
			t.Parallel()
			l := newLane(t, p)
			for w := range dealt {
				passed := t.Run(w.String(), func(t *testing.T) {
					l.dieIn(t, w)
					l.held(t)
				})
				if !passed {
					l.ShowLogs(t)
					l = newLane(t, p)
				}
			}
		})
	}
}

// dieIn lives a life through a crash in w. Replicas of control die in turn,
// each when it meets the window.
func (l *lane) dieIn(t *testing.T, w window) {
	t.Helper()
	victims := []*deployment.Process{l.Hosts[0].Process}
	if w.Side == failpoint.Control {
		victims = l.APIs
	}
	var mortals []deployment.Mortal
	hidden := l.live(t, life{name: w.String(), verbs: upTo(w.verb), before: func(verb string) {
		if verb != w.verb {
			return
		}
		for _, victim := range victims {
			mortals = append(mortals, victim.Arm(t, w.Name, w.moment))
		}
	}})
	met := 0
	for _, m := range mortals {
		if m.Recover(t) {
			met++
		}
	}
	if met == 0 {
		t.Errorf("the life never met the window %s", w.Name)
	}
	if hidden && !w.mayHide() {
		t.Error("the crash hid the fate of the signal or the image without need")
	}
}
