package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxShown bounds how much of a user's value a message repeats, in bytes. The
// service this API comes from repeats whole values, and could be made to answer with
// gigabytes.
const maxShown = 1024

// pick returns the error that is told when there are several: what is inside the
// members first, then what is missing, then what is too much.
func pick(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	all := leaves(e, nil)
	slices.SortStableFunc(all, func(a, b *jsonschema.ValidationError) int {
		if byRank := outer(a) - outer(b); byRank != 0 {
			return byRank
		}
		if byPlace := slices.Compare(a.InstanceLocation, b.InstanceLocation); byPlace != 0 {
			return byPlace
		}
		return rank(a) - rank(b)
	})
	return all[0]
}

// leaves collects the errors that say something themselves.
func leaves(e *jsonschema.ValidationError, into []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf, *kind.Not:
		return append(into, e)
	}
	if len(e.Causes) == 0 {
		return append(into, e)
	}
	for _, cause := range e.Causes {
		into = leaves(cause, into)
	}
	return into
}

// outer is zero for an error inside a member, else one.
func outer(e *jsonschema.ValidationError) int {
	if len(e.InstanceLocation) > 0 {
		return 0
	}
	return 1
}

// rank orders the keywords that may fail at one place.
func rank(e *jsonschema.ValidationError) int {
	switch e.ErrorKind.(type) {
	case *kind.Type:
		return 0
	case *kind.MinLength, *kind.MaxLength:
		return 1
	case *kind.Pattern, *kind.Format:
		return 2
	case *kind.Required:
		return 4
	case *kind.AdditionalProperties:
		return 5
	case *kind.OneOf, *kind.AnyOf, *kind.Not:
		return 6
	default:
		return 3
	}
}

// sentence words one error about value; rule is what the schema demands.
func sentence(e *jsonschema.ValidationError, value, rule any) string {
	shown := repr(value)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return quote(k.Missing[0]) + " is a required property"
	case *kind.AdditionalProperties:
		return additional(k.Properties)
	case *kind.Type:
		wants := make([]string, 0, len(k.Want))
		for _, want := range declared(rule, k.Want) {
			wants = append(wants, quote(want))
		}
		return shown + " is not of type " + strings.Join(wants, ", ")
	case *kind.Enum:
		return shown + " is not one of " + full(rule)
	case *kind.Pattern:
		return shown + " does not match " + full(rule)
	case *kind.Format:
		return shown + " is not a " + full(rule)
	case *kind.MinLength, *kind.MinItems:
		return shown + " is too short"
	case *kind.MaxLength, *kind.MaxItems:
		return shown + " is too long"
	case *kind.Minimum:
		return shown + " is less than the minimum of " + full(rule)
	case *kind.Maximum:
		return shown + " is greater than the maximum of " + full(rule)
	case *kind.AnyOf:
		return shown + " is not valid under any of the given schemas"
	case *kind.OneOf:
		return oneOf(shown, k, rule)
	case *kind.Not:
		return shown + " should not be valid under " + full(member(rule, "not"))
	default:
		return shown + " is not valid"
	}
}

func additional(names []string) string {
	quoted := make([]string, 0, len(names))
	for _, name := range slices.Sorted(slices.Values(names)) {
		quoted = append(quoted, quote(shorten(name)))
	}
	verb := "was"
	if len(names) > 1 {
		verb = "were"
	}
	return fmt.Sprintf("Additional properties are not allowed (%s %s unexpected)", shorten(strings.Join(quoted, ", ")), verb)
}

// oneOf tells both ways of failing: none fits, or several do. The first that fits
// is named last.
func oneOf(shown string, k *kind.OneOf, rule any) string {
	if len(k.Subschemas) == 0 {
		return shown + " is not valid under any of the given schemas"
	}
	names := make([]string, 0, len(k.Subschemas))
	for _, i := range k.Subschemas {
		names = append(names, full(member(rule, strconv.Itoa(i))))
	}
	slices.Reverse(names)
	return shown + " is valid under each of " + strings.Join(names, ", ")
}

// declared returns the types in the schema's own order.
func declared(rule any, fallback []string) []string {
	switch r := rule.(type) {
	case string:
		return []string{r}
	case []any:
		names := make([]string, 0, len(r))
		for _, name := range r {
			names = append(names, fmt.Sprint(name))
		}
		return names
	default:
		return fallback
	}
}

func unescape(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		part = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}

// plain writes a value as a message inserts it: text as it is, all else as repr.
func plain(value any) string {
	if s, ok := value.(string); ok {
		return shorten(s)
	}
	return repr(value)
}

func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "..."
}

// repr writes a user's value in the literal notation that messages of this API
// have always used, cut at maxShown.
func repr(value any) string { return shorten(full(value)) }

// full writes a literal as far as any message needs it.
func full(value any) string {
	l := literal{most: 4 * maxShown}
	l.write(value)
	return l.b.String()
}

// whole writes a literal without a bound.
func whole(value any) string {
	l := literal{most: math.MaxInt}
	l.write(value)
	return l.b.String()
}

// literal writes values in the notation of messages until most bytes are there.
type literal struct {
	b    strings.Builder
	most int
}

func (l *literal) write(value any) {
	b := &l.b
	if b.Len() > l.most {
		return
	}
	switch v := value.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if v {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case string:
		b.WriteString(quote(v[:min(len(v), l.most)]))
	case json.Number:
		b.WriteString(v.String())
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		b.WriteString(text)
	case []any:
		b.WriteByte('[')
		for i, inner := range v {
			separate(b, i)
			l.write(inner)
		}
		b.WriteByte(']')
	case Object:
		b.WriteByte('{')
		for i, name := range sortedNames(v) {
			separate(b, i)
			b.WriteString(quote(name) + ": ")
			l.write(v[name])
		}
		b.WriteByte('}')
	case members:
		b.WriteByte('{')
		for i, member := range v {
			separate(b, i)
			b.WriteString(quote(member.name) + ": ")
			l.write(member.value)
		}
		b.WriteByte('}')
	default:
		fmt.Fprint(b, v)
	}
}

func sortedNames(o Object) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func separate(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

// quote puts s between single quotes, or double ones if it holds a single quote.
func quote(s string) string {
	mark := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = `"`
	}
	s = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
	if mark == "'" {
		s = strings.ReplaceAll(s, "'", `\'`)
	}
	return mark + s + mark
}
