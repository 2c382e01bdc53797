package schema

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	dumpWidth  = 72 // columns that a dump fills before it breaks lines
	dumpMargin = "    "
)

// dump is what follows the sentence about a nested error: the rule that failed and
// the value that failed it, laid out as clients of this API have always read them.
// The rule is one of ours and no longer than we made it; the value is cut at maxShown.
func dump(e *jsonschema.ValidationError, rule, value any) string {
	keyword, pointer := failed(e)
	var b strings.Builder
	b.WriteString("\n\nFailed validating " + quote(keyword) + " in schema")
	for _, part := range pointer {
		b.WriteString("[" + quote(part) + "]")
	}
	b.WriteString(":\n" + margin(layOut(rule)) + "\n\nOn instance")
	for _, part := range e.InstanceLocation[:len(e.InstanceLocation)-1] {
		b.WriteString("[" + step(part) + "]")
	}
	b.WriteString(":\n" + margin(shown(value)))
	return b.String()
}

// failed returns the keyword and the path of the schema that holds it.
func failed(e *jsonschema.ValidationError) (keyword string, path []string) {
	_, pointer, _ := strings.Cut(e.SchemaURL, "#")
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part != "" {
			path = append(path, unescape(part))
		}
	}
	if words := e.ErrorKind.KeywordPath(); len(words) > 0 {
		keyword = words[0]
	}
	return keyword, path
}

// step is one part of the way to a value: an index, or a name between quotes.
func step(part string) string {
	if part != "" && strings.Trim(part, "0123456789") == "" {
		return part
	}
	return quote(shorten(part))
}

func margin(text string) string {
	return dumpMargin + strings.ReplaceAll(text, "\n", "\n"+dumpMargin)
}

// shown lays a user's value out if it is short enough to be laid out.
func shown(value any) string {
	if short := repr(value); len(short) > maxShown {
		return short
	}
	return layOut(value)
}

// layOut writes a literal over as many lines as it needs.
func layOut(value any) string {
	var b strings.Builder
	if text, isText := value.(string); isText {
		// A text that stands alone is put between brackets when it is broken.
		if lines := breakText(text, dumpWidth-1, 1); len(lines) > 1 {
			return "(" + strings.Join(lines, "\n ") + ")"
		}
	}
	place(&b, value, 0, 0)
	return b.String()
}

// place writes value at column indent; after is how many brackets must still follow it
// on its last line.
func place(b *strings.Builder, value any, indent, after int) {
	line := whole(value)
	if utf8.RuneCountInString(line) <= dumpWidth-indent-after {
		b.WriteString(line)
		return
	}
	switch v := value.(type) {
	case Object:
		b.WriteByte('{')
		names := sortedNames(v)
		for i, name := range names {
			newLine(b, i, indent+1)
			key := quote(name) + ": "
			b.WriteString(key)
			place(b, v[name], indent+1+utf8.RuneCountInString(key), closing(i, len(names), after+1))
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, inner := range v {
			newLine(b, i, indent+1)
			place(b, inner, indent+1, closing(i, len(v), after+1))
		}
		b.WriteByte(']')
	case string:
		b.WriteString(strings.Join(breakText(v, dumpWidth-indent, after), "\n"+strings.Repeat(" ", indent)))
	default:
		b.WriteString(line)
	}
}

// breaks are the places where a long text may be broken: behind white space.
var breaks = regexp.MustCompile(`\S*\s*`)

// breakText breaks a text into literals of at most width columns as far as its words
// let it; the last one leaves room for what follows it.
func breakText(text string, width, after int) []string {
	var all []string
	now := ""
	parts := breaks.FindAllString(text, -1)
	for i, part := range parts {
		if i == len(parts)-1 {
			width -= after
		}
		if now != "" && utf8.RuneCountInString(quote(now+part)) > width {
			all = append(all, quote(now))
			now = ""
		}
		now += part
	}
	return append(all, quote(now))
}

func newLine(b *strings.Builder, i, indent int) {
	if i > 0 {
		b.WriteString(",\n" + strings.Repeat(" ", indent))
	}
}

// closing is what follows item i of n: a comma, or the brackets that end here.
func closing(i, n, brackets int) int {
	if i == n-1 {
		return brackets
	}
	return 1
}
