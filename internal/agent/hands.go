package agent

import (
	"context"
	"slices"
	"sync"

	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
)

// Hands carry out one step of a plan. Every step may be repeated, and a failed one
// leaves at most what the step that takes it away removes. Faults are those of Engine and Nets. Do
// is called concurrently for several containers, and for one container with the
// steps that its plan lets run beside each other.
type Hands interface {
	Do(ctx context.Context, step plan.Step, job *Job) error
}

// Job is the working set of one plan: what its steps find and leave for each other.
type Job struct {
	Assignment domain.Assignment
	// Progress is told of bytes that a pull received.
	Progress func(done, total int64)

	mu      sync.Mutex
	sandbox Object
	member  Object
	plugged []string
	left    bool               // the member's state is no longer what the job knows
	imageID string             // what the member is to be made of
	image   *domain.LocalImage // what a commit made
}

// NewJob starts a job from what stands on the host.
func NewJob(want domain.Assignment, have plan.Have, progress func(done, total int64)) *Job {
	j := &Job{Assignment: want, Progress: progress, plugged: slices.Clone(have.Plugged)}
	j.sandbox, _ = have.Sandbox()
	j.member, _ = have.Member(want.Generation)
	return j
}

// Sandbox returns the sandbox, zero if there is none yet. One that was only staged
// does not live.
func (j *Job) Sandbox() Object {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sandbox
}

// SetSandbox notes the sandbox as it is now. Nothing is plugged in a new one.
func (j *Job) SetSandbox(o Object) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sandbox.EngineID != o.EngineID || j.sandbox.PID != o.PID {
		j.plugged = nil
	}
	j.sandbox = o
}

// Member returns the member of the assignment's generation, zero if there is none yet.
func (j *Job) Member() Object {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.member
}

// SetMember notes the member as it is now.
func (j *Job) SetMember(o Object) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.member = o
}

// Disturb notes that the member changed in a way that only the engine can tell,
// so that it is asked before the end is reported.
func (j *Job) Disturb() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.left = true
}

// Disturbed says whether the engine must be asked.
func (j *Job) Disturbed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.left
}

// Plugged returns the ports plugged in the living sandbox.
func (j *Job) Plugged() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.plugged)
}

// SetPlugged notes that port is plugged in the living sandbox, or is no more.
func (j *Job) SetPlugged(port string, plugged bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := slices.Index(j.plugged, port)
	switch {
	case plugged && at < 0:
		j.plugged = append(j.plugged, port)
	case !plugged && at >= 0:
		j.plugged = slices.Delete(j.plugged, at, at+1)
	}
}

// ImageID returns the image that was made usable, empty if it has a name only.
func (j *Job) ImageID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.imageID
}

// SetImageID notes which image was made usable.
func (j *Job) SetImageID(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.imageID = id
}

// Image returns what a commit made, nil if nothing was committed.
func (j *Job) Image() *domain.LocalImage {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.image
}

// SetImage notes what a commit made.
func (j *Job) SetImage(i domain.LocalImage) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.image = &i
}
