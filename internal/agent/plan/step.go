package plan

import "github.com/go-zun/zun/internal/domain"

// StepKind names one thing that hands can do to a container.
type StepKind string

// The steps. Each may be repeated, and what one makes another takes away.
const (
	StepImage    StepKind = "image"    // the image is in the engine
	StepStage    StepKind = "stage"    // the sandbox's object exists
	StepSandbox  StepKind = "sandbox"  // the sandbox lives
	StepFiles    StepKind = "files"    // hosts, hostname and resolv.conf are written
	StepRules    StepKind = "rules"    // what every interface needs on the host stands
	StepNet      StepKind = "net"      // every interface is plugged
	StepCreate   StepKind = "create"   // the engine object exists
	StepStart    StepKind = "start"    // the process runs
	StepStop     StepKind = "stop"     // the process ended
	StepKill     StepKind = "kill"     // the signal was sent
	StepPause    StepKind = "pause"    // the process is frozen
	StepUnpause  StepKind = "unpause"  // the process is thawed
	StepUpdate   StepKind = "update"   // the limits are the wanted ones
	StepConfine  StepKind = "confine"  // the process runs on the wanted CPUs
	StepCommit   StepKind = "commit"   // the image of the member exists
	StepVolumes  StepKind = "volumes"  // every volume is mounted
	StepRaze     StepKind = "raze"     // the volumes are gone with what is in them
	StepRemove   StepKind = "remove"   // the engine object is gone
	StepUnplug   StepKind = "unplug"   // the interfaces are gone
	StepForget   StepKind = "forget"   // the files are gone
	StepDissolve StepKind = "dissolve" // the sandbox is gone
)

// Step is one step of a plan.
type Step struct {
	Kind StepKind
	// Object is the member the step is about; zero means the one of the present
	// generation, which may have been created by an earlier step.
	Object Object
	// Nics are the interfaces that rules prepares, net plugs and unplug removes.
	Nics []domain.Nic
	// Beside lets the step run while later ones do. Waits names earlier steps beside
	// that must be done first; the end of the plan waits for all.
	Beside bool
	Waits  []StepKind
}

// Plan is what to do for one container and what to say afterwards.
type Plan struct {
	Steps []Step
	// Then is the report once every step is done; empty: nothing is to be said.
	// PhaseProgress means that the plan waits for control to say more.
	Then   domain.ReportPhase
	Reason string // the user's text with PhaseFailed, PhaseRefused and PhaseMissing
	// Begin demands that control accepted PhaseBegun before the first step.
	Begin bool
	// Unmake demands that a failure leaves nothing of the generation behind.
	Unmake bool
}
