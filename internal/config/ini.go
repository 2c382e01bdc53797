package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds a line of a file, in bytes; policy and filter values are short,
// so a longer line is a wrong file.
const maxLine = 1 << 20

// entry is one assignment as it stands in a file.
type entry struct {
	section, name, value string
	file                 string
	line                 int
}

// reader collects the entries of one file.
type reader struct {
	file    string
	section string
	entries []entry
	open    bool // the last entry may be continued by an indented line
}

// readINI reads one file in oslo.config's dialect. All faulty lines are reported
// together, so that a deployer corrects a file once.
func readINI(file string, source io.Reader) ([]entry, []error) {
	r := &reader{file: file, section: "DEFAULT"}
	var faults []error
	lines := bufio.NewScanner(source)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	number := 0
	for lines.Scan() {
		number++
		if reason := r.take(number, lines.Text()); reason != "" {
			faults = append(faults, &Error{File: file, Line: number, Reason: reason})
		}
	}
	if err := lines.Err(); err != nil {
		faults = append(faults, fmt.Errorf("read %s: %w", file, err))
	}
	return r.entries, faults
}

// take reads one line and returns why it cannot be understood, or "".
func (r *reader) take(number int, line string) string {
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "":
		r.open = false
		return ""
	case line[0] == ' ' || line[0] == '\t':
		return r.continued(trimmed)
	case trimmed[0] == '#' || trimmed[0] == ';':
		r.open = false
		return ""
	case trimmed[0] == '[':
		return r.header(trimmed)
	default:
		return r.assign(number, trimmed)
	}
}

func (r *reader) continued(text string) string {
	if !r.open {
		return "an indented line continues an option, but none stands before it"
	}
	last := &r.entries[len(r.entries)-1]
	last.value += "\n" + text
	return ""
}

func (r *reader) header(line string) string {
	r.open = false
	name := strings.TrimSuffix(line[1:], "]")
	if len(name) == len(line)-1 || strings.TrimSpace(name) == "" {
		return "a section must be written as [name]"
	}
	r.section = sectionName(name)
	return ""
}

func (r *reader) assign(number int, line string) string {
	r.open = false
	at := strings.IndexAny(line, "=:")
	if at < 0 {
		return "expected \"option = value\""
	}
	name := strings.TrimSpace(line[:at])
	if name == "" {
		return "an option's name is missing before \"" + line[at:at+1] + "\""
	}
	value := unquote(strings.TrimSpace(line[at+1:]))
	r.entries = append(r.entries, entry{section: r.section, name: name, value: value, file: r.file, line: number})
	r.open = true
	return ""
}

// sectionName returns the one spelling of a section: DEFAULT in capitals, all
// others in lower case.
func sectionName(name string) string {
	name = strings.TrimSpace(name)
	if strings.EqualFold(name, "DEFAULT") {
		return "DEFAULT"
	}
	return strings.ToLower(name)
}

// unquote takes one pair of equal quotes off a value.
func unquote(value string) string {
	if n := len(value); n > 1 && value[0] == value[n-1] && (value[0] == '"' || value[0] == '\'') {
		return value[1 : n-1]
	}
	return value
}
