package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/agent/mail"
	"github.com/go-zun/zun/internal/agent/queue"
	"github.com/go-zun/zun/internal/domain"
)

// Agent carries out the assignments of one host. It is made by New and lives while
// Run does; everything but Run may be used from any goroutine at any time.
type Agent struct {
	engine  Engine
	nets    Nets
	mounts  Mounts
	control Control
	hands   Hands
	clock   Clock
	log     *slog.Logger
	opt     Options

	ledger *ledger
	queue  *queue.Queue
	mail   *mail.Outbox
	signals
}

// signals are how the agent's goroutines nudge each other.
type signals struct {
	ending  chan struct{} // closed when Run is asked to end
	looked  chan struct{} // closed after the first try to list the engine's objects
	newer   chan struct{} // a token: control may know something newer
	rewired chan struct{} // a token: the nics in use changed
	turned  chan struct{} // a token: the engine came or went
	// wires keeps the host-wide rules from being fitted while an interface is plugged.
	wires *sync.RWMutex

	revisions *revisions
}

// New makes an agent from deps. It does nothing before Run.
func New(deps Deps) *Agent {
	deps = deps.withDefaults()
	opt := deps.Options
	a := &Agent{
		engine: deps.Engine, nets: deps.Nets, mounts: deps.Mounts, control: deps.Control, hands: deps.Steps,
		clock: deps.Clock, log: deps.Log, opt: opt,
		ledger: newLedger(dedicable(deps)),
		queue:  queue.New(deps.Clock, opt.Workers),
		signals: signals{
			ending: make(chan struct{}), looked: make(chan struct{}),
			newer: make(chan struct{}, 1), rewired: make(chan struct{}, 1), turned: make(chan struct{}, 1),
			wires: &sync.RWMutex{}, revisions: &revisions{},
		},
	}
	a.mail = mail.New(mail.Deps{
		Send: a.tell, Delivered: a.delivered, Clock: deps.Clock, Log: deps.Log,
		Timeout: opt.CallTimeout, Senders: opt.Senders,
	})
	return a
}

// dedicable returns the CPUs of the host where some of them can be dedicated, else none.
func dedicable(deps Deps) []int {
	cpus, err := domain.ParseCPUs(deps.Options.CPUs)
	if _, able := deps.Engine.(Confiner); !able || err != nil {
		return nil
	}
	return cpus
}

// Run adopts what stands on the host and carries out assignments until ctx ends.
// It then lets each step under way finish, for at most Options.Drain, leaves the
// rest to the next run, and returns nil. It must be called once.
func (a *Agent) Run(ctx context.Context) error {
	if a.engine == nil || a.nets == nil || a.control == nil || a.hands == nil {
		return errors.New("run agent: engine, nets, control and steps are required")
	}
	steps, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	mails, closeMail := context.WithCancel(steps)
	defer closeMail()

	var watchers, senders sync.WaitGroup
	for _, loop := range []func(context.Context){a.watch, a.follow, a.beat, a.fitRules} {
		watchers.Go(func() { loop(ctx) })
	}
	senders.Go(func() { a.mail.Run(mails) })
	worked := make(chan struct{})
	watchers.Go(func() {
		defer close(worked)
		a.queue.Run(ctx, steps, a.work)
	})

	<-ctx.Done()
	close(a.ending)
	tooLong, stop := a.clock.After(a.opt.Drain)
	defer stop()
	select {
	case <-worked:
	case <-tooLong:
		a.log.Warn("steps under way are cut short", "after", a.opt.Drain)
		cut()
	}
	watchers.Wait()
	closeMail()
	senders.Wait()
	a.mail.Flush(steps)
	return nil
}

// Wake hints that control knows revision rev. It returns at once; a hint that was
// known is without effect, and a lost one is made good by the next beat.
func (a *Agent) Wake(rev int64) {
	if a.revisions.hear(rev) {
		token(a.newer)
	}
}

// Engine is what the agent drives.
func (a *Agent) Engine() Engine { return a.engine }

// ExecOutput bounds the output of a command run to its end, in bytes.
func (a *Agent) ExecOutput() int64 { return a.opt.ExecOutput }

// token puts one into ch unless there is one.
func token(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// pause waits for d, for a nudge or for the end of ctx; false at the end.
func (a *Agent) pause(ctx context.Context, d time.Duration, nudge <-chan struct{}) bool {
	fired, stop := a.clock.After(d)
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-fired:
	case <-nudge:
	}
	return true
}

// PauseAwake waits for d; false when ctx or the agent ends first.
func (a *Agent) PauseAwake(ctx context.Context, d time.Duration) bool {
	if !a.pause(ctx, d, a.ending) {
		return false
	}
	select {
	case <-a.ending:
		return false
	default:
		return true
	}
}
