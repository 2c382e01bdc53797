// Package program is the small vocabulary of commands that simulated processes run.
package program

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Output is something printed at a moment.
type Output struct {
	At     time.Time        `json:"at"`
	Stream domain.LogStream `json:"stream"`
	Data   []byte           `json:"data"`
}

// Machine carries out one command line of the simulated vocabulary. It meets the
// world only through its functions, so the same code foretells a process's future
// (Wait adds up) and plays it live (Wait waits).
type Machine struct {
	Env      []string // NAME=value
	Dir      string   // where it starts
	Hostname string
	TTY      bool
	Size     func() (w, h int) // of the terminal, in characters
	// Wait lets d pass (negative: for ever); false: the process was ended meanwhile.
	Wait func(d time.Duration) bool
	// Print emits output; false: the process was ended.
	Print func(s domain.LogStream, data []byte) bool
	// Input returns the next bytes of stdin; false: its end, or the process was ended.
	Input func() ([]byte, bool)
	// Read and Write are the files.
	Read  func(path string) ([]byte, error)
	Write func(path string, data []byte) error

	Traps   map[string]string // signal to what the shell does on it
	thought bool              // the future is foreseen, nothing happens
	waited  bool              // time passed since this was last set to false
	Ended   bool              // an exit or the end of the world: nothing more is run
	Code    int               // the exit code once Ended
}

const commandMissing = 127

// vocabulary lists the commands that machines know.
func vocabulary() map[string]func(m *Machine, args []string) int {
	return map[string]func(m *Machine, args []string) int{
		"true": func(*Machine, []string) int { return 0 }, ":": func(*Machine, []string) int { return 0 },
		"false": func(*Machine, []string) int { return 1 },
		"echo":  echo, "sleep": sleep, "ping": ping, "seq": seq, "cat": cat, "sh": shell, "ash": shell, "env": environ,
		"exit": exit, "trap": trap, "stty": stty, "nginx": forever, "httpd": forever, "top": forever, "tail": forever,
		"hostname": func(m *Machine, _ []string) int { return m.say(m.Hostname) },
		"pwd":      func(m *Machine, _ []string) int { return m.say(m.Dir) },
		"test":     test, "[": test,
	}
}

// Known says whether command can be started as a process.
func Known(command string) bool {
	_, ok := vocabulary()[command[strings.LastIndex(command, "/")+1:]]
	return ok && command != "exit" && command != "trap"
}

// Run carries out argv and returns its exit code.
func (m *Machine) Run(argv []string) int {
	if m.Ended || len(argv) == 0 {
		return m.Code
	}
	name := argv[0][strings.LastIndex(argv[0], "/")+1:]
	command, ok := vocabulary()[name]
	if !ok {
		m.Print(domain.Stderr, fmt.Appendf(nil, "sh: %s: not found\n", argv[0]))
		return commandMissing
	}
	return command(m, argv[1:])
}

func (m *Machine) say(line string) int {
	if !m.Print(domain.Stdout, []byte(line+"\n")) {
		m.Ended = true
	}
	return 0
}

func (m *Machine) complain(format string, args ...any) int {
	m.Print(domain.Stderr, fmt.Appendf(nil, format+"\n", args...))
	return 1
}

func (m *Machine) rest(d time.Duration) {
	m.waited = true
	if !m.Ended && !m.Wait(d) {
		m.Ended = true
	}
}

func echo(m *Machine, args []string) int {
	newline := "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, newline = args[1:], ""
	}
	m.Print(domain.Stdout, []byte(strings.Join(args, " ")+newline))
	return 0
}

func sleep(m *Machine, args []string) int {
	if len(args) == 0 {
		return m.complain("sleep: missing operand")
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	switch {
	case args[0] == "infinity":
		m.rest(-1)
	case err != nil || seconds < 0:
		return m.complain("sleep: invalid number '%s'", args[0])
	default:
		m.rest(time.Duration(seconds * float64(time.Second)))
	}
	return 0
}

func ping(m *Machine, args []string) int {
	count, host := -1, ""
	for i := 0; i < len(args); i++ {
		if args[i] == "-c" && i+1 < len(args) {
			count, _ = strconv.Atoi(args[i+1]) // junk is 0: no packet
			i++
			continue
		}
		host = args[i]
	}
	m.say(fmt.Sprintf("PING %s (%s): 56 data bytes", host, host))
	for n := 0; n != count && !m.Ended; n++ {
		if n > 0 {
			m.rest(time.Second)
		}
		m.say(fmt.Sprintf("64 bytes from %s: seq=%d ttl=64 time=0.050 ms", host, n))
	}
	m.say(fmt.Sprintf("\n--- %s ping statistics ---\n%d packets transmitted, %d packets received, 0%% packet loss", host, count, count))
	return 0
}

func seq(m *Machine, args []string) int {
	if len(args) == 0 {
		return m.complain("seq: missing operand")
	}
	last, err := strconv.Atoi(args[len(args)-1])
	if err != nil {
		return m.complain("seq: invalid number '%s'", args[len(args)-1])
	}
	first := 1
	if len(args) > 1 {
		first, _ = strconv.Atoi(args[0]) // junk counts from 0
	}
	for n := first; n <= last && !m.Ended; n++ {
		m.say(strconv.Itoa(n))
	}
	return 0
}

func cat(m *Machine, args []string) int {
	for _, path := range args {
		data, err := m.Read(m.path(path))
		if err != nil {
			return m.complain("cat: can't open '%s': No such file or directory", path)
		}
		m.Print(domain.Stdout, data)
	}
	for len(args) == 0 && !m.Ended {
		data, more := m.Input()
		if !more {
			break
		}
		m.Print(domain.Stdout, data)
	}
	return 0
}

// environ is env: it prints the environment, or runs what follows its assignments.
func environ(m *Machine, args []string) int {
	for len(args) > 0 && strings.Contains(args[0], "=") {
		m.Env, args = append(m.Env, args[0]), args[1:]
	}
	if len(args) > 0 {
		return m.Run(args)
	}
	for _, e := range m.Env {
		m.say(e)
	}
	return 0
}

func exit(m *Machine, args []string) int {
	m.Ended = true
	if len(args) > 0 {
		m.Code, _ = strconv.Atoi(args[0]) // junk is 0
	}
	return m.Code
}

func trap(m *Machine, args []string) int {
	for _, signal := range args[min(1, len(args)):] {
		if name, ok := SignalName(signal); ok {
			m.Traps[name] = args[0]
		}
	}
	return 0
}

func stty(m *Machine, args []string) int {
	if !m.TTY || !slices.Equal(args, []string{"size"}) {
		return m.complain("stty: standard input: Not a tty")
	}
	w, h := m.Size()
	return m.say(fmt.Sprintf("%d %d", h, w))
}

func test(m *Machine, args []string) int {
	if len(args) >= 2 && slices.Contains([]string{"-e", "-f", "-d"}, args[0]) {
		if _, err := m.Read(m.path(args[1])); err == nil {
			return 0
		}
	}
	return 1
}

func forever(m *Machine, _ []string) int {
	m.rest(-1)
	return 0
}

func (m *Machine) path(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return strings.TrimSuffix(m.Dir, "/") + "/" + p
}

// Foresee runs argv in thought and tells when it ends and with which code; a
// negative time means not by itself within a day.
func Foresee(m *Machine, argv []string) (time.Duration, int) {
	const horizon = 24 * time.Hour
	var passed time.Duration
	m.thought = true
	endless := false
	m.Wait = func(d time.Duration) bool {
		if passed += d; d < 0 || passed > horizon {
			endless = true
		}
		return !endless
	}
	m.Print = func(domain.LogStream, []byte) bool { return !endless }
	m.Input = func() ([]byte, bool) { endless = true; m.Ended = true; return nil, false }
	code := m.Run(argv)
	if endless {
		return -1, 0
	}
	return passed, code
}

// Recite returns what argv printed between its start and now, input left aside.
func Recite(m *Machine, argv []string, start, now time.Time) []Output {
	var printed []Output
	at := start
	m.Wait = func(d time.Duration) bool {
		if d < 0 || at.Add(d).After(now) {
			return false
		}
		at = at.Add(d)
		return true
	}
	m.Print = func(s domain.LogStream, data []byte) bool {
		printed = append(printed, Output{At: at, Stream: s, Data: slices.Clone(data)})
		return true
	}
	m.Input = func() ([]byte, bool) { m.Ended = true; return nil, false }
	m.Run(argv)
	return printed
}

// Enter runs argv as an engine does: an unknown command is the engine's own failure.
func (m *Machine) Enter(argv []string) int {
	if !Known(argv[0]) {
		m.Print(domain.Stdout, fmt.Appendf(nil, "exec: %q: executable file not found in $PATH\n", argv[0]))
		return commandMissing
	}
	return m.Run(argv)
}
