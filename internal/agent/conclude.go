package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/agent/restart"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// conclude says what came of a plan that was carried out.
func (a *Agent) conclude(ctx context.Context, t *task) {
	switch t.plan.Then {
	case "":
	case domain.PhaseProgress:
		a.sayWaiting(t)
	case domain.PhaseObserved:
		a.observe(ctx, t)
	case domain.PhaseMissing:
		a.sayMissing(ctx, t)
	default:
		a.end(ctx, t, t.plan.Then, t.plan.Reason)
	}
}

// end reports how an action ended and remembers it, so that the same assignment
// read again does nothing.
func (a *Agent) end(ctx context.Context, t *task, phase domain.ReportPhase, reason string) {
	r := a.report(t, phase)
	r.Message = reason
	if phase != domain.PhaseReleased && phase != domain.PhaseRefused && t.job != nil {
		r.Seen, r.Image = a.seen(ctx, t), t.job.Image()
	}
	if t.left != nil {
		r.Seen = t.left
	}
	t.settle(phase)
	if t.groundless() {
		a.queue.Add(t.id) // for the upkeep, of which the death of the sandbox told while the action was in the way
	}
	a.ledger.news(t.charge, domain.Report{Phase: domain.PhaseObserved, Generation: r.Generation, Seen: r.Seen})
	a.mail.Post(r)
	if phase != domain.PhaseDone && phase != domain.PhaseReleased {
		a.log.Warn("action failed", "container", t.id, "request", requestOf(t.want.Op), "phase", phase, "reason", reason)
	}
}

// groundless says that the action left a process in a sandbox that was found dead.
func (t *task) groundless() bool {
	if t.job == nil || !t.job.Member().Alive() {
		return false
	}
	_, lived := t.have.Sandbox()
	raised := slices.ContainsFunc(t.plan.Steps, func(s plan.Step) bool { return s.Kind == plan.StepSandbox })
	return !lived && !raised
}

// settle remembers what the end of the action means for later plans.
func (t *task) settle(phase domain.ReportPhase) {
	t.course.ended = keyOf(t.want.Op)
	t.course.trouble.over()
	if t.want.Op == nil || phase != domain.PhaseDone {
		return
	}
	switch t.want.Op.Verb {
	case domain.VerbStop, domain.VerbKill:
		t.course.held = true
	case domain.VerbCreate, domain.VerbRebuild, domain.VerbStart, domain.VerbReboot:
		t.course.held, t.course.tally = false, restart.Tally{}
		t.course.made = t.want.Generation
	}
}

// sayWaiting tells which ports are plugged, so that control can see them become
// active and say so.
func (a *Agent) sayWaiting(t *task) {
	r := a.report(t, domain.PhaseProgress)
	r.Seen = &domain.Observation{NicsPlugged: t.job.Plugged()}
	if a.ledger.news(t.charge, r) {
		a.mail.Post(r)
	}
}

// observe tells what the engine says of a settled container, if that is news.
func (a *Agent) observe(ctx context.Context, t *task) {
	r := a.report(t, domain.PhaseObserved)
	r.ActionID, r.Epoch, r.TaskState = 0, 0, domain.Idle
	r.Seen = a.seen(ctx, t)
	if r.Seen != nil && a.ledger.news(t.charge, r) {
		a.mail.Post(r)
	}
}

// sayMissing tells of a lost object: the action under way ends by it, and control
// decides whether the container is gone, made anew or in error.
func (a *Agent) sayMissing(ctx context.Context, t *task) {
	if t.want.Op != nil {
		a.end(ctx, t, domain.PhaseMissing, t.plan.Reason)
		return
	}
	r := a.report(t, domain.PhaseMissing)
	r.ActionID, r.Epoch, r.TaskState, r.Message = 0, 0, domain.Idle, t.plan.Reason
	if a.ledger.news(t.charge, r) {
		a.mail.Post(r)
	}
}

// seen returns the member as it is after the plan, asking the engine only if a step
// left it in a state that cannot be known; nil if there is no member.
func (a *Agent) seen(ctx context.Context, t *task) *domain.Observation {
	o := t.job.Member()
	if t.job.Disturbed() {
		objects, err := a.inspect(ctx, t.charge)
		if err != nil {
			return nil // what the action promised is truer than what was before it
		}
		o, _ = plan.Have{Objects: objects}.Member(t.want.Generation)
	}
	if o.EngineID == "" {
		return nil
	}
	state := o.State
	state.EngineID = o.EngineID
	state.NicsPlugged = t.job.Plugged()
	state.Restarts = t.course.tally.Count
	now := a.clock.Now()
	if state.Status == domain.Running && state.StartedAt.IsZero() {
		state.StartedAt = now
	}
	state.Detail = domain.DetailOf(state, now)
	return &state
}

// failed decides what a failure means: another try, a refusal, or the action's end
// after everything half made is undone.
func (a *Agent) failed(ctx context.Context, t *task, err error) {
	switch {
	case a.cutShort(err), t.isDoomed() && !t.want.Want.Absent && errors.Is(err, context.Canceled):
		return // the next run plans again
	case t.want.Op == nil, t.want.Op.ActionID == 0: // upkeep, or a tombstone that nobody else retries
		a.tryAgain(ctx, t, err)
	case t.plan.Begin && outcomeUnknown(err):
		a.end(ctx, t, domain.PhaseFailed, "outcome unknown: "+domain.AsFault(err).Message)
	case !a.engineDown(ctx, err):
		a.giveUp(ctx, t, domain.PhaseFailed, err)
	case t.untouched(err):
		a.giveUp(ctx, t, domain.PhaseRefused, err)
	case a.patient(t):
		t.course.tried = keyOf(t.want.Op) // an engine that cannot be asked later may hold something
		a.tryAgain(ctx, t, err)
	default:
		a.giveUp(ctx, t, domain.PhaseFailed, err)
	}
}

// cutShort says that a step did not fail but was left because the agent ends.
func (a *Agent) cutShort(err error) bool {
	if errors.Is(err, errEnding) {
		return true
	}
	select {
	case <-a.ending:
		return errors.Is(err, context.Canceled)
	default:
		return false
	}
}

// outcomeUnknown says that the effect may have happened although it failed.
func outcomeUnknown(err error) bool {
	kind := domain.KindOf(err)
	return kind == domain.Unavailable || kind == domain.Timeout || kind == domain.Internal
}

// engineDown says that err means an engine which does not answer. A pull that is
// Unavailable may as well mean the registry, so the engine itself is asked.
func (a *Agent) engineDown(ctx context.Context, err error) bool {
	if !domain.IsKind(err, domain.Unavailable) {
		return false
	}
	var step *stepError
	if !errors.As(err, &step) || step.kind != plan.StepImage {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, a.opt.CallTimeout)
	defer cancel()
	_, gone := a.engine.Info(ctx)
	return gone != nil
}

// untouched says that a create that ended with err left nothing here: nothing was seen
// or, if the engine could not be asked, no former run can have begun it. A call of unknown
// outcome may have made something, which another host's container would not take away.
func (t *task) untouched(err error) bool {
	if t.want.Op.Verb != domain.VerbCreate || t.want.EverCreated {
		return false
	}
	if f := domain.AsFault(err); f.Kind == domain.Timeout || f.Code == CodeLost {
		return false
	}
	if t.job == nil {
		return !t.begunBefore()
	}
	return len(t.have.Objects) == 0 && t.job.Sandbox().EngineID == ""
}

// halfMade says that a failed action left something that must be undone.
func (t *task) halfMade(err error) bool {
	if t.job != nil {
		return t.plan.Unmake && !t.untouched(err)
	}
	return t.want.Op.Verb == domain.VerbCreate && !t.want.EverCreated && t.begunBefore()
}

// begunBefore says that a former run of the agent, or a former try, may have begun the action.
func (t *task) begunBefore() bool {
	return t.resumed == keyOf(t.want.Op) || t.course.tried == keyOf(t.want.Op)
}

// patient says that an action may still wait for the engine.
func (a *Agent) patient(t *task) bool {
	since := t.course.trouble.since
	return since.IsZero() || a.clock.Now().Sub(since) < a.opt.Patience
}

// tryAgain has the container handed out again after a back-off.
func (a *Agent) tryAgain(ctx context.Context, t *task, err error) {
	trouble, now := &t.course.trouble, a.clock.Now()
	if trouble.since.IsZero() {
		trouble.since = now
	}
	wait := trouble.wait.Next()
	trouble.notBefore = now.Add(wait)
	a.log.Warn("a step failed and is tried again", "container", t.id, "request", requestOf(t.want.Op), "retry", wait, "error", err)
	a.queue.Later(ctx, t.id, wait)
}

// giveUp ends the action. What was half made is undone first, so that the user who
// reads of the failure finds nothing of it; an undo that fails is tried again after.
func (a *Agent) giveUp(ctx context.Context, t *task, phase domain.ReportPhase, err error) {
	a.log.Warn("a step failed", "container", t.id, "request", requestOf(t.want.Op), "error", err)
	if t.halfMade(err) {
		a.undo(ctx, t)
	}
	a.end(ctx, t, phase, domain.AsFault(err).Message)
}

// undo takes back what t's action half made. What fails is tried again later, but for
// an attach, whose port goes with the next change of the container's interfaces.
func (a *Agent) undo(ctx context.Context, t *task) {
	objects, err := a.unmake(ctx, t.charge, t.want)
	attaches := t.want.Op.Verb == domain.VerbNetworkAttach
	if err != nil && !attaches {
		want := t.want
		t.course.halfMade = &want
		a.tryAgain(ctx, t, fmt.Errorf("undo: %w", err))
	}
	if attaches {
		return
	}
	t.job = nil // its member is gone
	if t.want.Op.Verb == domain.VerbRebuild {
		t.left = a.former(t, objects)
	}
}

// former is the member of an earlier generation, which a rebuild removes only once the
// new image is there; nil if it was removed, or there was none.
func (a *Agent) former(t *task, objects []Object) *domain.Observation {
	for _, o := range objects {
		if !o.Sandbox && o.Generation < t.want.Generation {
			state := o.State
			state.EngineID = o.EngineID
			state.Detail = domain.DetailOf(state, a.clock.Now())
			return &state
		}
	}
	return nil
}

// report begins a report on t's container.
func (a *Agent) report(t *task, phase domain.ReportPhase) domain.Report {
	r := domain.Report{Container: t.id, Generation: t.want.Generation, Phase: phase, At: a.clock.Now()}
	if op := t.want.Op; op != nil {
		r.ActionID, r.Epoch = op.ActionID, op.Epoch
		if phase == domain.PhaseProgress || phase == domain.PhaseBegun {
			r.TaskState = domain.TaskOf(op.Verb)
		}
	}
	return r
}

// tell makes one try to report to control.
func (a *Agent) tell(ctx context.Context, r domain.Report) (stale bool, err error) {
	call := func() error {
		stale, err = a.control.Report(ctx, r)
		return err
	}
	switch r.Phase {
	case domain.PhaseBegun:
		err = failpoint.Around(failpoint.ReportBegun, call)
	case domain.PhaseDone, domain.PhaseFailed, domain.PhaseRefused, domain.PhaseReleased:
		err = failpoint.Around(failpoint.ReportDone, call)
	default:
		err = call()
	}
	return stale, err
}

// delivered acts on control's verdict on a report. A container that is released or
// was refused is forgotten even if the verdict is stale, since an answer that was
// lost makes the repeated report stale.
func (a *Agent) delivered(r domain.Report, stale bool) {
	if r.Phase == domain.PhaseReleased || r.Phase == domain.PhaseRefused {
		a.ledger.drop(r.Container, opKey{action: r.ActionID, epoch: r.Epoch})
		a.share()
		token(a.rewired)
	}
	if stale {
		token(a.newer) // control waits for something else, and may have said what
	}
}

func graceOf(op *domain.Op) time.Duration {
	if op == nil || op.Args.TimeoutSeconds == nil || *op.Args.TimeoutSeconds < 0 {
		return 0
	}
	return time.Duration(*op.Args.TimeoutSeconds) * time.Second
}

func requestOf(op *domain.Op) string {
	if op == nil {
		return ""
	}
	return op.RequestID
}

func pulled(done, total int64) string {
	if total <= 0 {
		return fmt.Sprintf("%d bytes pulled", done)
	}
	return fmt.Sprintf("%d of %d bytes pulled", done, total)
}
