package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// outbox delivers reports to control: in order per container, never lost while the
// agent lives, and without making a step or another container wait.
type outbox struct {
	control Control
	log     *slog.Logger
	timeout time.Duration
	// delivered is told of every report that control took, with its verdict.
	delivered func(r domain.Report, stale bool)
	queue     *queue

	mu    sync.Mutex
	boxes map[domain.ContainerID]*box
}

type box struct {
	mail []letter
	sent bool // the first letter is on its way and must stay what it is
	wait backoff
}

type letter struct {
	report domain.Report
	answer chan bool // told whether the report was in time; nil: nobody waits
}

// post queues r. Reports that say less than what follows them are left out.
func (o *outbox) post(r domain.Report) { o.put(letter{report: r}) }

// ask queues r and waits for control's verdict: true if control still waited for
// it. False also when ctx or ending comes first.
func (o *outbox) ask(ctx context.Context, ending <-chan struct{}, r domain.Report) bool {
	answer := make(chan bool, 1)
	o.put(letter{report: r, answer: answer})
	select {
	case inTime := <-answer:
		return inTime
	case <-ctx.Done():
	case <-ending:
	}
	return false
}

func (o *outbox) put(l letter) {
	id := l.report.Container
	o.mu.Lock()
	b := o.boxes[id]
	if b == nil {
		b = &box{wait: backoff{first: 250 * time.Millisecond, longest: 15 * time.Second}}
		o.boxes[id] = b
	}
	if last := len(b.mail) - 1; last >= 0 && !(last == 0 && b.sent) && outdoes(l.report, b.mail[last].report) {
		b.mail = b.mail[:last]
	}
	b.mail = append(b.mail, l)
	o.mu.Unlock()
	o.queue.add(id)
}

// outdoes says that old need not be sent any more once r is.
func outdoes(r, old domain.Report) bool {
	switch old.Phase {
	case domain.PhaseProgress:
		return r.ActionID == old.ActionID && r.Phase != domain.PhaseObserved
	case domain.PhaseObserved:
		return r.Seen != nil
	default:
		return false
	}
}

// rush tries everything that waits, because control answers again.
func (o *outbox) rush() {
	o.mu.Lock()
	ids := make([]domain.ContainerID, 0, len(o.boxes))
	for id := range o.boxes {
		ids = append(ids, id)
	}
	o.mu.Unlock()
	for _, id := range ids {
		o.queue.add(id)
	}
}

// send delivers one container's letters; what control does not take now is tried
// again later.
func (o *outbox) send(ctx context.Context, id domain.ContainerID) {
	for ctx.Err() == nil {
		l, ok := o.head(id)
		if !ok {
			return
		}
		stale, err := o.deliver(ctx, l.report)
		if err != nil && worthAnotherTry(err) {
			o.queue.later(ctx, id, o.retry(id))
			return
		}
		if err != nil {
			o.log.Warn("control refused a report", "container", id, "phase", l.report.Phase, "error", err)
		}
		o.settle(id, l, stale || err != nil)
	}
}

// flush tries each container once more before the agent ends.
func (o *outbox) flush(ctx context.Context) {
	o.mu.Lock()
	ids := make([]domain.ContainerID, 0, len(o.boxes))
	for id := range o.boxes {
		ids = append(ids, id)
	}
	o.mu.Unlock()
	for _, id := range ids {
		for l, ok := o.head(id); ok; l, ok = o.head(id) {
			stale, err := o.deliver(ctx, l.report)
			if err != nil {
				return // the next run plans again and says it then
			}
			o.settle(id, l, stale)
		}
	}
}

func (o *outbox) head(id domain.ContainerID) (letter, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.boxes[id]
	if b == nil {
		return letter{}, false
	}
	if len(b.mail) == 0 {
		delete(o.boxes, id)
		return letter{}, false
	}
	b.sent = true
	return b.mail[0], true
}

func (o *outbox) retry(id domain.ContainerID) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.boxes[id]
	b.sent = false
	return b.wait.next()
}

func (o *outbox) settle(id domain.ContainerID, l letter, stale bool) {
	o.mu.Lock()
	b := o.boxes[id]
	b.mail, b.sent = b.mail[1:], false
	b.wait.reset()
	o.mu.Unlock()
	if l.answer != nil {
		l.answer <- !stale
	}
	o.delivered(l.report, stale)
}

func (o *outbox) deliver(ctx context.Context, r domain.Report) (stale bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	call := func() error {
		stale, err = o.control.Report(ctx, r)
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

// worthAnotherTry says that a call to control failed for a reason that may pass.
func worthAnotherTry(err error) bool {
	switch domain.KindOf(err) {
	case domain.NotFound, domain.Invalid, domain.Forbidden, domain.Unsupported:
		return false
	default:
		return true
	}
}
