package mail_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zun/zun/internal/agent/mail"
	"github.com/go-zun/zun/internal/domain"
)

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// post is an outbox with a control that answers from a script, inside a bubble of fake time.
type post struct {
	*mail.Outbox
	mu       sync.Mutex
	answers  []error // of the next tries; none: taken
	taken    []domain.ReportPhase
	finished []domain.ReportPhase // told to Delivered
}

func newPost(answers ...error) *post {
	p := &post{answers: answers}
	p.Outbox = mail.New(mail.Deps{
		Send: p.send, Clock: clock{}, Log: slog.New(slog.DiscardHandler), Timeout: time.Second, Senders: 2,
		Delivered: func(r domain.Report, _ bool) { p.finished = append(p.finished, r.Phase) },
	})
	return p
}

func (p *post) send(_ context.Context, r domain.Report) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answers) > 0 {
		err := p.answers[0]
		p.answers = p.answers[1:]
		if err != nil {
			return false, err
		}
	}
	p.taken = append(p.taken, r.Phase)
	return false, nil
}

// during runs script while the outbox sends.
func (p *post) during(t *testing.T, script func()) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { p.Run(ctx) })
	script()
	end()
	sending.Wait()
}

func report(phase domain.ReportPhase) domain.Report {
	return domain.Report{Container: "one", ActionID: 1, Phase: phase}
}

// TestAReleaseIsToldUntilItIsTaken gets answers that end any other report.
func TestAReleaseIsToldUntilItIsTaken(t *testing.T) {
	for _, c := range []struct {
		phase domain.ReportPhase
		taken int
	}{{domain.PhaseReleased, 1}, {domain.PhaseDone, 0}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPost(domain.NewFault(domain.NotFound, "gone", "no such port"), domain.NewFault(domain.Forbidden, "no", "not now"))
			p.during(t, func() {
				p.Post(report(c.phase))
				time.Sleep(time.Minute) // of fake time
				synctest.Wait()
			})
			if len(p.taken) != c.taken || len(p.finished) != 1 {
				t.Errorf("%s: taken %v, finished %v", c.phase, p.taken, p.finished)
			}
		})
	}
}

// TestWhatWillNotBeDoneIsNotAnnounced ends an agent whose announcement control has not
// answered: the last try before the end must not make control wait for the effect.
func TestWhatWillNotBeDoneIsNotAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := domain.NewFault(domain.Unavailable, "away", "control does not answer")
		p := newPost(away, away, away)
		ending := make(chan struct{})
		p.during(t, func() {
			var asking sync.WaitGroup
			asking.Go(func() {
				if p.Ask(t.Context(), ending, report(domain.PhaseBegun)) {
					t.Error("an answer that never came was taken for a yes")
				}
			})
			synctest.Wait()
			p.Post(report(domain.PhaseObserved))
			close(ending)
			asking.Wait()
		})
		p.Flush(t.Context())
		p.Flush(t.Context())
		p.Flush(t.Context())
		if slices.Contains(p.taken, domain.PhaseBegun) || !slices.Contains(p.taken, domain.PhaseObserved) {
			t.Errorf("control was told %v", p.taken)
		}
	})
}
