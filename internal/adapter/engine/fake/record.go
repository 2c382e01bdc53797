package fake

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/domain"
)

const (
	roleSandbox = "sandbox"
	roleMember  = "member"
)

// record is what a file holds: one object as it was left.
type record struct {
	EngineID   string             `json:"engine_id"`
	Container  domain.ContainerID `json:"container"`
	Role       string             `json:"role"`
	Generation int64              `json:"generation"`
	Hostname   string             `json:"hostname"`
	Command    []string           `json:"command"`
	Entrypoint []string           `json:"entrypoint"`
	Ports      []int              `json:"ports"`
	Spec       domain.Spec        `json:"spec"`
	CPUSet     domain.CPUSet      `json:"cpu_set,omitzero"`
	Files      map[string]string  `json:"files,omitempty"` // inside path → host path of what is bound over it
	CreatedAt  time.Time          `json:"created_at"`
	PausedAt   time.Time          `json:"paused_at,omitzero"`
	Runs       []run              `json:"runs,omitempty"`
}

// run is one life of the process. What it prints and when it ends follows from its
// program and its start; only what came from outside (input, signals) is stored.
type run struct {
	PID       int              `json:"pid"`
	StartedAt time.Time        `json:"started_at"`
	EndsAt    time.Time        `json:"ends_at,omitzero"` // zero: when told to
	ExitCode  int              `json:"exit_code"`
	Idle      time.Duration    `json:"idle,omitempty"` // time spent paused
	Extra     []program.Output `json:"extra,omitempty"`
}

func (r *run) over(now time.Time) bool { return !r.EndsAt.IsZero() && !now.Before(r.EndsAt) }

func (r *record) last() *run {
	if len(r.Runs) == 0 {
		return nil
	}
	return &r.Runs[len(r.Runs)-1]
}

// mark is equal for equal records, so that a change that changed nothing is not written.
func (r *record) mark() string {
	data, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return string(data)
}

func (r *record) status(now time.Time) domain.Status {
	last := r.last()
	switch {
	case last == nil:
		return domain.Created
	case !r.PausedAt.IsZero():
		return domain.Paused
	case last.over(now):
		return domain.Stopped
	default:
		return domain.Running
	}
}

func (r *record) alive(now time.Time) bool {
	s := r.status(now)
	return s == domain.Running || s == domain.Paused
}

// end makes the present run be over at now with code.
func (r *record) end(now time.Time, code int) {
	if !r.alive(now) {
		return
	}
	last := r.last()
	last.EndsAt, last.ExitCode, r.PausedAt = now, code, time.Time{}
}

// argv is the command line that the process runs.
func (r *record) argv() []string {
	return append(append([]string{}, r.Entrypoint...), r.Command...)
}

// newID makes an identifier in the form of a real engine's: 64 hexadecimal digits.
func newID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// newPID makes a number above every real process id, so that no test can hit a
// real process by signalling a simulated one.
func newPID() int {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return 1<<22 + 1 + int(binary.BigEndian.Uint32(b[:])>>4)
}
