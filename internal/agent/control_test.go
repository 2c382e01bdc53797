package agent_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// scriptedControl is control as an agent sees it: it holds assignments, takes
// reports, closes actions, and can be gone for a while.
type scriptedControl struct {
	mu       sync.Mutex
	down     bool
	mute     bool // beats are not answered
	silent   bool // the answers to reports of a release are lost
	revision int64
	wants    map[domain.ContainerID]domain.Assignment
	reports  []domain.Report
	beats    []domain.Beat
	reads    int
	tries    int // readings and those that failed
}

func newScriptedControl() *scriptedControl {
	return &scriptedControl{wants: map[domain.ContainerID]domain.Assignment{}}
}

var errControlDown = domain.NewFault(domain.Unavailable, "control-down", "control does not answer")

// assign makes want visible at a new revision and returns it.
func (c *scriptedControl) assign(want domain.Assignment) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision++
	want.Revision = c.revision
	c.wants[want.Container] = want
	return c.revision
}

// keep holds want under a revision that this host did not count.
func (c *scriptedControl) keep(want domain.Assignment, revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	want.Revision = revision
	c.wants[want.Container] = want
}

func (c *scriptedControl) readings() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

func (c *scriptedControl) attempts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries
}

// saved is what a copy of control's database holds.
type saved struct {
	revision int64
	wants    map[domain.ContainerID]domain.Assignment
}

func (c *scriptedControl) save() saved {
	c.mu.Lock()
	defer c.mu.Unlock()
	return saved{c.revision, maps.Clone(c.wants)}
}

// restore has control go on from a copy. If mute, no beat is answered.
func (c *scriptedControl) restore(s saved, mute bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision, c.wants, c.down, c.mute = s.revision, maps.Clone(s.wants), false, mute
}

// vanish forgets a container, as when its row was deleted.
func (c *scriptedControl) vanish(id domain.ContainerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.wants, id)
}

func (c *scriptedControl) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *scriptedControl) Beat(_ context.Context, b domain.Beat) (domain.BeatAnswer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down || c.mute {
		return domain.BeatAnswer{}, errControlDown
	}
	c.beats = append(c.beats, b)
	return domain.BeatAnswer{NextIn: 5 * time.Second, Revision: c.revision}, nil
}

func (c *scriptedControl) Assignments(_ context.Context, after int64) ([]domain.Assignment, int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	if c.down {
		return nil, 0, errControlDown
	}
	c.reads++
	var changed []domain.Assignment
	for _, want := range c.wants {
		if want.Revision > after {
			changed = append(changed, want)
		}
	}
	return changed, c.revision, nil
}

func (c *scriptedControl) Report(_ context.Context, r domain.Report) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return false, errControlDown
	}
	want, known := c.wants[r.Container]
	stale := !known || want.Generation != r.Generation
	if r.Phase != domain.PhaseObserved && r.Phase != domain.PhaseMissing {
		stale = stale || want.Op == nil || want.Op.ActionID != r.ActionID || want.Op.Epoch != r.Epoch
	}
	if stale {
		return true, nil
	}
	c.reports = append(c.reports, r)
	c.apply(want, r)
	if c.silent && r.Phase == domain.PhaseReleased {
		return false, errControlDown
	}
	return false, nil
}

// apply keeps the row as the real control would. Closing an action shows the host
// nothing new.
func (c *scriptedControl) apply(want domain.Assignment, r domain.Report) {
	switch r.Phase {
	case domain.PhaseBegun:
		op := *want.Op
		op.Begun = true
		want.Op = &op
	case domain.PhaseReleased:
		delete(c.wants, r.Container)
		return
	case domain.PhaseDone:
		want.Op, want.EverCreated = nil, true
	case domain.PhaseFailed, domain.PhaseRefused, domain.PhaseMissing:
		want.Op = nil
	}
	c.wants[r.Container] = want
}

// told returns the phases reported of id, in order, progress left out.
func (c *scriptedControl) told(id domain.ContainerID) []domain.ReportPhase {
	c.mu.Lock()
	defer c.mu.Unlock()
	var phases []domain.ReportPhase
	for _, r := range c.reports {
		if r.Container == id && r.Phase != domain.PhaseProgress {
			phases = append(phases, r.Phase)
		}
	}
	return phases
}

// last returns the newest report of id in phase.
func (c *scriptedControl) last(id domain.ContainerID, phase domain.ReportPhase) (domain.Report, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range slices.Backward(c.reports) {
		if r.Container == id && r.Phase == phase {
			return r, true
		}
	}
	return domain.Report{}, false
}

func (c *scriptedControl) count(id domain.ContainerID, phase domain.ReportPhase) int {
	n := 0
	for _, p := range c.told(id) {
		if p == phase {
			n++
		}
	}
	return n
}

func (c *scriptedControl) current(id domain.ContainerID) domain.Assignment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wants[id]
}

func (c *scriptedControl) lastBeat() domain.Beat {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.beats) == 0 {
		return domain.Beat{}
	}
	return c.beats[len(c.beats)-1]
}
