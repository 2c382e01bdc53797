// Package mail delivers a host's reports: in order per container, never lost while
// the process lives, and without making a step or another container wait.
package mail

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/agent/queue"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what an Outbox is made of. All are required.
type Deps struct {
	// Send makes one try to tell control; stale means that control waits for something else.
	Send func(ctx context.Context, r domain.Report) (stale bool, err error)
	// Delivered is told of every report that control took or refused for good.
	Delivered func(r domain.Report, stale bool)
	Clock     queue.Clock
	Log       *slog.Logger
	Timeout   time.Duration // of one try
	Senders   int           // containers reported on at once
}

// Outbox holds the reports that control has not taken yet.
type Outbox struct {
	Deps
	queue *queue.Queue

	mu    sync.Mutex
	boxes map[domain.ContainerID]*box
}

type box struct {
	mail []letter
	sent bool // the first letter is on its way and must stay what it is
	wait queue.Backoff
}

type letter struct {
	report domain.Report
	answer chan bool // told whether the report was in time; nil: nobody waits
	void   bool      // who asked has gone: it must not be told any more
}

// New returns an empty outbox.
func New(deps Deps) *Outbox {
	return &Outbox{Deps: deps, queue: queue.New(deps.Clock, deps.Senders), boxes: map[domain.ContainerID]*box{}}
}

// Run sends until ctx ends, and waits for what is under way.
func (o *Outbox) Run(ctx context.Context) { o.queue.Run(ctx, ctx, o.send) }

// Post queues r. Reports that say less than what follows them are left out.
func (o *Outbox) Post(r domain.Report) { o.put(letter{report: r}) }

// Ask queues r and waits for control's verdict: true if control still waited for
// it. False also when ctx or ending comes first; r is then taken back, because what it
// announces will not be done.
func (o *Outbox) Ask(ctx context.Context, ending <-chan struct{}, r domain.Report) bool {
	answer := make(chan bool, 1)
	o.put(letter{report: r, answer: answer})
	select {
	case inTime := <-answer:
		return inTime
	case <-ctx.Done():
	case <-ending:
	}
	o.takeBack(r.Container, answer)
	return false
}

// takeBack keeps the letter that answer belongs to from being sent (again).
func (o *Outbox) takeBack(id domain.ContainerID, answer chan bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.boxes[id]; b != nil {
		for i := range b.mail {
			b.mail[i].void = b.mail[i].void || b.mail[i].answer == answer
		}
	}
}

func (o *Outbox) put(l letter) {
	id := l.report.Container
	o.mu.Lock()
	b := o.boxes[id]
	if b == nil {
		b = &box{wait: queue.Backoff{First: 250 * time.Millisecond, Longest: 15 * time.Second}}
		o.boxes[id] = b
	}
	if last := len(b.mail) - 1; last >= 0 && (last > 0 || !b.sent) && outdoes(l.report, b.mail[last].report) {
		b.mail = b.mail[:last]
	}
	b.mail = append(b.mail, l)
	o.mu.Unlock()
	o.queue.Add(id)
}

// outdoes says that old need not be sent any more once r is.
func outdoes(r, old domain.Report) bool {
	switch old.Phase {
	case domain.PhaseProgress:
		return r.ActionID == old.ActionID && r.Phase != domain.PhaseObserved
	case domain.PhaseObserved:
		return r.Seen != nil || r.Phase == domain.PhaseReleased
	default:
		return false
	}
}

// Rush tries everything that waits, because control answers again.
func (o *Outbox) Rush() {
	for _, id := range o.waiting() {
		o.queue.Add(id)
	}
}

// send delivers one container's letters; what control does not take now is tried
// again later.
func (o *Outbox) send(ctx context.Context, id domain.ContainerID) {
	for ctx.Err() == nil {
		l, ok := o.head(id)
		if !ok {
			return
		}
		stale, err := o.deliver(ctx, l.report)
		if err != nil && worthAnotherTry(l.report, err) {
			o.queue.Later(ctx, id, o.retry(id))
			return
		}
		if err != nil {
			o.Log.Warn("control refused a report", "container", id, "action", l.report.ActionID, "phase", l.report.Phase, "error", err)
		}
		o.settle(id, l, stale || err != nil)
	}
}

// Flush tries each container once more before the agent ends.
func (o *Outbox) Flush(ctx context.Context) {
	for _, id := range o.waiting() {
		for l, ok := o.head(id); ok; l, ok = o.head(id) {
			stale, err := o.deliver(ctx, l.report)
			if err != nil {
				return // the next run plans again and says it then
			}
			o.settle(id, l, stale)
		}
	}
}

func (o *Outbox) waiting() []domain.ContainerID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.boxes))
}

func (o *Outbox) head(id domain.ContainerID) (letter, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.boxes[id]
	if b == nil {
		return letter{}, false
	}
	for len(b.mail) > 0 && b.mail[0].void {
		b.mail = b.mail[1:]
	}
	if len(b.mail) == 0 {
		delete(o.boxes, id)
		return letter{}, false
	}
	b.sent = true
	return b.mail[0], true
}

func (o *Outbox) retry(id domain.ContainerID) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.boxes[id]
	b.sent = false
	return b.wait.Next()
}

func (o *Outbox) settle(id domain.ContainerID, l letter, stale bool) {
	o.mu.Lock()
	b := o.boxes[id]
	b.mail, b.sent = b.mail[1:], false
	b.wait.Reset()
	o.mu.Unlock()
	if l.answer != nil {
		l.answer <- !stale
	}
	o.Delivered(l.report, stale)
}

func (o *Outbox) deliver(ctx context.Context, r domain.Report) (stale bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	return o.Send(ctx, r)
}

// worthAnotherTry says that a report failed for a reason that may pass. That nothing is
// left of a container is told until control takes it, because nobody else can say it and
// what control keeps for the container's sake is given back by nothing else.
func worthAnotherTry(r domain.Report, err error) bool {
	switch domain.KindOf(err) {
	case domain.NotFound, domain.Forbidden:
		return r.Phase == domain.PhaseReleased
	case domain.Invalid, domain.Unsupported:
		return false
	default:
		return true
	}
}
