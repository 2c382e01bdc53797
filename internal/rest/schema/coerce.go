package schema

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
)

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// spellings are the texts that were turned into numbers, by their path.
type spellings map[string]string

// coerce turns strings of digits into numbers wherever schema bounds a value that
// may be spelled either way. Strings that are no number are left for the pattern
// to refuse.
func (s spellings) coerce(schema, value any, path string) {
	rules, isObject := schema.(Object)
	if !isObject {
		return
	}
	switch v := value.(type) {
	case Object:
		properties, _ := rules["properties"].(Object)
		for name, rule := range properties {
			inner, given := v[name]
			if !given {
				continue
			}
			if n, ok := asNumber(rule, inner); ok {
				s[below(path, name)], _ = inner.(string)
				v[name] = n
				continue
			}
			s.coerce(rule, inner, below(path, name))
		}
	case []any:
		for i, inner := range v {
			s.coerce(rules["items"], inner, below(path, strconv.Itoa(i)))
		}
	}
}

// asNumber returns value as a number if it is a string of digits and rule bounds it.
func asNumber(rule, value any) (json.Number, bool) {
	text, isString := value.(string)
	rules, isObject := rule.(Object)
	if !isString || !isObject || !bounded(rules) {
		return "", false
	}
	types, _ := rules["type"].([]any)
	if !slices.Contains(types, any("integer")) && !slices.Contains(types, any("number")) {
		return "", false
	}
	plain := normal(text)
	if !number.MatchString(plain) || !matches(rules, text) {
		return "", false
	}
	return json.Number(plain), true
}

// normal drops the leading zeros that JSON numbers may not have and gives a bare
// fraction its zero.
func normal(text string) string {
	sign := ""
	if len(text) > 0 && text[0] == '-' {
		sign, text = "-", text[1:]
	}
	for len(text) > 1 && text[0] == '0' && text[1] != '.' {
		text = text[1:]
	}
	if len(text) > 1 && text[0] == '.' {
		text = "0" + text
	}
	return sign + text
}

func bounded(rules Object) bool {
	_, low := rules["minimum"]
	_, high := rules["maximum"]
	return low || high
}

func matches(rules Object, text string) bool {
	pattern, given := rules["pattern"].(string)
	if !given {
		return true
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text)
}

// locate returns the value at a path of names and indexes.
func locate(value any, path []string) any {
	for _, part := range path {
		value = member(value, part)
	}
	return value
}

func member(value any, name string) any {
	switch v := value.(type) {
	case Object:
		return v[name]
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(v) {
			return nil
		}
		return v[i]
	default:
		return nil
	}
}
