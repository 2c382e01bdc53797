package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Order is one accepted request before it is an action.
type Order struct {
	Verb  domain.Verb
	Args  domain.ActionArgs
	Actor domain.Actor
}

// Accept queues o on c and writes c. The head of a queue that needs no preparation
// is visible to the host at once; one that does rings the prepare loop; one that
// stands behind others waits for its turn and changes nothing yet.
func (t *Turn) Accept(ctx context.Context, c *domain.Container, o Order) (domain.Action, error) {
	queue, err := t.queue(ctx, c, o.Verb)
	if err != nil {
		return domain.Action{}, err
	}
	now, err := t.Now(ctx)
	if err != nil {
		return domain.Action{}, err
	}
	a := domain.Action{
		Container: c.ID, Verb: o.Verb, Args: o.Args, State: domain.ActionQueued,
		RequestID: o.Actor.RequestID, UserID: o.Actor.UserID, ProjectID: c.ProjectID,
		Deadline: now.Add(t.options.ActionTotal),
	}
	if len(queue) > 0 {
		if err := t.Tell(ctx, c, string(a.Verb)+".accepted", "", a.RequestID); err != nil {
			return a, err
		}
		return t.append(ctx, a)
	}
	a.State = c.Begin(a)
	if err := t.Tell(ctx, c, string(a.Verb)+".accepted", "", a.RequestID); err != nil {
		return a, err
	}
	a, err = t.append(ctx, a)
	if err != nil {
		return a, err
	}
	return a, t.settle(ctx, c, a, false)
}

// queue returns what c has to do before verb; a create is the first of all.
func (t *Turn) queue(ctx context.Context, c *domain.Container, verb domain.Verb) ([]domain.Action, error) {
	if verb == domain.VerbCreate {
		return nil, nil
	}
	queue, err := t.Actions().Queue(ctx, c.ID)
	if err != nil {
		return nil, fmt.Errorf("read the queue of %s: %w", c.ID, err)
	}
	return queue, nil
}

func (t *Turn) append(ctx context.Context, a domain.Action) (domain.Action, error) {
	a, err := t.Actions().Append(ctx, a)
	if err != nil {
		return a, fmt.Errorf("append %s to the queue of %s: %w", a.Verb, a.Container, err)
	}
	return a, nil
}

// settle writes c and lets its head action a go on; changed says that something else
// changed for the host of c. The row of a create was just inserted as it must be: its
// first update is yet to come.
func (t *Turn) settle(ctx context.Context, c *domain.Container, a domain.Action, changed bool) error {
	write := t.Save
	switch {
	case changed || a.State == domain.ActionPrepared:
		write = t.Show
	case a.Verb == domain.VerbCreate:
		write = func(context.Context, *domain.Container) error { return nil }
	}
	if err := write(ctx, c); err != nil {
		return err
	}
	switch a.State {
	case domain.ActionReleased:
		t.Ring(t.bells.Release)
	case domain.ActionQueued:
		t.Ring(t.bells.Prepare)
	}
	return nil
}

// Outcome is how an action ended.
type Outcome struct {
	Done     bool
	Reason   string // of a failure, for the user
	Observed domain.Status
	Lost     bool               // a failure because the engine does not know the container any more
	Image    *domain.LocalImage // what a commit made
}

// Close ends a with o: the status follows by the table, the event is recorded, and
// the next action of the queue has its turn. c is written; the host sees it again
// when something changed for it.
func (t *Turn) Close(ctx context.Context, c *domain.Container, a domain.Action, o Outcome) error {
	if !o.Done && c.Attempted(a) {
		return t.giveUpAttach(ctx, c, a, o)
	}
	reached := a
	if err := t.end(ctx, &a, o); err != nil {
		return err
	}
	wanted, before := c.Want, c.Spec
	switch {
	case o.Done:
		c.Finish(a, o.Observed)
	case o.Lost:
		c.Lose(o.Reason)
	default:
		c.Fail(reached, o.Reason, o.Observed)
	}
	if err := t.tellEnd(ctx, c, a, o); err != nil {
		return err
	}
	if err := errors.Join(t.settleClaims(ctx, c, a, before), t.settleImage(ctx, a, reached.State == domain.ActionBegun, o.Image)); err != nil {
		return err
	}
	return t.proceed(ctx, c, !o.Done || c.Want != wanted)
}

// giveUpAttach takes the interface of a failed attach out of c again, if it is there. The action ends
// once the release loop has given its port back, and before that its host, if it may have seen
// the interface, is sent the action again to unplug it: nobody else may get its addresses earlier.
func (t *Turn) giveUpAttach(ctx context.Context, c *domain.Container, a domain.Action, o Outcome) error {
	now, err := t.Now(ctx)
	if err != nil {
		return err
	}
	seen, err := t.answerable(ctx, *c)
	if err != nil {
		return err
	}
	state, bell := domain.ActionReleased, t.bells.Release
	if seen && a.State != domain.ActionQueued {
		state, bell = domain.ActionQueued, t.bells.Prepare
	}
	c.Leave(&a)
	a.State, a.Reason, a.Owner, a.LeaseUntil, a.ProgressAt, a.Attempts = state, o.Reason, "", time.Time{}, now, 0
	if err := t.Actions().Update(ctx, a); err != nil {
		return fmt.Errorf("give up action %d: %w", a.ID, err)
	}
	t.Ring(bell)
	return t.Show(ctx, c)
}

// end writes the last state of an action and its event.
func (t *Turn) end(ctx context.Context, a *domain.Action, o Outcome) error {
	a.State, a.Owner, a.LeaseUntil = domain.ActionDone, "", time.Time{}
	result := "Success"
	if !o.Done {
		a.State, a.Message, a.Reason, result = domain.ActionFailed, "Error", o.Reason, "Error"
	}
	if err := t.Actions().Update(ctx, *a); err != nil {
		return fmt.Errorf("end action %d: %w", a.ID, err)
	}
	event := domain.Event{ActionID: a.ID, Name: domain.EventName(a.Verb), Result: result, Details: o.Reason, StartedAt: a.StartedAt}
	if err := t.Actions().Events().Finish(ctx, event); err != nil {
		return fmt.Errorf("record the end of action %d: %w", a.ID, err)
	}
	return t.over(ctx, *a, result, o.Reason)
}

// over closes the steps of a that were still open when it ended, and tells who waits.
func (t *Turn) over(ctx context.Context, a domain.Action, result, details string) error {
	steps, err := t.Actions().Events().List(ctx, a.ID)
	if err != nil {
		return fmt.Errorf("list the steps of action %d: %w", a.ID, err)
	}
	for _, step := range steps {
		if !step.FinishedAt.IsZero() {
			continue
		}
		step.Result, step.Details = result, details
		if err := t.Actions().Events().Finish(ctx, step); err != nil {
			return fmt.Errorf("close a step of action %d: %w", a.ID, err)
		}
	}
	t.ended = append(t.ended, a.ID)
	return nil
}

// proceed gives the next action of c's queue its turn. One that the present status
// no longer allows fails with the contract's words. c is written, and shown to its
// host if changed says so or an action became visible.
func (t *Turn) proceed(ctx context.Context, c *domain.Container, changed bool) error {
	queue, err := t.Actions().Queue(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("read the queue of %s: %w", c.ID, err)
	}
	for _, a := range queue {
		if err := domain.CheckAllowed(a.Verb, c.ID, c.Status); err != nil {
			reason := domain.AsFault(err).Message
			if err := t.Skip(ctx, c, a, reason); err != nil {
				return err
			}
			continue
		}
		return t.advance(ctx, c, a, changed)
	}
	if !changed {
		return t.Save(ctx, c)
	}
	return t.Show(ctx, c)
}

// Skip ends an action that never had its turn.
func (t *Turn) Skip(ctx context.Context, c *domain.Container, a domain.Action, reason string) error {
	if err := t.end(ctx, &a, Outcome{Reason: reason}); err != nil {
		return err
	}
	if err := t.tellEnd(ctx, c, a, Outcome{Reason: reason}); err != nil {
		return err
	}
	return errors.Join(t.settleClaims(ctx, c, a, c.Spec), t.settleImage(ctx, a, false, nil))
}

func (t *Turn) advance(ctx context.Context, c *domain.Container, a domain.Action, changed bool) error {
	a.State, a.ProgressAt = c.Begin(a), time.Time{} // its time begins with its turn
	if err := t.Actions().Update(ctx, a); err != nil {
		return fmt.Errorf("give action %d its turn: %w", a.ID, err)
	}
	return t.settle(ctx, c, a, changed)
}

// Cancel ends every unfinished action of c because of reason. An interface that was on its
// way out is c's again, which the caller writes.
func (t *Turn) Cancel(ctx context.Context, c *domain.Container, reason string) error {
	queue, err := t.Actions().Queue(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("read the queue of %s: %w", c.ID, err)
	}
	for _, a := range queue {
		begun := a.State == domain.ActionBegun
		if a.State != domain.ActionReleased {
			c.Rejoin(a) // its host may have it plugged yet, and must hear of it to unplug it
		}
		a.State, a.Reason, a.Owner, a.LeaseUntil = domain.ActionCanceled, reason, "", time.Time{}
		if err := t.Actions().Update(ctx, a); err != nil {
			return fmt.Errorf("cancel action %d: %w", a.ID, err)
		}
		if err := errors.Join(t.settleClaims(ctx, c, a, c.Spec), t.settleImage(ctx, a, begun, nil)); err != nil {
			return err
		}
		if err := t.over(ctx, a, "Error", reason); err != nil {
			return err
		}
	}
	return nil
}

// Retry puts the unfinished action a back into state, not before the back-off of
// its attempts has passed, with the reason shown meanwhile. The lease is given up.
func (t *Turn) Retry(ctx context.Context, a domain.Action, state domain.ActionState, reason string) error {
	now, err := t.Now(ctx)
	if err != nil {
		return err
	}
	a.State, a.Reason, a.Owner, a.LeaseUntil = state, reason, "", time.Time{}
	a.RetryAt = now.Add(backoff(a.Attempts))
	a.Attempts++
	if a.Verb == domain.VerbDelete || a.Undoing() || state == domain.ActionReleased { // never given up: each attempt has its own time
		a.ProgressAt, a.Deadline = now, now.Add(t.options.ActionTotal)
	}
	if err := t.Actions().Update(ctx, a); err != nil {
		return fmt.Errorf("put action %d off: %w", a.ID, err)
	}
	return nil
}

// RetryUndo sends the attach a, which was given up, to its host again; where that left the
// fleet, only what control holds is left to do. Why it was given up is what its user shall read.
func (t *Turn) RetryUndo(ctx context.Context, row *domain.Container, a domain.Action) error {
	return t.retryUntilClean(ctx, row, a, a.Reason)
}

// retryUntilClean puts off what must come to its good end: the host of row is asked again
// until it has let go, and then what lies outside.
func (t *Turn) retryUntilClean(ctx context.Context, row *domain.Container, a domain.Action, reason string) error {
	answerable, err := t.answerable(ctx, *row)
	if err != nil {
		return err
	}
	state := domain.ActionQueued
	if a.State == domain.ActionReleased || !answerable {
		state = domain.ActionReleased
	}
	return t.Retry(ctx, a, state, reason)
}

// RetryDelete puts a delete off whose effect failed; the container stays Deleting
// and shows why. It goes through the queue again, and so to the host; where the host
// has let go of everything or left the fleet, only what control holds is left to do.
func (t *Turn) RetryDelete(ctx context.Context, row *domain.Container, a domain.Action, reason string) error {
	row.Status, row.StatusReason = domain.Next(row.Status, a.Verb, domain.Failed, false, ""), reason
	if err := t.Save(ctx, row); err != nil {
		return err
	}
	return t.retryUntilClean(ctx, row, a, reason)
}

// backoff returns 1, 2, 4 ... seconds, at most two minutes: well within the silence
// that makes an action fail.
func backoff(attempts int) time.Duration {
	return min(time.Second<<min(max(attempts, 0), 7), 2*time.Minute)
}
