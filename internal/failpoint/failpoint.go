// Package failpoint names the windows in which a crash could lose or double
// something, and lets a test end the process in any of them. It stands beside
// the ground floor: any room may name a window here.
package failpoint

import (
	"os"
	"strings"
	"sync"
	"syscall"
)

// Name is one window. Every name below stands around exactly one effect in the
// code; the crash suite enumerates List and fails on a window it could not reach.
type Name string

// Side tells which process holds the window.
type Side string

// The sides.
const (
	Control Side = "control"
	Agent   Side = "agent"
)

// Point is a window with its side and what its effect is.
type Point struct {
	Name   Name
	Side   Side
	Effect string
}

// The windows, in the order in which a container's life meets them.
const (
	CreateCommit   Name = "control.create.commit"
	ActCommit      Name = "control.act.commit"
	PreparePorts   Name = "control.prepare.ports"
	PrepareVisible Name = "control.prepare.visible"
	ReportApply    Name = "control.report.apply"
	ReleasePorts   Name = "control.release.ports"
	ReleaseRow     Name = "control.release.row"
	ImageDrop      Name = "control.image.drop"

	ImagePull     Name = "agent.image.pull"
	SandboxStage  Name = "agent.sandbox.stage"
	SandboxEnsure Name = "agent.sandbox.ensure"
	NetRules      Name = "agent.net.rules"
	NetPlug       Name = "agent.net.plug"
	MemberCreate  Name = "agent.member.create"
	MemberStart   Name = "agent.member.start"
	MemberStop    Name = "agent.member.stop"
	MemberKill    Name = "agent.member.kill"
	MemberPause   Name = "agent.member.pause"
	MemberUnpause Name = "agent.member.unpause"
	MemberRemove  Name = "agent.member.remove"
	MemberUpdate  Name = "agent.member.update"
	MemberConfine Name = "agent.member.confine"
	MemberCommit  Name = "agent.member.commit"
	ArchivePut    Name = "agent.archive.put"
	FilesWrite    Name = "agent.files.write"
	FilesForget   Name = "agent.files.forget"
	VolumeMake    Name = "agent.volume.make"
	VolumeRemove  Name = "agent.volume.remove"
	ImageRemove   Name = "agent.image.remove"
	NetUnplug     Name = "agent.net.unplug"
	SandboxRemove Name = "agent.sandbox.remove"
	ReportBegun   Name = "agent.report.begun"
	ReportDone    Name = "agent.report.done"
)

// List returns every window.
func List() []Point {
	return []Point{
		{CreateCommit, Control, "container, action and claims are committed"},
		{ActCommit, Control, "an action on an existing container is committed"},
		{PreparePorts, Control, "the network service made the ports"},
		{PrepareVisible, Control, "the assignment became visible to the host"},
		{ReportApply, Control, "a host's report was written"},
		{ReleasePorts, Control, "the network service dropped the ports"},
		{ReleaseRow, Control, "the row and its claims are gone"},
		{ImageDrop, Control, "the row of a deleted image is gone"},
		{ImagePull, Agent, "the image is in the engine"},
		{SandboxStage, Agent, "the sandbox's engine object exists"},
		{SandboxEnsure, Agent, "the sandbox lives"},
		{NetRules, Agent, "what an interface needs on the host stands"},
		{NetPlug, Agent, "an interface is plugged"},
		{MemberCreate, Agent, "the engine object exists"},
		{MemberStart, Agent, "the process runs"},
		{MemberStop, Agent, "the process was asked to end"},
		{MemberKill, Agent, "the signal was sent"},
		{MemberPause, Agent, "the process is frozen"},
		{MemberUnpause, Agent, "the process is thawed"},
		{MemberRemove, Agent, "the engine object is gone"},
		{MemberUpdate, Agent, "the object has the new limits"},
		{MemberConfine, Agent, "the process runs on other CPUs"},
		{MemberCommit, Agent, "the image of the object exists"},
		{ArchivePut, Agent, "the archive is unpacked"},
		{FilesWrite, Agent, "the container's files are written"},
		{FilesForget, Agent, "the container's files are gone"},
		{VolumeMake, Agent, "a volume is made and mounted"},
		{VolumeRemove, Agent, "a volume is gone"},
		{ImageRemove, Agent, "an image is gone from the engine"},
		{NetUnplug, Agent, "an interface is gone"},
		{SandboxRemove, Agent, "the sandbox is gone"},
		{ReportBegun, Agent, "control knows that the effect may happen"},
		{ReportDone, Agent, "control knows that the action ended"},
	}
}

// EnvArm names the environment variable that arms one window of this process:
// "<name>:before" or "<name>:after". EnvMark names a file that is created when the
// window is met, so that a test can tell a crash from a window never reached.
const (
	EnvArm  = "ZUN_FAILPOINT"
	EnvMark = "ZUN_FAILPOINT_MARK"
)

var armed = sync.OnceValues(func() (Name, string) { //nolint:gochecknoglobals // read once from the environment
	name, moment, _ := strings.Cut(os.Getenv(EnvArm), ":")
	return Name(name), moment
})

// Around runs effect between the two moments of window n. In a process whose
// environment arms one of them, the process ends there as by kill -9.
func Around(n Name, effect func() error) error {
	hit(n, "before")
	err := effect()
	hit(n, "after")
	return err
}

func hit(n Name, moment string) {
	name, at := armed()
	if name != n || at != moment {
		return
	}
	if mark := os.Getenv(EnvMark); mark != "" {
		if os.WriteFile(mark, []byte(n), 0o600) != nil {
			return // without the mark the test would wait in vain; run on and let it say so
		}
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // nothing after the window may run while the signal is on its way
}
