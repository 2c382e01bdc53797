// Package plan decides, without any I/O, by which steps what stands on a host becomes
// what is wanted of it. The agent looks, has a plan made, carries it out and reports.
package plan

import (
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// Make decides how have becomes want: the steps in order and the report at
// their end. It does no I/O.
func Make(want domain.Assignment, have Have) Plan {
	p := planner{want: want, have: have}
	p.sandbox, p.lives = have.Sandbox()
	p.member, p.exists = have.Member(want.Generation)
	switch {
	case want.Want.Absent:
		return p.absent()
	case want.Op == nil:
		return p.settled()
	default:
		return p.act(want.Op)
	}
}

// Refusal returns why a host with abilities cannot obey want, empty if it can. An
// older agent must not half-obey; a delete only takes away and is always obeyed.
func Refusal(want domain.Assignment, abilities []string) string {
	if want.Want.Absent {
		return ""
	}
	for _, word := range want.Requires {
		if !slices.Contains(abilities, word) {
			return "this host's agent does not know how to give " + word
		}
	}
	return ""
}

// Unmaking returns the steps that leave nothing of a half made generation: for a
// create everything, for a rebuild the new object only, because the sandbox and
// its ports were there before, and for an attach the new interface.
func Unmaking(want domain.Assignment, have Have) []Step {
	p := planner{want: want, have: have}
	switch {
	case want.Op != nil && want.Op.Verb == domain.VerbRebuild:
		return p.removals(func(o Object) bool { return o.Generation == want.Generation })
	case want.Op != nil && want.Op.Verb == domain.VerbNetworkAttach:
		return p.unattach(want.Op)
	default:
		return p.teardown()
	}
}

// planner holds what one decision looks at.
type planner struct {
	want    domain.Assignment
	have    Have
	sandbox Object
	lives   bool // the sandbox lives
	member  Object
	exists  bool // the member of the wanted generation exists
}

func (p planner) act(op *domain.Op) Plan {
	switch op.Verb {
	case domain.VerbCreate, domain.VerbRebuild:
		return p.create(op)
	case domain.VerbDelete, domain.VerbDeleteAfterStop, domain.VerbDeleteForce:
		return p.absent()
	}
	if op.Verb == domain.VerbNetworkAttach && op.Args.Gone != nil { // it was given up
		return p.unjoined(op)
	}
	if !p.exists {
		return p.lost()
	}
	switch op.Verb {
	case domain.VerbStart:
		return p.start()
	case domain.VerbStop:
		return p.stop()
	case domain.VerbReboot:
		return p.reboot(op)
	case domain.VerbPause:
		return p.toggle(StepPause)
	case domain.VerbUnpause:
		return p.toggle(StepUnpause)
	case domain.VerbKill:
		return p.kill(op)
	case domain.VerbUpdate, domain.VerbResizeContainer:
		return Plan{Steps: []Step{{Kind: StepUpdate, Object: p.member}}, Then: domain.PhaseDone}
	case domain.VerbNetworkAttach, domain.VerbNetworkDetach, domain.VerbAddGroup, domain.VerbRemoveGroup:
		return p.rewire(op)
	case domain.VerbCommit:
		// One that a former run had begun is only judged, by what the engine has of it.
		return Plan{Steps: []Step{{Kind: StepCommit, Object: p.member}}, Begin: !op.Begun, Then: domain.PhaseDone}
	default:
		return Plan{Then: domain.PhaseRefused, Reason: "this host's agent does not know how to " + string(op.Verb)}
	}
}

// create makes the object of the wanted generation and, if asked, starts it. The
// pull and the rules of the interfaces run beside the sandbox; the start and the plugging
// of the sandbox run beside the creation, because nothing but the start needs them all.
func (p planner) create(op *domain.Op) Plan {
	plan := Plan{Then: domain.PhaseDone, Unmake: true}
	if !p.exists && p.want.EverCreated {
		return p.lost()
	}
	if !p.exists {
		plan.Steps = append(plan.Steps, Step{Kind: StepImage, Beside: true})
		if former := p.formerMembers(); len(former) > 0 {
			// Only when the image is here: a pull that fails must cost nobody a container.
			former[0].Waits = []StepKind{StepImage}
			plan.Steps = append(plan.Steps, former...)
		}
		plan.Steps = append(plan.Steps, p.ground()...)
		plan.Steps = append(plan.Steps, Step{Kind: StepCreate, Waits: []StepKind{StepImage}})
	}
	if !op.Args.Run || (p.exists && !p.member.NeverStarted()) {
		return plan
	}
	if p.exists {
		plan.Steps = append(plan.Steps, p.ground()...)
	}
	return p.gated(plan)
}

// formerMembers ends and removes the objects of other generations.
func (p planner) formerMembers() []Step {
	return p.removals(func(o Object) bool { return o.Generation != p.want.Generation })
}

func (p planner) removals(which func(Object) bool) []Step {
	var steps []Step
	for _, o := range p.have.Objects {
		if !o.Sandbox && which(o) {
			steps = append(steps, Step{Kind: StepRemove, Object: o})
		}
	}
	return steps
}

// ground is what a process stands on: a living sandbox, its files, its interfaces.
func (p planner) ground() []Step {
	var steps []Step
	if !p.lives {
		if p.heldBefore() {
			// The dead sandbox's interfaces first: the same ports go into the new one.
			steps = append(steps, Step{Kind: StepUnplug, Nics: p.want.Nics})
		}
		if len(p.want.Nics) > 0 {
			steps = append(steps, Step{Kind: StepRules, Nics: p.want.Nics, Beside: true})
		}
		steps = append(steps, Step{Kind: StepStage}, Step{Kind: StepSandbox, Beside: true})
	}
	steps = append(steps, Step{Kind: StepFiles})
	if len(p.want.Volumes) > 0 {
		steps = append(steps, Step{Kind: StepVolumes})
	}
	if !p.lives || !p.plugged() {
		steps = append(steps, Step{Kind: StepNet, Nics: p.want.Nics, Beside: true, Waits: []StepKind{StepRules, StepSandbox}})
	}
	return steps
}

func (p planner) heldBefore() bool {
	return len(p.have.Objects) > 0 && len(p.want.Nics) > 0
}

func (p planner) plugged() bool {
	for _, nic := range p.want.Nics {
		if !slices.Contains(p.have.Plugged, nic.PortID) {
			return false
		}
	}
	return true
}

// gated adds the start if the network service calls every port active; otherwise
// the plan ends waiting for the assignment that says so.
func (p planner) gated(plan Plan) Plan {
	for _, nic := range p.want.Nics {
		if !nic.Ready {
			plan.Then = domain.PhaseProgress
			return plan
		}
	}
	start := Step{Kind: StepStart, Waits: []StepKind{StepSandbox, StepNet}}
	if p.exists {
		start.Object = p.member
		plan = p.confined(plan)
	}
	plan.Steps = append(plan.Steps, start)
	return plan
}

// confined moves a member to the CPUs that it should run on now: what is dedicated to one
// container comes and goes, and all others share what is left.
func (p planner) confined(plan Plan) Plan {
	if p.member.CPUSet != p.want.CPUSet {
		plan.Steps = append(plan.Steps, Step{Kind: StepConfine, Object: p.member})
	}
	return plan
}

func (p planner) start() Plan {
	plan := Plan{Then: domain.PhaseDone}
	if p.member.Alive() && p.lives {
		return plan
	}
	return p.raise(plan)
}

// raise brings the process up on sound ground; one that runs in a sandbox whose
// holder died is ended first, because its network is nobody's any more.
func (p planner) raise(plan Plan) Plan {
	if p.member.Alive() {
		plan.Steps = append(plan.Steps, Step{Kind: StepStop, Object: p.member})
	}
	plan.Steps = append(plan.Steps, p.ground()...)
	return p.gated(plan)
}

func (p planner) stop() Plan {
	plan := Plan{Then: domain.PhaseDone}
	if p.member.Alive() {
		plan.Steps = []Step{{Kind: StepStop, Object: p.member}}
	}
	return plan
}

// reboot ends and starts the process. What a former run of the agent did is
// judged by the start time, so that a crash does not cost a second reboot. Of a process
// that ended it proves nothing: it may have been started before, and killed.
func (p planner) reboot(op *domain.Op) Plan {
	plan := Plan{Then: domain.PhaseDone}
	if p.have.Resumed && p.lives && p.member.Alive() && !p.member.State.StartedAt.Before(op.AcceptedAt) {
		return plan
	}
	return p.raise(plan)
}

// toggle freezes or thaws the process, whatever it is shown as: an engine may show for a
// moment what was before, and both may be repeated.
func (p planner) toggle(kind StepKind) Plan {
	if !p.member.Alive() {
		return p.notRunning()
	}
	return Plan{Steps: []Step{{Kind: kind, Object: p.member}}, Then: domain.PhaseDone}
}

// kill is never sent twice: one that a former run had begun has an unknown outcome.
func (p planner) kill(op *domain.Op) Plan {
	if op.Begun {
		return Plan{Then: domain.PhaseFailed, Reason: "outcome unknown: the host's agent ended while the signal was sent"}
	}
	if !p.member.Alive() {
		return p.notRunning()
	}
	return Plan{Steps: []Step{{Kind: StepKill, Object: p.member}}, Begin: true, Then: domain.PhaseDone}
}

func (p planner) notRunning() Plan {
	return Plan{Then: domain.PhaseFailed, Reason: "Container " + string(p.want.Container) + " is not running"}
}

// lost answers for a member that is not there: an object is made only for a
// generation that was never reported created.
func (p planner) lost() Plan {
	if p.want.EverCreated {
		return Plan{Then: domain.PhaseMissing, Reason: "No such container: " + string(p.want.Container)}
	}
	return Plan{Then: domain.PhaseFailed, Reason: "Cannot operate an uncreated container."}
}

// settled keeps the wanted state between actions: it replaces a sandbox that died
// under a running process and starts what the policy wants back. It stops nothing
// that merely runs, since only an action may.
func (p planner) settled() Plan {
	plan := Plan{Then: domain.PhaseObserved}
	if p.have.Resized {
		plan.Steps = append(plan.Steps, Step{Kind: StepUpdate, Object: p.member})
	}
	switch {
	case !p.exists && p.want.EverCreated:
		return p.lost()
	case !p.exists:
		return p.givenUp()
	case p.member.Alive() && p.lives && !p.have.RestartDue:
		return p.confined(p.rewired(plan))
	case p.member.Alive() && !p.want.Want.Running:
		return p.stopOnly(plan)
	case p.member.Alive(), p.have.RestartDue, p.cutOff():
		return p.again(plan)
	default:
		return plan
	}
}

// givenUp removes what stands of a container of which, control says, nothing does: an
// action that control gave up was carried out all the same, and its outcome is never
// adopted. It is an explicit order like a delete's: the generation that is named never was.
func (p planner) givenUp() Plan {
	if len(p.have.Objects) == 0 {
		return Plan{}
	}
	return Plan{Steps: p.teardown()}
}

func (p planner) stopOnly(plan Plan) Plan {
	plan.Steps = []Step{{Kind: StepStop, Object: p.member}}
	return plan
}

func (p planner) again(plan Plan) Plan {
	plan = p.raise(plan)
	last := len(plan.Steps) - 1
	if p.want.Want.Paused && last >= 0 && plan.Steps[last].Kind == StepStart {
		plan.Steps = append(plan.Steps, Step{Kind: StepPause, Object: p.member})
	}
	return plan
}

// cutOff says that the member was ended to replace its sandbox and not yet started
// again: the living sandbox began after the member's last run ended.
func (p planner) cutOff() bool {
	ended := p.member.State.FinishedAt
	return p.lives && p.want.Want.Running && !ended.IsZero() && p.sandbox.begunAt().After(ended) &&
		!p.member.NeverStarted()
}

// absent removes everything, and says so. It and givenUp are the only plans that remove
// what they did not make: an explicit delete or tombstone named the container.
func (p planner) absent() Plan {
	if p.want.Op == nil {
		return Plan{Steps: p.teardown()} // control waits for no report, but nothing may linger
	}
	plan := Plan{Then: domain.PhaseReleased}
	if op := p.want.Op; op.Args.Stop && p.exists && p.member.Alive() {
		plan.Steps = append(plan.Steps, Step{Kind: StepStop, Object: p.member})
	}
	plan.Steps = append(plan.Steps, p.teardown()...)
	return plan
}

// teardown removes members, interfaces, sandbox, volumes and files, in this order, so
// that no process ever runs without its network.
func (p planner) teardown() []Step {
	steps := p.removals(func(Object) bool { return true })
	if nics := p.ownNics(); len(nics) > 0 {
		steps = append(steps, Step{Kind: StepUnplug, Nics: nics})
	}
	if slices.ContainsFunc(p.have.Objects, func(o Object) bool { return o.Sandbox }) {
		steps = append(steps, Step{Kind: StepDissolve})
	}
	if len(p.want.Volumes) > 0 {
		steps = append(steps, Step{Kind: StepRaze})
	}
	return append(steps, Step{Kind: StepForget})
}

// ownNics are the nics of the assignment and ports plugged before it changed.
func (p planner) ownNics() []domain.Nic {
	nics := slices.Clone(p.want.Nics)
	for _, port := range p.have.Plugged {
		if !HoldsPort(nics, port) {
			nics = append(nics, domain.Nic{PortID: port})
		}
	}
	return nics
}
