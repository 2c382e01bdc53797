package control

import (
	"time"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// NameScope says within what a container's name must be unique.
type NameScope string

// The scopes; the empty scope allows any name any number of times.
const (
	NamesFree    NameScope = ""
	NamesProject NameScope = "project"
	NamesGlobal  NameScope = "global"
)

// Options are the settings of the use cases, as the operator's configuration names them.
type Options struct {
	DefaultCPU         float64
	DefaultMemoryMB    int64
	DefaultDiskGB      int64 // only on hosts with disk quota support
	DefaultImageDriver string
	DefaultZone        string // shown for hosts that name none
	ScheduleZone       string // asked when the user names none; empty: any
	NameScope          NameScope
	DefaultRegistry    domain.PullSecret // put before image names without a domain
	ConsoleURL         string            // base_url of the websocket proxy

	Feed bool // tell what happens, for those who follow it

	Quota    domain.Quota
	QuotaOff bool // the no-op driver: everything is unlimited

	Ratios        place.Ratios
	Placing       place.Options
	MaxPlacements int // placements tried of one create, the first included

	ServiceDownTime time.Duration // silence after which a host counts as down
	BeatInterval    time.Duration // told to the agents
	ExecuteTimeout  time.Duration // of a command that a request waits for
	ResponseTimeout time.Duration // of a call to a host, and of waiting for an action
	StreamTimeout   time.Duration // of an archive or a log that is not followed
	TicketTTL       time.Duration
	SeatTTL         time.Duration // of an open console that its door does not keep

	ConsolesPerContainer, ConsolesPerProject int // open at once, over all doors; 0: unlimited

	ActionSilence time.Duration // an action without progress for so long has failed
	ActionTotal   time.Duration // an action has failed after so long in any case
}

// DefaultOptions returns the documented defaults.
func DefaultOptions() Options {
	return Options{
		DefaultCPU: 1, DefaultMemoryMB: 512, DefaultDiskGB: 10,
		DefaultImageDriver: "docker", DefaultZone: "nova",
		ConsoleURL:      "ws://127.0.0.1:6784/",
		Quota:           domain.Quota{Containers: 40, CPU: 20, MemoryMB: 51200, DiskGB: 100},
		Ratios:          place.Ratios{CPU: 16, RAM: 1.5, Disk: 1, ReservedMemoryMB: 512},
		MaxPlacements:   4,
		ServiceDownTime: 180 * time.Second, BeatInterval: 60 * time.Second,
		ExecuteTimeout: 5 * time.Second, ResponseTimeout: 60 * time.Second,
		StreamTimeout: time.Hour, TicketTTL: time.Minute, SeatTTL: 90 * time.Second,
		ConsolesPerContainer: 128, ConsolesPerProject: 512,
		ActionSilence: 5 * time.Minute, ActionTotal: time.Hour,
	}
}
