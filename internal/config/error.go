package config

import (
	"fmt"
	"strings"
)

// Error says which place of which file cannot be used and why.
type Error struct {
	File   string // "" for a default or a value that was set on the command line
	Line   int    // from 1; 0 where File is no text file
	Option string // "section.name", "" when the line itself cannot be read
	Reason string // what was found and what was expected
}

// Error returns "file:line: section.name: reason" without the parts that are empty.
func (e *Error) Error() string {
	var parts []string
	if place := placeOf(e.File, e.Line); place != "" {
		parts = append(parts, place)
	}
	if e.Option != "" {
		parts = append(parts, e.Option)
	}
	return strings.Join(append(parts, e.Reason), ": ")
}

// Warning is something in a file that has no effect and probably should.
type Warning struct {
	File    string
	Line    int
	Message string
}

// String returns "file:line: message".
func (w Warning) String() string {
	if place := placeOf(w.File, w.Line); place != "" {
		return place + ": " + w.Message
	}
	return w.Message
}

func placeOf(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}
