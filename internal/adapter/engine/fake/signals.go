package fake

import (
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"

	"golang.org/x/sys/unix"
)

// signal delivers a signal to the present run. A trap set by the program runs. As the
// first process of its namespace it does not get what it has no trap for, but for KILL
// and, so that stops are quick, TERM.
func (r *record) signal(now time.Time, name string) {
	if !r.alive(now) {
		return
	}
	action, trapped := r.trapFor(name, now)
	switch {
	case name == "KILL", name == "TERM" && !trapped:
		r.end(now, 128+int(unix.SignalNum("SIG"+name)))
		return
	case !trapped:
		return
	}
	m := r.machine(nil, nil)
	last := r.last()
	last.Extra = append(last.Extra, program.Recite(m, []string{"sh", "-c", action}, now, now)...)
	if m.Ended {
		r.end(now, m.Code)
	}
}

// trapFor returns what the program so far told the shell to do on a signal.
func (r *record) trapFor(name string, now time.Time) (string, bool) {
	m := r.machine(nil, nil)
	program.Recite(m, r.argv(), r.last().StartedAt.Add(r.last().Idle), now)
	action, ok := m.Traps[name]
	return action, ok
}
