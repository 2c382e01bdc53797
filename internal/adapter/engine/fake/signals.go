package fake

import (
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// signalName returns the name of a signal without SIG.
func signalName(s string) (string, bool) {
	if s == "" {
		return "KILL", true
	}
	if n, err := strconv.Atoi(s); err == nil {
		name := unix.SignalName(syscall.Signal(n))
		return strings.TrimPrefix(name, "SIG"), name != ""
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	return name, unix.SignalNum("SIG"+name) != 0
}

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
	last.Extra = append(last.Extra, recite(m, []string{"sh", "-c", action}, now, now)...)
	if m.ended {
		r.end(now, m.code)
	}
}

// trapFor returns what the program so far told the shell to do on a signal.
func (r *record) trapFor(name string, now time.Time) (string, bool) {
	m := r.machine(nil, nil)
	recite(m, r.argv(), r.last().StartedAt.Add(r.last().Idle), now)
	action, ok := m.traps[name]
	return action, ok
}
