package draft

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// Args are the arguments of a request behind its schema: a value is there in the
// right type or absent.
type Args map[string]any

// Text returns a text, empty if it is absent.
func (a Args) Text(name string) string {
	s, _ := a[name].(string)
	return s
}

// OptionalText returns a text, nil if it is absent.
func (a Args) OptionalText(name string) *string {
	if s, given := a[name].(string); given {
		return &s
	}
	return nil
}

// Boolean returns a truth value in any spelling, fallback if it is absent.
func (a Args) Boolean(name string, fallback bool) bool { return Boolean(a[name], fallback) }

// OptionalBoolean returns a truth value, nil if it is absent.
func (a Args) OptionalBoolean(name string) *bool {
	if _, given := a[name]; !given {
		return nil
	}
	value := a.Boolean(name, false)
	return &value
}

// Whole returns a whole number and whether there is one.
func (a Args) Whole(name string) (int64, bool) { return whole(a[name]) }

// Decimal returns a number and whether there is one.
func (a Args) Decimal(name string) (float64, bool) {
	n, isNumber := a[name].(json.Number)
	if !isNumber {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// Part returns the object under name, empty if there is none.
func (a Args) Part(name string) Args {
	inner, _ := a[name].(map[string]any)
	return inner
}

// Parts returns the objects in the list under name.
func (a Args) Parts(name string) []Args {
	items, _ := a[name].([]any)
	var all []Args
	for _, item := range items {
		if inner, isObject := item.(map[string]any); isObject {
			all = append(all, inner)
		}
	}
	return all
}

// Words returns the scalars in the list under name as text; nil if there is none.
func (a Args) Words(name string) []string {
	items, _ := a[name].([]any)
	var all []string
	for _, item := range items {
		all = append(all, PlainText(item))
	}
	return all
}

// Texts returns the members of the object under name as text; nil if there is none.
func (a Args) Texts(name string) map[string]string {
	members, isObject := a[name].(map[string]any)
	if !isObject {
		return nil
	}
	all := make(map[string]string, len(members))
	for key, member := range members {
		all[key] = PlainText(member)
	}
	return all
}

// Boolean reads every spelling that the schemas let through.
func Boolean(value any, fallback bool) bool {
	switch v := value.(type) {
	case bool:
		return v
	case string:
		switch strings.ToLower(v) {
		case "true", "1", "on", "yes", "t", "y":
			return true
		case "false", "0", "off", "no", "f", "n":
			return false
		}
	}
	return fallback
}

// StrictBoolean reads all_projects, which no schema guards in lists.
func StrictBoolean(value any) (bool, error) {
	if value == nil {
		return false, nil
	}
	if b, isBool := value.(bool); isBool {
		return b, nil
	}
	s, _ := value.(string)
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "t", "true", "on", "y", "yes":
		return true, nil
	case "0", "f", "false", "off", "n", "no":
		return false, nil
	default:
		return false, domain.NewFault(domain.Invalid, "invalid-value",
			"Valid all_projects values are: 1, t, true, on, y, yes, 0, f, false, off, n, no")
	}
}

// whole reads a whole number; a fraction is cut, as the schema lets none through
// where it would matter.
func whole(value any) (int64, bool) {
	var text string
	switch v := value.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f || f > 1<<53 || f < -1<<53 {
		return 0, false
	}
	return int64(f), true
}

// PlainText writes any scalar as the text that is kept of it.
func PlainText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "True"
		}
		return "False"
	default:
		text, _ := json.Marshal(v) // what was decoded from JSON can be encoded
		return string(text)
	}
}
