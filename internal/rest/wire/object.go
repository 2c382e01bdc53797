// Package wire writes the answers that are asked for most as JSON, byte for byte as
// encoding/json would without HTML escaping, but knowing their members: reflection
// costs several times more than all the rest of showing a row.
package wire

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// object is a JSON object that is being written.
type object struct {
	b     []byte
	begun bool // a member was written
}

func begin(b []byte) object { return object{b: append(b, '{')} }

func (o *object) end() []byte { return append(o.b, '}') }

// name begins a member. The names are ours and need no escaping.
func (o *object) name(name string) {
	if o.begun {
		o.b = append(o.b, ',')
	}
	o.begun = true
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(name, value string) {
	o.name(name)
	o.b = quoted(o.b, value)
}

// optional writes null for nil.
func (o *object) optional(name string, value *string) {
	if value == nil {
		o.null(name)
		return
	}
	o.text(name, *value)
}

func (o *object) flag(name string, value bool) {
	o.name(name)
	o.b = strconv.AppendBool(o.b, value)
}

func (o *object) number(name string, value int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

// decimal writes a number in the form of ECMAScript, as encoding/json does.
func (o *object) decimal(name string, value float64) {
	o.name(name)
	if math.IsNaN(value) || math.IsInf(value, 0) {
		o.b = append(o.b, "null"...) // no column holds one, and JSON has no word for it
		return
	}
	format := byte('f')
	if size := math.Abs(value); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	o.b = strconv.AppendFloat(o.b, value, format, -1, 64)
	if n := len(o.b); format == 'e' && n >= 4 && o.b[n-4] == 'e' && o.b[n-3] == '-' && o.b[n-2] == '0' {
		o.b[n-2] = o.b[n-1] // e-09 is written e-9
		o.b = o.b[:n-1]
	}
}

func (o *object) texts(name string, values []string) {
	o.name(name)
	o.b = list(o.b, values, quoted)
}

// words writes a map in the order of its keys.
func (o *object) words(name string, values map[string]string) {
	o.name(name)
	o.b = mapping(o.b, values, quoted)
}

func (o *object) null(name string) {
	o.name(name)
	o.b = append(o.b, "null"...)
}

// filled and counted leave out what is empty or zero.
func (o *object) filled(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) counted(name string, value int) {
	if value != 0 {
		o.number(name, int64(value))
	}
}

// list writes items by each; null for nil.
func list[T any](b []byte, items []T, each func([]byte, T) []byte) []byte {
	if items == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = each(b, item)
	}
	return append(b, ']')
}

// mapping writes a map by each in the order of its keys; null for nil.
func mapping[V any](b []byte, items map[string]V, each func([]byte, V) []byte) []byte {
	switch len(items) {
	case 0:
		if items == nil {
			return append(b, "null"...)
		}
		return append(b, "{}"...)
	case 1: // no order to be found
		for key, item := range items {
			b = append(quoted(append(b, '{'), key), ':')
			b = each(b, item)
		}
		return append(b, '}')
	}
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(items)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(quoted(b, key), ':')
		b = each(b, items[key])
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// quoted appends s as a JSON string. What is no UTF-8 becomes the replacement
// character; the two line separators are escaped, because JavaScript took them for ends.
func quoted(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		broken := r == utf8.RuneError && size == 1
		if r >= utf8.RuneSelf && !broken && r != '\u2028' && r != '\u2029' {
			i += size
			continue
		}
		b = escaped(append(b, s[start:i]...), r)
		i += size
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// escaped appends the escape sequence of r.
func escaped(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	default:
		return append(b, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
	}
}
