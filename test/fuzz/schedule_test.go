//go:build integration

package fuzz

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// The storm's people and what they share.
const (
	projects = 3
	workers  = 9 // a project has several, who do not know of each other
	slots    = 5 // containers of a project that its workers act upon
)

// kind is what a worker does at a turn.
type kind string

// op is one turn of one worker. Everything but the container's uuid is drawn from
// the seed.
type op struct {
	number int
	worker int
	slot   int
	kind   kind
	dice   uint64 // decides the details
	// choosy says that containers may want CPUs for themselves. Storms of an even seed
	// have some: those of odd ones that are kept are older than that wish.
	choosy bool
}

func (o op) project() int { return o.worker % projects }

// weighted is a kind and how often it is drawn.
type weighted struct {
	kind   kind
	weight int
}

func kinds() []weighted {
	return []weighted{
		{"create", 16}, {"start", 10}, {"stop", 8}, {"reboot", 6}, {"pause", 6}, {"unpause", 8}, {"kill", 5},
		{"rename", 2}, {"update", 5}, {"resize", 3}, {"rebuild", 8}, {"attach", 6}, {"detach", 6}, {"group", 3}, {"ungroup", 3},
		{"delete", 4}, {"delete-stop", 6}, {"delete-force", 4},
		{"list", 3}, {"show", 3}, {"execute", 4}, {"logs", 2}, {"put", 2}, {"get", 2}, {"top", 1}, {"stats", 1}, {"records", 1},
		{"quota", 1},
	}
}

// misfortune is something that befalls the service when the request with that number
// is made. It lasts for a while.
type misfortune struct {
	at    int
	what  string
	lasts time.Duration
	dice  uint64
}

func (m misfortune) String() string {
	return fmt.Sprintf("%s for %s at request %d", m.what, m.lasts, m.at)
}

func misfortunes() []weighted {
	return []weighted{
		{"kill-api", 5}, {"kill-compute", 6}, {"freeze-api", 2}, {"freeze-compute", 3}, {"window-api", 4}, {"window-compute", 5},
		{"cue", 12}, {"end-process", 4}, {"kill-sandbox", 3}, {"lose", 4},
		{"lock-database", 2}, {"hang-up-database", 2}, {"disable-host", 2}, {"bury", 2}, {"restart-compute", 2},
	}
}

func draw(r *rand.Rand, from []weighted) kind {
	total := 0
	for _, w := range from {
		total += w.weight
	}
	n := r.IntN(total)
	for _, w := range from {
		if n -= w.weight; n < 0 {
			return w.kind
		}
	}
	return ""
}

// schedule is all that a seed decides.
type schedule struct {
	seed        uint64
	ops         []op
	misfortunes []misfortune
}

// draft draws a schedule of so many requests.
func draft(seed uint64, requests int) schedule {
	r := rand.New(rand.NewPCG(seed, 1))
	s := schedule{seed: seed}
	for n := range requests {
		s.ops = append(s.ops, op{number: n, worker: r.IntN(workers), slot: r.IntN(slots), kind: draw(r, kinds()), dice: r.Uint64(), choosy: seed%2 == 0})
	}
	for at := 20 + r.IntN(40); at < requests; at += 20 + r.IntN(60) {
		lasts := time.Duration(100+r.IntN(1500)) * time.Millisecond
		if r.IntN(8) == 0 {
			lasts *= 5 // long enough to count as down
		}
		s.misfortunes = append(s.misfortunes, misfortune{at: at, what: string(draw(r, misfortunes())), lasts: lasts, dice: r.Uint64()})
	}
	return s
}

// cut leaves out what comes after the first n requests. The rest stays what it was drawn
// as, so that a storm can be shortened to what it is kept for.
func (s schedule) cut(n int) schedule {
	if n <= 0 || n >= len(s.ops) {
		return s
	}
	s.ops = s.ops[:n]
	s.misfortunes = slices.DeleteFunc(s.misfortunes, func(m misfortune) bool { return m.at > n })
	return s
}

// pick chooses one of what is there by dice.
func pick[T any](dice uint64, from ...T) T { return from[dice%uint64(len(from))] }
