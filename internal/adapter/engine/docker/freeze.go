package docker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// freezing is a call that freezes or thaws a process, and the words in which it is said
// that the process is as wanted already.
//
// The runtime's word for it is true. The engine's is not always: it notes what a call did,
// and notes it again when the runtime's event comes. An event that comes late turns the
// note back for a moment, so that a process that was paused and thawed counts as paused
// once more.
type freezing struct {
	call        func(ctx context.Context) error
	runtimeSays string
	engineSays  string
	frozen      bool // what is wanted
}

// Pause implements agent.Members.
func (m members) Pause(ctx context.Context, o agent.Object) error {
	return m.freeze(ctx, o, freezing{
		call: func(ctx context.Context) error {
			_, err := m.e.api.ContainerPause(ctx, o.EngineID, client.ContainerPauseOptions{})
			return err
		},
		runtimeSays: "cannot pause a paused container", engineSays: "already paused", frozen: true,
	})
}

// Unpause implements agent.Members.
func (m members) Unpause(ctx context.Context, o agent.Object) error {
	return m.freeze(ctx, o, freezing{
		call: func(ctx context.Context) error {
			_, err := m.e.api.ContainerUnpause(ctx, o.EngineID, client.ContainerUnpauseOptions{})
			return err
		},
		runtimeSays: "cannot resume a running process", engineSays: "not paused",
	})
}

// freezeAgain is how long after a refusal that says nothing the call is made again.
const freezeAgain = 50 * time.Millisecond

// freeze calls until it is certain that the process is as wanted or cannot be.
func (m members) freeze(ctx context.Context, o agent.Object, f freezing) error {
	tick := time.NewTicker(freezeAgain)
	defer tick.Stop()
	for {
		refused := f.call(ctx)
		if refused == nil || strings.Contains(plain(refused), f.runtimeSays) {
			return nil
		}
		if again, err := m.meaning(ctx, o, f, refused); !again {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return stateFault(refused)
		}
	}
}

// meaning says what a refusal means: nothing, so that the call is made again, or that the
// process is as wanted (no error), or why it cannot be.
func (m members) meaning(ctx context.Context, o agent.Object, f freezing, refused error) (again bool, err error) {
	if strings.Contains(plain(refused), "unable to freeze") {
		return true, nil // the kernel was too busy for as long as the runtime waits
	}
	now, err := m.e.inspect(ctx, o.EngineID)
	switch {
	case err != nil:
		return false, err
	case now.PID == 0:
		return false, domain.WrapFault(refused, domain.Conflict, "conflict", "Container %s is not running", o.Container)
	case !strings.Contains(plain(refused), f.engineSays):
		return false, stateFault(refused)
	}
	is, known := frozen(now.PID, o.EngineID)
	return known && is != f.frozen, nil
}

// frozen says whether the kernel holds a process of the engine's container id. It is not
// known of a process of another machine, nor where a runtime has means of its own.
func frozen(pid int, id string) (is, known bool) {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return false, false
	}
	file, thawed := freezer(string(groups), id)
	state, err := os.ReadFile(file)
	if err != nil {
		return false, false
	}
	return !slices.Contains(strings.Split(string(state), "\n"), thawed), true
}

// freezer names the file that tells whether a control group is frozen, and the line in it
// that says no. It knows both versions of control groups. The group must be of the
// engine's container id, as its name tells.
func freezer(groups, id string) (file, thawed string) {
	for line := range strings.Lines(groups) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		switch {
		case !strings.Contains(path, id):
		case slices.Contains(strings.Split(controllers, ","), "freezer"):
			return filepath.Join("/sys/fs/cgroup/freezer", path, "freezer.state"), "THAWED"
		case controllers == "":
			return filepath.Join("/sys/fs/cgroup", path, "cgroup.events"), "frozen 0"
		}
	}
	return "", ""
}
