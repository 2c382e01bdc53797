package fake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// machine carries out one command line of the simulated vocabulary. It meets the
// world only through its functions, so the same code foretells a process's future
// (wait adds up) and plays it live (wait waits).
type machine struct {
	env      []string
	dir      string
	hostname string
	tty      bool
	size     func() (w, h int)
	// wait lets d pass (negative: for ever); false: the process was ended meanwhile.
	wait func(d time.Duration) bool
	// print emits output; false: the process was ended.
	print func(s domain.LogStream, data []byte) bool
	// input returns the next bytes of stdin; false: its end, or the process was ended.
	input func() ([]byte, bool)
	read  func(path string) ([]byte, error)
	write func(path string, data []byte) error

	traps   map[string]string
	thought bool // the future is foreseen, nothing happens
	waited  bool // time passed since this was last set to false
	ended   bool // an exit or the end of the world: nothing more is run
	code    int
}

const commandMissing = 127

// vocabulary lists the commands that machines know.
func vocabulary() map[string]func(m *machine, args []string) int {
	return map[string]func(m *machine, args []string) int{
		"true": func(*machine, []string) int { return 0 }, ":": func(*machine, []string) int { return 0 },
		"false": func(*machine, []string) int { return 1 },
		"echo":  echo, "sleep": sleep, "ping": ping, "seq": seq, "cat": cat, "sh": shell, "ash": shell, "env": environ,
		"exit": exit, "trap": trap, "stty": stty, "nginx": forever, "httpd": forever, "top": forever, "tail": forever,
		"hostname": func(m *machine, _ []string) int { return m.say(m.hostname) },
		"pwd":      func(m *machine, _ []string) int { return m.say(m.dir) },
		"test":     test, "[": test,
	}
}

func known(command string) bool {
	_, ok := vocabulary()[command[strings.LastIndex(command, "/")+1:]]
	return ok && command != "exit" && command != "trap"
}

// run carries out argv and returns its exit code.
func (m *machine) run(argv []string) int {
	if m.ended || len(argv) == 0 {
		return m.code
	}
	name := argv[0][strings.LastIndex(argv[0], "/")+1:]
	command, ok := vocabulary()[name]
	if !ok {
		m.print(domain.Stderr, fmt.Appendf(nil, "sh: %s: not found\n", argv[0]))
		return commandMissing
	}
	return command(m, argv[1:])
}

func (m *machine) say(line string) int {
	if !m.print(domain.Stdout, []byte(line+"\n")) {
		m.ended = true
	}
	return 0
}

func (m *machine) complain(format string, args ...any) int {
	m.print(domain.Stderr, fmt.Appendf(nil, format+"\n", args...))
	return 1
}

func (m *machine) rest(d time.Duration) {
	m.waited = true
	if !m.ended && !m.wait(d) {
		m.ended = true
	}
}

func echo(m *machine, args []string) int {
	newline := "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, newline = args[1:], ""
	}
	m.print(domain.Stdout, []byte(strings.Join(args, " ")+newline))
	return 0
}

func sleep(m *machine, args []string) int {
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

func ping(m *machine, args []string) int {
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
	for n := 0; n != count && !m.ended; n++ {
		if n > 0 {
			m.rest(time.Second)
		}
		m.say(fmt.Sprintf("64 bytes from %s: seq=%d ttl=64 time=0.050 ms", host, n))
	}
	m.say(fmt.Sprintf("\n--- %s ping statistics ---\n%d packets transmitted, %d packets received, 0%% packet loss", host, count, count))
	return 0
}

func seq(m *machine, args []string) int {
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
	for n := first; n <= last && !m.ended; n++ {
		m.say(strconv.Itoa(n))
	}
	return 0
}

func cat(m *machine, args []string) int {
	for _, path := range args {
		data, err := m.read(m.path(path))
		if err != nil {
			return m.complain("cat: can't open '%s': No such file or directory", path)
		}
		m.print(domain.Stdout, data)
	}
	for len(args) == 0 && !m.ended {
		data, more := m.input()
		if !more {
			break
		}
		m.print(domain.Stdout, data)
	}
	return 0
}

// environ is env: it prints the environment, or runs what follows its assignments.
func environ(m *machine, args []string) int {
	for len(args) > 0 && strings.Contains(args[0], "=") {
		m.env, args = append(m.env, args[0]), args[1:]
	}
	if len(args) > 0 {
		return m.run(args)
	}
	for _, e := range m.env {
		m.say(e)
	}
	return 0
}

func exit(m *machine, args []string) int {
	m.ended = true
	if len(args) > 0 {
		m.code, _ = strconv.Atoi(args[0]) // junk is 0
	}
	return m.code
}

func trap(m *machine, args []string) int {
	for _, signal := range args[min(1, len(args)):] {
		if name, ok := signalName(signal); ok {
			m.traps[name] = args[0]
		}
	}
	return 0
}

func stty(m *machine, args []string) int {
	if !m.tty || !slices.Equal(args, []string{"size"}) {
		return m.complain("stty: standard input: Not a tty")
	}
	w, h := m.size()
	return m.say(fmt.Sprintf("%d %d", h, w))
}

func test(m *machine, args []string) int {
	if len(args) >= 2 && slices.Contains([]string{"-e", "-f", "-d"}, args[0]) {
		if _, err := m.read(m.path(args[1])); err == nil {
			return 0
		}
	}
	return 1
}

func forever(m *machine, _ []string) int {
	m.rest(-1)
	return 0
}

func (m *machine) path(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return strings.TrimSuffix(m.dir, "/") + "/" + p
}

// foresee runs argv in thought and tells when it ends and with which code; a
// negative time means not by itself within a day.
func foresee(m *machine, argv []string) (time.Duration, int) {
	const horizon = 24 * time.Hour
	var passed time.Duration
	m.thought = true
	endless := false
	m.wait = func(d time.Duration) bool {
		if passed += d; d < 0 || passed > horizon {
			endless = true
		}
		return !endless
	}
	m.print = func(domain.LogStream, []byte) bool { return !endless }
	m.input = func() ([]byte, bool) { endless = true; m.ended = true; return nil, false }
	code := m.run(argv)
	if endless {
		return -1, 0
	}
	return passed, code
}

// recite returns what argv printed between its start and now, input left aside.
func recite(m *machine, argv []string, start, now time.Time) []output {
	var printed []output
	at := start
	m.wait = func(d time.Duration) bool {
		if d < 0 || at.Add(d).After(now) {
			return false
		}
		at = at.Add(d)
		return true
	}
	m.print = func(s domain.LogStream, data []byte) bool {
		printed = append(printed, output{At: at, Stream: s, Data: slices.Clone(data)})
		return true
	}
	m.input = func() ([]byte, bool) { m.ended = true; return nil, false }
	m.run(argv)
	return printed
}
