package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// The rule that says who is an administrator.
const contextIsAdmin = "context_is_admin"

// ruleset is all rules in force. It is never changed.
type ruleset struct{ checks map[string]check }

// source is one rule as a file or the table has it.
type source struct {
	name string
	rule any    // a text or a list
	file string // "" for a default
	line int
}

func (s source) fault(err error) error {
	if s.file == "" {
		return fmt.Errorf("default rule %s: %w", s.name, err)
	}
	return fmt.Errorf("%s:%d: rule %s: %w", s.file, s.line, s.name, err)
}

// compile reads the sources, later ones over earlier ones, and checks that every rule
// they refer to exists and that none refers to itself.
func compile(sources []source) (*ruleset, error) {
	set := &ruleset{checks: map[string]check{}}
	last := map[string]source{}
	for _, s := range sources {
		c, err := read(s.rule)
		if err != nil {
			return nil, s.fault(err)
		}
		set.checks[s.name], last[s.name] = c, s
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		for _, other := range references(set.checks[name]) {
			if set.checks[other] == nil {
				return nil, last[name].fault(fmt.Errorf("refers to rule:%s, which does not exist", other))
			}
		}
	}
	sound := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		if cycle := set.cycle(name, nil, sound); cycle != nil {
			return nil, last[name].fault(fmt.Errorf("refers to itself: %s", strings.Join(cycle, " -> ")))
		}
	}
	return set, nil
}

func read(rule any) (check, error) {
	switch rule := rule.(type) {
	case string:
		return parse(rule)
	case []any:
		return parseList(rule)
	default:
		return nil, fmt.Errorf("%v is no rule: expected a text or a list", rule)
	}
}

// references lists the rules that c names, each as often as it is named.
func references(c check) []string {
	var names []string
	switch c := c.(type) {
	case ruleCheck:
		names = append(names, string(c))
	case inverse:
		names = references(c.of)
	case allOf:
		for _, part := range c {
			names = append(names, references(part)...)
		}
	case anyOf:
		for _, part := range c {
			names = append(names, references(part)...)
		}
	}
	return names
}

// cycle returns the way from name back to a rule on path, nil if there is none. sound
// collects the rules from which no way leads back, so that each is followed once.
func (s *ruleset) cycle(name string, path []string, sound map[string]bool) []string {
	if sound[name] {
		return nil
	}
	if at := slices.Index(path, name); at >= 0 {
		return append(slices.Clone(path[at:]), name)
	}
	path = append(path, name)
	for _, other := range references(s.checks[name]) {
		if found := s.cycle(other, path, sound); found != nil {
			return found
		}
	}
	sound[name] = true
	return nil
}

func (s *ruleset) holds(name string, q question) bool {
	c := s.checks[name]
	return c != nil && c.holds(q)
}

func (s *ruleset) isAdmin(actor domain.Actor) bool {
	return s.holds(contextIsAdmin, question{rules: s, actor: actor, settling: true})
}
