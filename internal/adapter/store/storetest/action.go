package storetest

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func actionCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Action/RoundTrip":  actionRoundTrip,
		"Action/QueueOrder": actionQueue,
		"Action/Finish":     actionFinish,
		"Action/EpochLost":  actionEpoch,
		"Action/Overdue":    actionOverdue,
		"Action/Events":     actionEvents,
	}
}

func actionRoundTrip(p *probe) {
	p.keep(plain(first, "p1", "one"))
	grace, cpu, memory := 7, 0.5, int64(64)
	want := domain.Action{
		Container: first, Verb: domain.VerbStop, State: domain.ActionQueued, Message: "m", Reason: "r", RequestID: "req-1", UserID: "u", ProjectID: "p1",
		Args:     domain.ActionArgs{Run: true, TimeoutSeconds: &grace, Signal: "HUP", Stop: true, Force: true, CPU: &cpu, MemoryMB: &memory, Repository: "r", Tag: "t"},
		Attempts: 2, Deadline: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), RetryAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	stored := p.enqueue(want)
	if stored.ID == 0 || stored.StartedAt.IsZero() || !stored.ProgressAt.Equal(stored.StartedAt) {
		p.Fatalf("stored %+v", stored)
	}
	p.read(func(ctx context.Context, tx control.Tx) error {
		got, err := tx.Actions().Get(ctx, stored.ID)
		p.same("grace", *got.Args.TimeoutSeconds, grace)
		p.same("cpu", *got.Args.CPU, cpu)
		p.same("memory", *got.Args.MemoryMB, memory)
		got.Args.TimeoutSeconds, got.Args.CPU, got.Args.MemoryMB = stored.Args.TimeoutSeconds, stored.Args.CPU, stored.Args.MemoryMB
		p.same("action", got, stored)
		return err
	})
	p.refuse(domain.NotFound, "resource-not-found", "The Action resource 12345 could not be found.", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Actions().Get(ctx, 12345)
		return err
	})
	p.refuse(domain.Conflict, "conflict", "", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Actions().Append(ctx, domain.Action{Container: third}) // a container that does not exist
		return err
	})
}

// queue returns the verbs of the unfinished actions, history those of all.
func (p *probe) queue(id domain.ContainerID) (verbs []domain.Verb) {
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Actions().Queue(ctx, id)
		verbs = verbsOf(found)
		return err
	})
	return verbs
}

func (p *probe) history(id domain.ContainerID) (verbs []domain.Verb) {
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Actions().History(ctx, id)
		verbs = verbsOf(found)
		return err
	})
	return verbs
}

func verbsOf(all []domain.Action) []domain.Verb {
	verbs := make([]domain.Verb, len(all))
	for i, a := range all {
		verbs[i] = a.Verb
	}
	return verbs
}

func actionQueue(p *probe) {
	p.keep(plain(first, "p1", "one"), plain(second, "p1", "two"))
	head := p.enqueue(domain.Action{Container: first, Verb: domain.VerbCreate, State: domain.ActionPrepared})
	p.enqueue(domain.Action{Container: second, Verb: domain.VerbCreate, State: domain.ActionQueued})
	p.enqueue(domain.Action{Container: first, Verb: domain.VerbStop, State: domain.ActionQueued})
	p.same("queue", p.queue(first), []domain.Verb{domain.VerbCreate, domain.VerbStop})
	head.State = domain.ActionDone
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, head) })
	p.same("queue", p.queue(first), []domain.Verb{domain.VerbStop})
	p.same("history", p.history(first), []domain.Verb{domain.VerbStop, domain.VerbCreate})
}

func actionFinish(p *probe) {
	p.keep(plain(first, "p1", "one"))
	for _, state := range []domain.ActionState{domain.ActionPrepared, domain.ActionBegun, domain.ActionReleased, domain.ActionDone, domain.ActionFailed, domain.ActionCanceled} {
		a := p.enqueue(domain.Action{Container: first, State: domain.ActionQueued})
		a.State, a.Reason, a.Owner = state, "because", "me"
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, a) })
		p.read(func(ctx context.Context, tx control.Tx) error {
			got, err := tx.Actions().Get(ctx, a.ID)
			p.same("finished", !got.FinishedAt.IsZero(), state.Finished())
			a.FinishedAt = got.FinishedAt
			p.same("action", got, a)
			return err
		})
	}
	a := p.enqueue(domain.Action{Container: first, State: domain.ActionQueued})
	for _, progress := range []time.Time{a.ProgressAt.Add(time.Hour), {}} { // none is the database's own time
		a.ProgressAt = progress
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, a) })
	}
	p.read(func(ctx context.Context, tx control.Tx) error {
		got, err := tx.Actions().Get(ctx, a.ID)
		late := got.ProgressAt.Sub(a.StartedAt)
		p.same("progress is now", late >= 0 && late < time.Hour, true)
		return err
	})
}

func actionEpoch(p *probe) {
	p.keep(plain(first, "p1", "one"))
	a := p.enqueue(domain.Action{Container: first, State: domain.ActionQueued})
	leased := p.lease(control.LeaseClaim{Owner: "worker", TTL: time.Hour, States: []domain.ActionState{domain.ActionQueued}, Limit: 1})
	p.same("epoch", leased[0].Epoch, a.Epoch+1)
	stale := func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, a) }
	p.refuse(domain.Conflict, "lease-lost", "", stale)
	leased[0].State = domain.ActionDone
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, leased[0]) })
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Containers().Delete(ctx, first) })
	p.refuse(domain.Conflict, "lease-lost", "", func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, leased[0]) })
}

func actionOverdue(p *probe) {
	p.keep(plain(first, "p1", "one"), plain(second, "p1", "two"))
	overdue := func(silence time.Duration, limit int) (ids []int64) {
		p.read(func(ctx context.Context, tx control.Tx) error {
			ids = nil
			found, err := tx.Actions().Overdue(ctx, silence, limit)
			for _, a := range found {
				ids = append(ids, a.ID)
			}
			return err
		})
		return ids
	}
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	head := p.enqueue(domain.Action{Container: first, State: domain.ActionPrepared, Deadline: future})
	waits := p.enqueue(domain.Action{Container: first, State: domain.ActionQueued, Deadline: past})
	silent := p.enqueue(domain.Action{Container: second, State: domain.ActionBegun})
	p.same("by deadline", overdue(time.Hour, 9), []int64{waits.ID})
	p.same("by silence", overdue(0, 9), []int64{head.ID, waits.ID, silent.ID})
	p.same("bounded", overdue(0, 1), []int64{head.ID})
	waits.Deadline = future // silent, but only because it waits for another
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, waits) })
	p.same("waiting is not silence", overdue(0, 9), []int64{head.ID, silent.ID})
	head.State = domain.ActionDone
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Update(ctx, head) })
	p.same("finished is not overdue", overdue(0, 9), []int64{waits.ID, silent.ID})
}

func actionEvents(p *probe) {
	p.keep(plain(first, "p1", "one"))
	a := p.enqueue(domain.Action{Container: first})
	pull := domain.Event{ActionID: a.ID, Name: "pull"}
	list := func() (found []domain.Event) {
		p.read(func(ctx context.Context, tx control.Tx) (err error) {
			found, err = tx.Actions().Events().List(ctx, a.ID)
			return err
		})
		return found
	}
	p.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Actions().Events().Begin(ctx, pull); err != nil {
			return err
		}
		return tx.Actions().Events().Begin(ctx, pull) // open already
	})
	open := list()
	if len(open) != 1 || open[0].StartedAt.IsZero() || !open[0].FinishedAt.IsZero() {
		p.Fatalf("open: %+v", open)
	}
	pull.Result, pull.Details = "Success", "4 layers"
	p.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Actions().Events().Finish(ctx, pull); err != nil {
			return err
		}
		return tx.Actions().Events().Finish(ctx, domain.Event{ActionID: a.ID, Name: "start", Result: "Error"})
	})
	closed := list()
	if len(closed) != 2 || closed[0].FinishedAt.IsZero() || closed[1].FinishedAt.IsZero() {
		p.Fatalf("closed: %+v", closed)
	}
	p.same("first", []string{closed[0].Name, closed[0].Result, closed[0].Details}, []string{"pull", "Success", "4 layers"})
	p.same("start kept", closed[0].StartedAt, open[0].StartedAt)
	p.same("second", []string{closed[1].Name, closed[1].Result}, []string{"start", "Error"})
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Actions().Events().Begin(ctx, pull) })
	p.same("begun anew", len(list()), 3)
}
