package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

// check is one node of a rule that was read.
type check interface {
	// holds answers the question; it never fails, doubt is false.
	holds(q question) bool
}

// question is one judgement: may actor do something to target?
type question struct {
	rules  *ruleset
	actor  domain.Actor
	target rest.Target
	// settling is set while context_is_admin itself is judged, so that is_admin in
	// it means what the caller said and not the answer being looked for.
	settling bool
}

type (
	always     struct{}           // "@", also the empty rule
	never      struct{}           // "!"
	allOf      []check            // a and b
	anyOf      []check            // a or b
	inverse    struct{ of check } // not a
	ruleCheck  string             // rule:name
	roleCheck  template           // role:name
	attributed struct {           // attribute:value
		name  string
		value template
	}
	literal struct { // 'text':value
		text  string
		value template
	}
)

func (always) holds(question) bool { return true }

func (never) holds(question) bool { return false }

func (c allOf) holds(q question) bool {
	return !slices.ContainsFunc(c, func(part check) bool { return !part.holds(q) })
}

func (c anyOf) holds(q question) bool {
	return slices.ContainsFunc(c, func(part check) bool { return part.holds(q) })
}

func (c inverse) holds(q question) bool { return !c.of.holds(q) }

func (c ruleCheck) holds(q question) bool { return q.rules.holds(string(c), q) }

// holds compares roles without regard to case, as Keystone does.
func (c roleCheck) holds(q question) bool {
	role, known := template(c).fill(q.target)
	return known && slices.ContainsFunc(q.actor.Roles, func(held string) bool { return strings.EqualFold(held, role) })
}

func (c attributed) holds(q question) bool {
	value, known := c.value.fill(q.target)
	return known && slices.Contains(attribute(c.name, q), value)
}

func (c literal) holds(q question) bool {
	value, known := c.value.fill(q.target)
	return known && value == c.text
}

// attribute returns the values of one of the actor's attributes, by the names that
// oslo.context gives them; none if it has none.
func attribute(name string, q question) []string {
	a := q.actor
	var value string
	switch name {
	case "is_admin":
		admin := a.IsAdmin || !q.settling && q.rules.isAdmin(a)
		return []string{map[bool]string{true: "True", false: "False"}[admin]}
	case "roles":
		return a.Roles
	case "user_id", "user":
		value = a.UserID
	case "user_name":
		value = a.UserName
	case "user_domain_id", "user_domain":
		value = a.UserDomainID
	case "project_id", "tenant", "tenant_id":
		value = a.ProjectID
	case "project_name":
		value = a.ProjectName
	case "project_domain_id", "project_domain":
		value = a.ProjectDomainID
	}
	if value == "" {
		return nil
	}
	return []string{value}
}

// attributes lists the names that attribute knows, for the check of a file.
func attributes() []string {
	return []string{"is_admin", "roles", "user_id", "user", "user_name", "user_domain_id", "user_domain", "project_id", "tenant",
		"tenant_id", "project_name", "project_domain_id", "project_domain"}
}

// template is a value that may name attributes of the target as %(name)s.
type template string

// fill puts the target's attributes in. known is false when one is missing or empty,
// because two absent values are no match.
func (t template) fill(target rest.Target) (value string, known bool) {
	text := string(t)
	if !strings.Contains(text, "%(") {
		return text, true
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "%(")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, after, closed := strings.Cut(rest, ")s")
		attribute := targetAttribute(name, target)
		if !closed || attribute == "" {
			return "", false
		}
		out.WriteString(attribute)
		text = after
	}
}

// valid says which attribute t names that a target does not have.
func (t template) valid() error {
	_, rest, found := strings.Cut(string(t), "%(")
	for found {
		name, after, closed := strings.Cut(rest, ")s")
		if !closed || !slices.Contains([]string{"project_id", "tenant_id", "user_id"}, name) {
			return fmt.Errorf("a target has no attribute %%(%s)s: expected %%(project_id)s or %%(user_id)s", name)
		}
		_, rest, found = strings.Cut(after, "%(")
	}
	return nil
}

func targetAttribute(name string, target rest.Target) string {
	switch name {
	case "project_id", "tenant_id":
		return target.ProjectID
	case "user_id":
		return target.UserID
	default:
		return ""
	}
}

// constant reads what stands left of a colon as Python's literal, as oslo.policy does:
// a quoted text, a number, True, False or None.
func constant(text string) (value string, ok bool) {
	if n := len(text); n > 1 && text[0] == text[n-1] && (text[0] == '\'' || text[0] == '"') {
		return text[1 : n-1], true
	}
	if slices.Contains([]string{"True", "False", "None"}, text) {
		return text, true
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && text != "" && (text[0] >= '0' && text[0] <= '9' || text[0] == '-') {
		return text, true
	}
	return "", false
}
