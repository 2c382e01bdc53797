package agent

import (
	"context"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/agent/restart"
	"github.com/go-zun/zun/internal/domain"
)

// task is one look at one container: what is wanted, what stands, what to do.
type task struct {
	*charge
	want domain.Assignment
	have plan.Have
	plan plan.Plan
	job  *Job
	// left is what a failed rebuild left standing.
	left *domain.Observation
}

// work brings one container to what is wanted of it, as far as it can now. It is
// called by the queue, never twice at once for a container.
func (a *Agent) work(ctx context.Context, id domain.ContainerID) {
	c := a.ledger.find(id)
	if c == nil {
		return
	}
	want, assigned := a.ledger.order(c)
	if !assigned || a.endedAlready(c, &want) {
		return
	}
	if c.course.made == want.Generation {
		want.EverCreated = true // control does not send the assignment again to say so
	}
	t := &task{charge: c, want: want}
	if reason := plan.Refusal(want, a.opt.Abilities); reason != "" && want.Op != nil {
		a.end(ctx, t, domain.PhaseRefused, reason)
		return
	}
	if a.resting(ctx, t) || !a.cleared(ctx, t) {
		return
	}
	if err := a.look(ctx, t); err != nil {
		a.failed(ctx, t, err)
		return
	}
	tally := a.judgeRestart(ctx, t)
	t.plan = plan.Make(t.want, t.have)
	t.job = NewJob(t.want, t.have, a.pullProgress(t))
	if t.plan.Begin && !a.begin(ctx, t) {
		return
	}
	quiet := a.pulse(ctx, t)
	err := a.carryOut(ctx, t.plan, t.job)
	quiet()
	a.remember(t)
	if t.have.RestartDue {
		c.course.tally = tally
	}
	if err != nil {
		a.failed(ctx, t, err)
		return
	}
	c.course.trouble.over()
	a.conclude(ctx, t)
}

// endedAlready strikes an action whose end was reported from want; true if nothing
// is left to do until control says something newer.
func (a *Agent) endedAlready(c *charge, want *domain.Assignment) bool {
	if want.Op == nil || c.course.ended != keyOf(want.Op) {
		return false
	}
	// Of a rebuild that failed control has yet to say what stands: the former generation, which
	// must not be taken for something that is to go.
	unmade := want.Op.Verb == domain.VerbRebuild && c.course.made != want.Generation
	want.Op = nil
	return want.Want.Absent || unmade
}

// resting says that an upkeep which failed waits for its next try. An action never
// waits for it.
func (a *Agent) resting(ctx context.Context, t *task) bool {
	rest := t.course.trouble.notBefore.Sub(a.clock.Now())
	if t.want.Op != nil || rest <= 0 {
		return false
	}
	a.queue.Later(ctx, t.id, rest)
	return true
}

// cleared undoes a half made generation that could not be undone at once; false if
// it still cannot and nothing newer is wanted.
func (a *Agent) cleared(ctx context.Context, t *task) bool {
	half := t.course.halfMade
	if half == nil {
		return true
	}
	if !t.want.Want.Absent {
		if _, err := a.unmake(ctx, t.charge, *half); err != nil && t.want.Op == nil {
			a.tryAgain(ctx, t, err)
			return false
		}
	}
	t.course.halfMade = nil
	return true
}

// look fills what stands on the host. The engine is not asked for a container that
// it is known to know nothing of, nor for one that only needs adopting.
func (a *Agent) look(ctx context.Context, t *task) error {
	objects, fresh := a.ledger.objects(t.charge)
	if !fresh || !enough(t.want, objects) {
		var err error
		if objects, err = a.inspect(ctx, t.charge); err != nil {
			return err
		}
	}
	t.have = plan.Have{Objects: a.ledger.located(objects, t.want.CPUSet), Resumed: t.want.Op != nil && t.begunBefore()}
	if limits := domain.ClaimOf(t.want.Spec); t.course.sized != nil && *t.course.sized != limits {
		t.have.Resized = t.want.Op == nil
	}
	sandbox, lives := t.have.Sandbox()
	for port, held := range t.course.plugs {
		switch {
		case !lives || held.sandbox != sandbox.EngineID:
		case plan.HoldsPort(t.want.Nics, port) && held.rules != rulesOf(t.want.Nics, port):
			t.have.Rewired = true
		default:
			t.have.Plugged = append(t.have.Plugged, port)
		}
	}
	return nil
}

// enough says that fresh knowledge will do for want without a question.
func enough(want domain.Assignment, objects []Object) bool {
	if want.Op == nil {
		_, exists := plan.Have{Objects: objects}.Member(want.Generation)
		return exists
	}
	return want.Op.Verb == domain.VerbCreate && !want.EverCreated && len(objects) == 0
}

// judgeRestart asks the restart policy about an ended process, and the health check
// about one that runs: due now, due later (the queue hands the key out again then) or
// never. It returns the tally to keep once the restart was tried.
func (a *Agent) judgeRestart(ctx context.Context, t *task) restart.Tally {
	o, exists := t.have.Member(t.want.Generation)
	if t.want.Op != nil || !t.want.Want.Running || !exists || o.NeverStarted() {
		return restart.Tally{}
	}
	var tally restart.Tally
	var again bool
	from := o.State.FinishedAt
	if o.Alive() {
		from = o.State.StartedAt
		again = t.want.Spec.AutoHeal && o.State.Status == domain.Running && o.State.Health == "unhealthy"
		tally = restart.Heal(t.course.tally, a.clock.Now().Sub(from))
	} else {
		tally, again = restart.Judge(t.want.Spec.Restart, t.course.tally, t.ending(o))
	}
	if !again {
		return restart.Tally{}
	}
	now := a.clock.Now()
	if wait := t.course.seenBy(from, now).Add(tally.Delay).Sub(now); wait > 0 {
		a.queue.Later(ctx, t.id, wait)
		if !o.Alive() {
			t.restarting(o)
		}
		return restart.Tally{}
	}
	t.have.RestartDue = true
	return tally
}

// seenBy is the moment at, or the first now at which it was still to come: a clock that was
// set back since, or is not the engine's, must not make the wait for a restart longer.
func (c *course) seenBy(at, now time.Time) time.Time {
	if !at.After(now) && !at.Equal(c.early.told) {
		return at
	}
	if !at.Equal(c.early.told) {
		c.early = early{told: at, seen: now}
	}
	return c.early.seen
}

func (t *task) ending(o Object) restart.Ending {
	end := restart.Ending{Ran: o.State.FinishedAt.Sub(o.State.StartedAt), Explicit: t.course.held}
	if o.State.ExitCode != nil {
		end.ExitCode = *o.State.ExitCode
	}
	return end
}

// restarting shows the ended member as about to be restarted.
func (t *task) restarting(o Object) {
	for i := range t.have.Objects {
		if t.have.Objects[i].EngineID == o.EngineID {
			t.have.Objects[i].State.Status = domain.Restarting
		}
	}
}

// begin tells control that an effect follows which must not be repeated; false if
// control no longer wants it.
func (a *Agent) begin(ctx context.Context, t *task) bool {
	r := a.report(t, domain.PhaseBegun)
	if a.mail.Ask(ctx, a.ending, r) {
		return true
	}
	select {
	case <-a.ending: // unanswered, so nothing was done; the next run decides
	default:
		t.course.ended = keyOf(t.want.Op)
	}
	return false
}

// pulseEvery is far below the silence after which control gives an action up.
const pulseEvery = time.Minute

// pulse tells control that an action moves while a process may take its long grace
// to end, or an image is made; the returned function ends that. Other steps are short
// or tell bytes.
func (a *Agent) pulse(ctx context.Context, t *task) (quiet func()) {
	if graceOf(t.want.Op) < pulseEvery && (t.want.Op == nil || t.want.Op.Verb != domain.VerbCommit) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var pulse sync.WaitGroup
	pulse.Go(func() {
		for a.pause(ctx, pulseEvery, nil) {
			a.mail.Post(a.report(t, domain.PhaseProgress))
		}
	})
	return func() {
		cancel()
		pulse.Wait()
	}
}

// pullProgress returns what tells control of bytes received, at most once a second.
func (a *Agent) pullProgress(t *task) func(done, total int64) {
	var last time.Time
	return func(done, total int64) {
		now := a.clock.Now()
		if t.want.Op == nil || now.Sub(last) < time.Second {
			return
		}
		last = now
		r := a.report(t, domain.PhaseProgress)
		r.TaskState, r.Message = domain.ImagePulling, pulled(done, total)
		a.mail.Post(r)
	}
}

// remember keeps what the job learned for the next plan and for direct calls.
func (a *Agent) remember(t *task) {
	sandbox := t.job.Sandbox()
	clear(t.course.plugs)
	for _, port := range t.job.Plugged() {
		t.course.plugs[port] = plug{sandbox: sandbox.EngineID, rules: rulesOf(t.want.Nics, port)}
	}
	for _, step := range t.plan.Steps {
		switch step.Kind {
		case plan.StepUpdate:
			limits := domain.ClaimOf(t.want.Spec)
			t.course.sized = &limits
		case plan.StepCreate, plan.StepRemove:
			t.course.sized = nil
		}
	}
	if len(t.plan.Steps) == 0 {
		return
	}
	var objects []Object
	for _, o := range []Object{sandbox, t.job.Member()} {
		if o.EngineID != "" {
			objects = append(objects, o)
		}
	}
	a.ledger.keep(t.charge, objects)
}

// over ends a run of failures.
func (t *trouble) over() {
	t.since, t.notBefore = time.Time{}, time.Time{}
	t.wait.Reset()
}
