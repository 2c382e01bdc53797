package agent

import (
	"log/slog"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Deps are what an Agent is made of. Engine, Nets, Control and Steps are required;
// without a Clock it is the machine's, without a Log nothing is logged.
type Deps struct {
	Engine  Engine
	Nets    Nets
	Control Control
	Mounts  Mounts // nil: volumes cannot be made on this host
	// Steps carries out the steps of a plan: steps.New in the running service.
	Steps   Hands
	Clock   Clock
	Log     *slog.Logger
	Options Options
}

// Options are the agent's settings; a zero value means the default named here.
type Options struct {
	HostID string // uuid of this host, told in every beat
	// ImageDiskShare of the engine's disk, 0 to 1, is kept for images and not offered.
	ImageDiskShare float64
	BootID         string // changes when the machine boots; told in every beat
	// CPUs lists all of this host, and MemoryNodes has those that may be dedicated; none:
	// nothing is dedicated here.
	CPUs        string
	MemoryNodes []domain.MemoryNode
	// Abilities are the words of Assignment.Requires that this host obeys.
	Abilities []string

	Workers int // containers worked on at once; 64
	Senders int // reports under way at once; 8

	StepTimeout time.Duration // bound of one engine or network call but a pull; 2 minutes
	PullTimeout time.Duration // bound of one pull; 1 hour
	CallTimeout time.Duration // bound of one call to control; 15 seconds
	// Patience is how long an action waits for an engine that does not answer; 1 minute.
	Patience time.Duration
	// Drain bounds the steps under way when the agent is asked to end; 20 seconds.
	Drain time.Duration
	// BeatEvery is the interval until control names one; 5 seconds.
	BeatEvery time.Duration
	// ExecOutput bounds the output of a command run to its end, in bytes; 1 MiB.
	ExecOutput int64
}

func (o Options) withDefaults() Options {
	o.Workers = orElse(o.Workers, 64)
	o.Senders = orElse(o.Senders, 8)
	o.StepTimeout = orElse(o.StepTimeout, 2*time.Minute)
	o.PullTimeout = orElse(o.PullTimeout, time.Hour)
	o.CallTimeout = orElse(o.CallTimeout, 15*time.Second)
	o.Patience = orElse(o.Patience, time.Minute)
	o.Drain = orElse(o.Drain, 20*time.Second)
	o.BeatEvery = orElse(o.BeatEvery, 5*time.Second)
	o.ExecOutput = orElse(o.ExecOutput, 1<<20)
	return o
}

func (d Deps) withDefaults() Deps {
	if d.Clock == nil {
		d.Clock = SystemClock()
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	d.Options = d.Options.withDefaults()
	return d
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
