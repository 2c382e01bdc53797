package plan

import (
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Object is one thing in the engine.
type Object struct {
	EngineID   string
	Container  domain.ContainerID
	Generation int64
	Sandbox    bool
	PID        int           // 0 when not running
	NetNS      string        // path of the network namespace, empty when not running
	CPUSet     domain.CPUSet // where it may run; empty: anywhere
	State      domain.Observation
	CreatedAt  time.Time
}

// Alive says whether o has a process, be it frozen.
func (o Object) Alive() bool {
	return o.State.Status == domain.Running || o.State.Status == domain.Paused
}

// NeverStarted says whether o has not had a process yet.
func (o Object) NeverStarted() bool { return o.State.Status == domain.Created }

// begunAt is when o began to live, which for some engines is when it was made.
func (o Object) begunAt() time.Time {
	if o.State.StartedAt.After(o.CreatedAt) {
		return o.State.StartedAt
	}
	return o.CreatedAt
}

// Have is what stands on this host of one container.
type Have struct {
	Objects []Object
	// Plugged are the ports known to be plugged in the living sandbox. A port that is
	// missing here may be plugged all the same; plugging again does no harm.
	Plugged []string
	// Rewired says that an interface is plugged, but not as the assignment wants it now.
	Rewired bool
	// Resized says that the member has other limits than the assignment wants now: those
	// of an update that control gave up.
	Resized bool
	// Resumed says that the action may have been begun by a former run of this agent.
	Resumed bool
	// RestartDue says that the restart policy wants the ended process back now, or the
	// unhealthy one begun anew.
	RestartDue bool
}

// Sandbox returns the living sandbox.
func (h Have) Sandbox() (Object, bool) {
	for _, o := range h.Objects {
		if o.Sandbox && o.Alive() {
			return o, true
		}
	}
	return Object{}, false
}

// Member returns the member of generation.
func (h Have) Member(generation int64) (Object, bool) {
	for _, o := range h.Objects {
		if !o.Sandbox && o.Generation == generation {
			return o, true
		}
	}
	return Object{}, false
}
