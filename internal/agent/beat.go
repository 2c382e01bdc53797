package agent

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/agent/queue"
	"github.com/go-zun/zun/internal/domain"
)

// revisions remembers how far the assignments were read and how far control is
// said to be.
type revisions struct {
	mu          sync.Mutex
	read, heard int64
}

// hear notes that control is at rev and says whether that is news.
func (r *revisions) hear(rev int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rev <= r.read || rev <= r.heard {
		return false
	}
	r.heard = rev
	return true
}

// reached notes that the assignments were read from after up to rev, unless a full
// reading was asked for meanwhile.
func (r *revisions) reached(after, rev int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == after {
		r.read, r.heard = rev, rev
	}
}

// restart makes the next reading a full one.
func (r *revisions) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read, r.heard = 0, 0
}

func (r *revisions) seen() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read
}

// The waits after control did not answer.
const (
	firstSilence   = 500 * time.Millisecond
	longestSilence = 10 * time.Second
)

// beat tells control that this host lives, at the interval control named, and at once
// when the engine came or went: nothing is placed where there is none.
func (a *Agent) beat(ctx context.Context) {
	silence := queue.Backoff{First: firstSilence, Longest: longestSilence}
	sign := domain.Beat{HostID: a.opt.HostID, BootID: a.opt.BootID}
	every := a.opt.BeatEvery
	for lost := false; ; {
		sign.Sequence++
		sign.RevisionSeen = a.revisions.seen()
		sign.Orphans = a.orphans(ctx)
		sign.Inventory = a.inventory(ctx, sign.Inventory)
		answer, err := a.beatOnce(ctx, sign)
		wait := a.clock.Spread(every)
		switch {
		case err != nil && ctx.Err() == nil:
			lost = true
			wait = a.clock.Spread(min(silence.Next(), every))
			a.log.Warn("control does not answer", "retry", wait, "error", err)
		case err == nil:
			if answer.NextIn > 0 {
				every = answer.NextIn
				wait = a.clock.Spread(every)
			}
			silence.Reset()
			a.heard(sign, answer, lost)
			lost = false
		}
		if !a.pause(ctx, wait, a.turned) {
			return
		}
	}
}

func (a *Agent) beatOnce(ctx context.Context, sign domain.Beat) (domain.BeatAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, a.opt.CallTimeout)
	defer cancel()
	return a.control.Beat(ctx, sign)
}

// heard acts on a beat's answer. After a silence everything seen is told again,
// because control may have called it unknown meanwhile.
func (a *Agent) heard(sign domain.Beat, answer domain.BeatAnswer, wasLost bool) {
	if answer.Revision < sign.RevisionSeen {
		a.fellBack(sign.RevisionSeen, answer.Revision)
	} else if a.revisions.hear(answer.Revision) {
		token(a.newer)
	}
	if !wasLost {
		return
	}
	token(a.newer)
	a.mail.Rush()
	a.ledger.tellAgain()
	for _, id := range a.ledger.assigned() {
		a.queue.Add(id)
	}
}

// fellBack begins anew with a control that goes on from an older copy of its database:
// what changed since the copy has numbers that it gives out once more.
func (a *Agent) fellBack(from, to int64) {
	a.log.Warn("control fell back to an older revision; reading all", "from", from, "to", to)
	a.ledger.unread()
	a.revisions.restart()
	token(a.newer)
}

// inventory asks the engine what the host offers; while it does not answer, the
// last known is told with the reason.
func (a *Agent) inventory(ctx context.Context, last domain.Inventory) domain.Inventory {
	ctx, cancel := context.WithTimeout(ctx, a.opt.CallTimeout)
	defer cancel()
	now, err := a.engine.Info(ctx)
	if err != nil {
		last.EngineUp, last.EngineReason = false, domain.AsFault(err).Message
		return last
	}
	now.DiskGB -= int64(float64(now.DiskGB) * a.opt.ImageDiskShare)
	if a.ledger.cpus != nil {
		now.CPUPinning, now.MemoryNodes = len(a.opt.MemoryNodes) > 0, a.opt.MemoryNodes
	}
	if a.mounts == nil {
		now.VolumeReason = "volumes of a size are switched off on the host"
		return now
	}
	now.VolumeLimit, now.VolumeReason = a.mounts.Limit(ctx)
	return now
}

// orphans lists what is held here for containers that are not this host's: objects and
// volumes. They are told, and never removed without being asked to.
func (a *Agent) orphans(ctx context.Context) []string {
	strangers := a.ledger.orphans()
	if a.mounts == nil || !a.ledger.informed() {
		return strangers
	}
	ctx, cancel := context.WithTimeout(ctx, a.opt.CallTimeout)
	defer cancel()
	held, err := a.mounts.Held(ctx)
	if err != nil {
		a.log.Warn("volumes cannot be listed", "error", err)
		return strangers
	}
	assigned := a.ledger.assigned()
	for _, id := range held {
		if !slices.Contains(assigned, id) && !slices.Contains(strangers, string(id)) {
			strangers = append(strangers, string(id))
		}
	}
	slices.Sort(strangers)
	return strangers
}

// follow reads assignments whenever control may know something newer. It begins
// after the engine's objects were listed, so that adoption asks the engine once
// and not once per container.
func (a *Agent) follow(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-a.looked:
	}
	silence := queue.Backoff{First: firstSilence, Longest: longestSilence}
	for {
		wait := time.Duration(0)
		if err := a.readAssignments(ctx); err != nil {
			wait = a.clock.Spread(silence.Next())
			a.log.Warn("assignments cannot be read", "retry", wait, "error", err)
		} else {
			silence.Reset()
		}
		if !a.awaitNews(ctx, wait) {
			return
		}
	}
}

// awaitNews waits for news, or for at most wait if that is not zero.
func (a *Agent) awaitNews(ctx context.Context, wait time.Duration) bool {
	if wait > 0 {
		return a.pause(ctx, wait, a.newer)
	}
	select {
	case <-ctx.Done():
		return false
	case <-a.newer:
		return true
	}
}

func (a *Agent) readAssignments(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.opt.CallTimeout)
	defer cancel()
	after := a.revisions.seen()
	wants, reached, err := a.control.Assignments(ctx, after)
	if err != nil {
		return err
	}
	if reached < after {
		a.fellBack(after, reached)
		return nil
	}
	ids := make([]domain.ContainerID, 0, len(wants))
	for _, want := range wants {
		a.ledger.assign(want)
		ids = append(ids, want.Container)
	}
	if after == 0 {
		a.ledger.complete(ids)
		token(a.rewired)
	}
	a.revisions.reached(after, reached)
	a.share()
	for _, id := range ids {
		a.queue.Add(id)
	}
	return nil
}

// share has all who share CPUs moved if those that are dedicated changed.
func (a *Agent) share() {
	for _, id := range a.ledger.reshare() {
		a.queue.Add(id)
	}
}
