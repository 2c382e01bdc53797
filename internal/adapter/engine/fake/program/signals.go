package program

import (
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// SignalName returns the name of a signal, given as name or number, without SIG; no
// name is KILL.
func SignalName(s string) (string, bool) {
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
