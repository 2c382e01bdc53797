package fake

import (
	"errors"
	"os"
	"path"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// shell is the sh of the vocabulary: lists of simple commands joined by ; && || and
// newlines, quotes, $NAME, "while true; do ...; done", "> file", ">&2". Without -c it
// runs the lines it is given on stdin.
func shell(m *machine, args []string) int {
	if len(args) >= 2 && args[0] == "-c" {
		return m.script(args[1])
	}
	code := 0
	var pending string
	for !m.ended {
		data, more := m.input()
		pending += string(data)
		for !m.ended {
			line, rest, found := strings.Cut(pending, "\n")
			if !found {
				break
			}
			pending = rest
			code = m.script(strings.TrimRight(line, "\r"))
		}
		if !more {
			break
		}
	}
	if m.ended {
		return m.code
	}
	return code
}

// script runs source and returns the code of its last command, or of its exit.
func (m *machine) script(source string) int {
	code, run := 0, true
	for source = strings.TrimSpace(source); source != "" && !m.ended; source = strings.TrimSpace(source) {
		if body, rest, loop := cutLoop(source); loop {
			for run && !m.ended {
				code = m.turn(body)
			}
			source = rest
			continue
		}
		command, operator, rest := cutCommand(source)
		if run {
			code = m.simple(command)
		}
		run = operator == ";" || operator == "&&" && code == 0 || operator == "||" && code != 0
		source = rest
	}
	if m.ended {
		return m.code
	}
	return code
}

// turn runs the body of an endless loop once. A body that takes no time is given a
// second, or its future would have no end; in thought one turn tells all that follow.
func (m *machine) turn(body string) int {
	m.waited = false
	code := m.script(body)
	switch {
	case m.thought:
		m.rest(-1)
	case !m.waited:
		m.rest(time.Second)
	}
	return code
}

// cutLoop splits an endless loop off the front of source.
func cutLoop(source string) (body, rest string, ok bool) {
	for _, head := range []string{"while true; do", "while :; do"} {
		after, found := strings.CutPrefix(source, head)
		if !found {
			continue
		}
		end := strings.LastIndex(after, "done")
		if end < 0 {
			return after, "", true
		}
		return strings.TrimRight(after[:end], "; \n"), after[end+len("done"):], true
	}
	return "", source, false
}

// cutCommand splits the first simple command off source, minding quotes.
func cutCommand(source string) (command, operator, rest string) {
	var quote byte
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ';' || c == '\n':
			return source[:i], ";", source[i+1:]
		case strings.HasPrefix(source[i:], "&&") || strings.HasPrefix(source[i:], "||"):
			return source[:i], source[i : i+2], source[i+2:]
		}
	}
	return source, ";", ""
}

// simple runs one command with its redirections.
func (m *machine) simple(command string) int {
	words := m.words(command)
	if len(words) > 0 && words[0] == "exec" {
		words = words[1:]
	}
	for i, word := range words {
		switch {
		case word == ">&2" || word == "1>&2":
			return m.redirected(append(words[:i:i], words[i+1:]...), func(data []byte) error {
				m.print(domain.Stderr, data)
				return nil
			})
		case word == ">" && i+1 < len(words):
			target := m.path(words[i+1])
			return m.redirected(words[:i], func(data []byte) error { return m.write(target, data) })
		}
	}
	return m.run(words)
}

func (m *machine) redirected(argv []string, sink func([]byte) error) int {
	print, collected := m.print, []byte(nil)
	m.print = func(s domain.LogStream, data []byte) bool {
		if s == domain.Stdout {
			collected = append(collected, data...)
			return true
		}
		return print(s, data)
	}
	code := m.run(argv)
	m.print = print
	if err := sink(collected); err != nil {
		return m.complain("sh: can't create file: %v", err)
	}
	return code
}

// words splits a command as a shell would, quotes removed and $NAME replaced.
func (m *machine) words(command string) []string {
	var words []string
	var word strings.Builder
	var quote byte
	begun := false
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				words, begun = append(words, word.String()), false
				word.Reset()
			}
		case c == '$' && quote != '\'':
			name := variable(command[i+1:])
			word.WriteString(m.lookup(name))
			i, begun = i+len(name), true
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

func variable(s string) string {
	end := 0
	for end < len(s) && (s[end] == '_' || s[end] >= '0' && s[end] <= '9' || s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z') {
		end++
	}
	return s[:end]
}

func (m *machine) lookup(name string) string {
	for _, e := range m.env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// machine makes the machine of a member's process or of a command run beside it. A
// nil root stands for a process in thought: it reads and writes no file.
func (r *record) machine(root *os.Root, live *machine) *machine {
	m := &machine{traps: map[string]string{}}
	if live != nil {
		m = live
	}
	m.traps, m.env, m.dir, m.hostname = map[string]string{}, environment(r), r.Spec.Workdir, r.Hostname
	if m.dir == "" {
		m.dir = "/"
	}
	if m.size == nil {
		m.size = func() (int, int) { return 0, 0 }
	}
	m.read = func(p string) ([]byte, error) {
		if host, bound := r.Files[p]; bound {
			return os.ReadFile(host)
		}
		if root == nil {
			return nil, nil
		}
		return root.ReadFile(inside(p))
	}
	m.write = func(p string, data []byte) error {
		switch _, bound := r.Files[p]; {
		case bound:
			return errors.New("read-only file system")
		case root == nil:
			return nil
		}
		return root.WriteFile(inside(p), data, 0o644)
	}
	return m
}

// inside turns a path of the container into one below its root.
func inside(p string) string {
	if clean := strings.TrimPrefix(path.Clean("/"+p), "/"); clean != "" {
		return clean
	}
	return "."
}

func environment(r *record) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + r.Hostname}
	for name, value := range r.Spec.Environment {
		env = append(env, name+"="+value)
	}
	return env
}
