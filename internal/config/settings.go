package config

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// settings is everything the files and the command line give, merged, and the
// table it is judged by.
type settings struct {
	rows  map[string]Option // by Option.Key
	given map[string][]entry
	// detected are the defaults that depend on the host, by key.
	detected map[string]string
	used     map[string]bool // keys that a typed field was filled from
}

// newSettings merges entries in the order in which they were read.
func newSettings(entries []entry, detected map[string]string) *settings {
	s := &settings{rows: map[string]Option{}, given: map[string][]entry{}, detected: detected, used: map[string]bool{}}
	for _, o := range Options() {
		s.rows[o.Key()] = o
	}
	for _, e := range entries {
		key := e.section + "." + e.name
		s.given[key] = append(s.given[key], e)
	}
	return s
}

// origin returns the entry that decides the value of key, or an empty one.
func (s *settings) origin(key string) entry {
	if all := s.given[key]; len(all) > 0 {
		return all[len(all)-1]
	}
	return entry{}
}

// values returns the expanded values of a row: one, or any number for Multi.
func (s *settings) values(o Option) ([]string, error) {
	return s.expandAll(o, nil)
}

// value returns the one expanded value of a row; the last assignment decides.
func (s *settings) value(o Option) (string, error) {
	all, err := s.values(o)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[len(all)-1], nil
}

func (s *settings) raw(o Option) []string {
	all := s.given[o.Key()]
	switch {
	case len(all) == 0 && s.detected[o.Key()] != "":
		return []string{s.detected[o.Key()]}
	case len(all) == 0:
		return []string{o.Default}
	case o.Type != Multi:
		return []string{all[len(all)-1].value}
	}
	values := make([]string, len(all))
	for i, e := range all {
		values[i] = e.value
	}
	return values
}

// expandAll expands the row's values; outer are the keys being expanded, in which
// the row must not occur again.
func (s *settings) expandAll(o Option, outer []string) ([]string, error) {
	for _, key := range outer {
		if key == o.Key() {
			return nil, fmt.Errorf("refers to itself: %s", strings.Join(append(outer, key), " -> "))
		}
	}
	var out []string
	for _, raw := range s.raw(o) {
		text, err := s.expand(raw, o.Section, append(outer, o.Key()))
		if errors.As(err, new(nameless)) && o.Secret {
			return nil, nameless("name in it") // the name is a part of the secret
		}
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// expand replaces $name, ${name}, $section.name and ${section.name} in text. A
// name is looked up in the option's own section, then in DEFAULT. $$ and \$ are a
// plain dollar; a dollar that no name follows stays.
func (s *settings) expand(text, section string, outer []string) (string, error) {
	var out strings.Builder
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			out.WriteString(text)
			return out.String(), nil
		}
		escaped := at > 0 && text[at-1] == '\\'
		if escaped {
			out.WriteString(text[:at-1])
		} else {
			out.WriteString(text[:at])
		}
		text = text[at+1:]
		name, rest := reference(text)
		switch {
		case escaped:
			out.WriteByte('$')
		case strings.HasPrefix(text, "$"):
			out.WriteByte('$')
			text = text[1:]
		case name == "":
			out.WriteByte('$')
		default:
			value, err := s.lookup(name, section, outer)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			text = rest
		}
	}
}

// reference splits the name off the text behind a dollar; the name is "" if none
// stands there.
func reference(text string) (name, rest string) {
	if inner, found := strings.CutPrefix(text, "{"); found {
		name, rest, closed := strings.Cut(inner, "}")
		if closed && nameLength(name) == len(name) {
			return name, rest
		}
		return "", text
	}
	n := nameLength(text)
	for n > 0 && text[n-1] == '.' { // a full stop behind a name ends a sentence
		n--
	}
	return text[:n], text[n:]
}

func nameLength(text string) int {
	for i := range len(text) {
		c := text[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return i
		}
	}
	return len(text)
}

func (s *settings) lookup(name, section string, outer []string) (string, error) {
	keys := []string{section + "." + name, "DEFAULT." + name}
	if group, option, found := strings.Cut(name, "."); found {
		keys = []string{sectionName(group) + "." + option}
	}
	for _, key := range keys {
		row, known := s.rows[key]
		if !known && len(s.given[key]) > 0 {
			row, known = Option{Section: s.given[key][0].section, Name: s.given[key][0].name}, true
		}
		if !known {
			continue
		}
		all, err := s.expandAll(row, outer)
		if err != nil || len(all) == 0 {
			return "", err
		}
		return all[len(all)-1], nil
	}
	return "", nameless(name)
}

// nameless is a reference to an option that there is not.
type nameless string

// Error implements error.
func (name nameless) Error() string {
	return fmt.Sprintf("$%s names no option (write $$ for a plain dollar)", string(name))
}

// judge checks every value that the files give against the table: warnings for
// what has no effect, errors for what cannot be used.
func (s *settings) judge() ([]Warning, []error) {
	var warnings []Warning
	var faults []error
	for key, all := range s.given {
		for _, e := range all {
			row, known := s.rows[key]
			if !known {
				if message := s.stranger(e); message != "" {
					warnings = append(warnings, Warning{File: e.file, Line: e.line, Message: message})
				}
				continue
			}
			if row.Use == Awaited {
				warnings = append(warnings, Warning{File: e.file, Line: e.line, Message: key + " has no effect yet: it waits for " + row.Note})
			}
			if row.Use == Inert {
				warnings = append(warnings, Warning{File: e.file, Line: e.line, Message: key + " has no effect: " + row.Note})
			}
		}
	}
	for _, row := range s.rows {
		if row.Use == Inert {
			continue
		}
		if err := s.verdict(row); err != nil {
			faults = append(faults, err)
		}
	}
	return warnings, faults
}

// verdict says why a row's effective value cannot be used, or nil.
func (s *settings) verdict(row Option) error {
	from := s.origin(row.Key())
	fault := func(reason string) error {
		return &Error{File: from.file, Line: from.line, Option: row.Key(), Reason: reason}
	}
	values, err := s.values(row)
	if err != nil {
		return fault(err.Error())
	}
	for _, value := range values {
		if reason := check(row, value); reason != "" {
			return fault(hide(row, value, reason))
		}
	}
	return nil
}

// hide keeps a secret's value out of an error text.
func hide(row Option, value, reason string) string {
	if row.Secret && value != "" {
		return strings.ReplaceAll(reason, value, masked)
	}
	return reason
}

// stranger words the warning for an entry that the table does not know, or "" for
// a name in a section that is accepted as a whole.
func (s *settings) stranger(e entry) string {
	var names, sections []string
	for _, row := range s.rows {
		sections = append(sections, row.Section)
		if row.Section == e.section {
			names = append(names, row.Name)
		}
	}
	for _, group := range Sections() {
		if matched, err := path.Match(group.Pattern, e.section); err == nil && matched {
			return e.section + "." + e.name + " has no effect: " + group.Note
		}
	}
	if len(names) == 0 {
		return suggest(fmt.Sprintf("unknown section [%s]", e.section), nearest(e.section, unique(sections)))
	}
	return suggest(fmt.Sprintf("unknown option %s.%s", e.section, e.name), nearest(e.name, unique(names)))
}

func suggest(message, near string) string {
	if near == "" {
		return message
	}
	return fmt.Sprintf("%s: did you mean %q?", message, near)
}
