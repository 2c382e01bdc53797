package app

import (
	"context"
	"os"
	"runtime/debug"
	figures "runtime/metrics"
	"time"
)

// Between bursts a process gives back what they left behind: the runtime alone would
// keep it for minutes, and a host of containers has better use for it.
const (
	lookForRest = 3 * time.Second
	busyBytes   = 8 << 20 // made within one look: not at rest
	worthBytes  = 4 << 20 // less is not worth a collection
)

// memory is what a look sees, in bytes.
type memory struct {
	made  uint64 // since the process began
	spare uint64 // of the heap, beyond what was live at its last collection
}

func lookAtMemory() memory {
	samples := []figures.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"},
	}
	figures.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	held := value(2) + value(3) + value(4)
	return memory{made: value(0), spare: held - min(held, value(1))}
}

// sleeper knows whether the process has just come to rest.
type sleeper struct {
	before memory
	asleep bool // the memory was given back, and nothing happened since
}

// settles says whether memory is worth giving back now.
func (s *sleeper) settles(now memory) bool {
	busy := now.made-s.before.made > busyBytes
	s.before = now
	if busy || s.asleep {
		s.asleep = !busy
		return false
	}
	s.asleep = now.spare > worthBytes
	return s.asleep
}

// burstPercent is how much a burst may leave beside what is live before it is collected.
// The live part is small, and at the runtime's own 100 a quarter of a GET was collecting.
// What is left is given back at rest.
const burstPercent = 300

// giveMemoryBack looks after the memory until ctx ends.
func giveMemoryBack(ctx context.Context) error {
	if os.Getenv("GOGC") == "" { // the operator knows better
		defer debug.SetGCPercent(debug.SetGCPercent(burstPercent))
	}
	tick := time.NewTicker(lookForRest)
	defer tick.Stop()
	s := sleeper{before: lookAtMemory()}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if s.settles(lookAtMemory()) {
				debug.FreeOSMemory()
			}
		}
	}
}
