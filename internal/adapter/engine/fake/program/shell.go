package program

import (
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// shell is the sh of the vocabulary: lists of simple commands joined by ; && || and
// newlines, quotes, $NAME, "while true; do ...; done", "> file", ">&2". Without -c it
// runs the lines it is given on stdin.
func shell(m *Machine, args []string) int {
	if len(args) >= 2 && args[0] == "-c" {
		return m.script(args[1])
	}
	code := 0
	var pending string
	for !m.Ended {
		data, more := m.Input()
		pending += string(data)
		for !m.Ended {
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
	if m.Ended {
		return m.Code
	}
	return code
}

// script runs source and returns the code of its last command, or of its exit.
func (m *Machine) script(source string) int {
	code, run := 0, true
	for source = strings.TrimSpace(source); source != "" && !m.Ended; source = strings.TrimSpace(source) {
		if body, rest, loop := cutLoop(source); loop {
			for run && !m.Ended {
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
	if m.Ended {
		return m.Code
	}
	return code
}

// turn runs the body of an endless loop once. A body that takes no time is given a
// second, or its future would have no end; in thought one turn tells all that follow.
func (m *Machine) turn(body string) int {
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
	for i := range len(source) {
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
func (m *Machine) simple(command string) int {
	words := m.words(command)
	if len(words) > 0 && words[0] == "exec" {
		words = words[1:]
	}
	for i, word := range words {
		switch {
		case word == ">&2" || word == "1>&2":
			return m.redirected(append(words[:i:i], words[i+1:]...), func(data []byte) error {
				m.Print(domain.Stderr, data)
				return nil
			})
		case word == ">" && i+1 < len(words):
			target := m.path(words[i+1])
			return m.redirected(words[:i], func(data []byte) error { return m.Write(target, data) })
		}
	}
	return m.Run(words)
}

func (m *Machine) redirected(argv []string, sink func([]byte) error) int {
	former, collected := m.Print, []byte(nil)
	m.Print = func(s domain.LogStream, data []byte) bool {
		if s == domain.Stdout {
			collected = append(collected, data...)
			return true
		}
		return former(s, data)
	}
	code := m.Run(argv)
	m.Print = former
	if err := sink(collected); err != nil {
		return m.complain("sh: can't create file: %v", err)
	}
	return code
}

// words splits a command as a shell would, quotes removed and $NAME replaced.
func (m *Machine) words(command string) []string {
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

func (m *Machine) lookup(name string) string {
	for _, e := range m.Env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
