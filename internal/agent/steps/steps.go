// Package steps carries out the plans of package agent, one step per file. A step
// may be repeated after a crash at any point; the effects that a crash could lose
// or double stand inside a named failpoint. What undoes a step is itself a step, so
// that an undo is as repeatable as the deed (agent.Unmaking puts them in order).
package steps

import (
	"context"
	"path/filepath"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what steps act through. All but Mounts are required.
type Deps struct {
	Engine agent.Engine
	Images Images
	Nets   agent.Nets
	Mounts agent.Mounts // nil: volumes cannot be made on this host
	// StateDir is the agent's own directory; the files bound into containers are
	// below it.
	StateDir string
}

// Steps implements agent.Hands.
type Steps struct {
	deps  Deps
	table map[agent.StepKind]step
}

type step func(ctx context.Context, s agent.Step, job *agent.Job) error

// New returns the hands that act through deps.
func New(deps Deps) *Steps {
	s := &Steps{deps: deps}
	s.table = map[agent.StepKind]step{
		agent.StepImage:    s.image,
		agent.StepStage:    s.stage,
		agent.StepSandbox:  s.sandbox,
		agent.StepFiles:    s.files,
		agent.StepNet:      s.net,
		agent.StepCreate:   s.create,
		agent.StepStart:    s.start,
		agent.StepStop:     s.stop,
		agent.StepKill:     s.kill,
		agent.StepPause:    s.pause,
		agent.StepUnpause:  s.unpause,
		agent.StepUpdate:   s.update,
		agent.StepCommit:   s.commit,
		agent.StepVolumes:  s.volumes,
		agent.StepRaze:     s.raze,
		agent.StepRemove:   s.remove,
		agent.StepUnplug:   s.unplug,
		agent.StepForget:   s.forget,
		agent.StepDissolve: s.dissolve,
	}
	return s
}

// Do carries out one step; an unknown kind is an Unsupported fault.
func (s *Steps) Do(ctx context.Context, step agent.Step, job *agent.Job) error {
	do, known := s.table[step.Kind]
	if !known {
		return domain.NewFault(domain.Unsupported, "unknown-step", "this host's agent does not know the step %s", step.Kind)
	}
	return do(ctx, step, job)
}

// target is the member a step is about.
func target(step agent.Step, job *agent.Job) agent.Object {
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
