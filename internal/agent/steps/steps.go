// Package steps carries out the plans of package agent, one step per file. A step
// may be repeated after a crash at any point; the effects that a crash could lose
// or double stand inside a named failpoint. What undoes a step is itself a step, so
// that an undo is as repeatable as the deed (plan.Unmaking puts them in order).
package steps

import (
	"context"
	"path/filepath"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what steps act through. All but Mounts are required.
type Deps struct {
	Engine agent.Engine
	Images Images
	Nets   agent.Nets
	Mounts agent.Mounts // nil: volumes cannot be made on this host
	CPUs   string       // all of this host, as a list
	// StateDir is the agent's own directory; the files bound into containers are
	// below it.
	StateDir string
}

// Steps implements agent.Hands.
type Steps struct {
	deps  Deps
	table map[plan.StepKind]step
}

type step func(ctx context.Context, s plan.Step, job *agent.Job) error

// New returns the hands that act through deps.
func New(deps Deps) *Steps {
	s := &Steps{deps: deps}
	s.table = map[plan.StepKind]step{
		plan.StepImage:    s.image,
		plan.StepStage:    s.stage,
		plan.StepSandbox:  s.sandbox,
		plan.StepFiles:    s.files,
		plan.StepRules:    s.rules,
		plan.StepNet:      s.net,
		plan.StepCreate:   s.create,
		plan.StepStart:    s.start,
		plan.StepStop:     s.stop,
		plan.StepKill:     s.kill,
		plan.StepPause:    s.pause,
		plan.StepUnpause:  s.unpause,
		plan.StepUpdate:   s.update,
		plan.StepConfine:  s.confine,
		plan.StepCommit:   s.commit,
		plan.StepVolumes:  s.volumes,
		plan.StepRaze:     s.raze,
		plan.StepRemove:   s.remove,
		plan.StepUnplug:   s.unplug,
		plan.StepForget:   s.forget,
		plan.StepDissolve: s.dissolve,
	}
	return s
}

// Do carries out one step; an unknown kind is an Unsupported fault.
func (s *Steps) Do(ctx context.Context, step plan.Step, job *agent.Job) error {
	do, known := s.table[step.Kind]
	if !known {
		return domain.NewFault(domain.Unsupported, "unknown-step", "this host's agent does not know the step %s", step.Kind)
	}
	return do(ctx, step, job)
}

// target is the member a step is about.
func target(step plan.Step, job *agent.Job) agent.Object {
	if step.Object.EngineID != "" {
		return step.Object
	}
	return job.Member()
}

// becomes notes the state that an effect on the job's own member led to; the
// engine's events correct what it could not foresee.
func becomes(job *agent.Job, o agent.Object, change func(*domain.Observation)) {
	if o.Generation != job.Assignment.Generation {
		return
	}
	change(&o.State)
	job.SetMember(o)
}

func (s *Steps) dir(id domain.ContainerID) string {
	return filepath.Join(s.deps.StateDir, "containers", filepath.Base(string(id)))
}
