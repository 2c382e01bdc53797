// Package body reads the JSON of requests as the API does: junk is an empty object,
// and nothing gets in that is too deep, too long or no text.
package body

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

const (
	maxNumberDigits = 64 // longer numbers mean nothing here
	maxExponent     = 64 // a number of a billion digits must not be written in ten
)

// maxValues is how many values a body may have. Each takes a hundred bytes once it is read,
// however few it has in the text; what may describe a container has fewer.
const maxValues = 1 << 17

// Parse reads one JSON object. Anything else, such as broken text or a list, is an
// empty object; only a nesting beyond maxDepth and too many values are errors.
func Parse(text []byte, maxDepth int) (schema.Object, error) {
	deepest, values := measure(text)
	if values > maxValues {
		return nil, domain.NewFault(domain.Invalid, "invalid", "The request body has more than %d values.", maxValues)
	}
	if deepest > maxDepth {
		return nil, domain.NewFault(domain.Invalid, "invalid", "The request body is nested deeper than %d levels.", maxDepth)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return schema.Object{}, nil //nolint:nilerr // clients of this API count on junk being an empty object
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return schema.Object{}, nil
	}
	if args, isObject := value.(schema.Object); isObject {
		return args, nil
	}
	return schema.Object{}, nil
}

// measure returns how deep brackets are nested and about how many values there are; what
// stands in strings is not counted.
func measure(text []byte) (deepest, values int) {
	now, inString, escaped := 0, false, false
	for _, b := range text {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = b == '\\', b != '"'
		case b == '"':
			inString = true
		case b == ',':
			values++
		case b == '{', b == '[':
			values++
			now++
			deepest = max(deepest, now)
		case b == '}', b == ']':
			now--
		}
	}
	return deepest, values
}

// Check refuses what no column and no engine can take: text with a zero byte or with
// bytes that are no UTF-8, and numbers without measure. Names are text, too.
func Check(value any, anyText bool) error {
	switch v := value.(type) {
	case string:
		if !anyText && (strings.ContainsRune(v, 0) || !utf8.ValidString(v)) {
			return domain.NewFault(domain.Invalid, "invalid", "Text must be UTF-8 without null characters.")
		}
	case json.Number:
		if !measured(v.String()) {
			return domain.NewFault(domain.Invalid, "invalid", "A number in the request is too long.")
		}
	case []any:
		for _, inner := range v {
			if err := Check(inner, anyText); err != nil {
				return err
			}
		}
	case schema.Object:
		for name, inner := range v {
			if err := errors.Join(Check(name, anyText), Check(inner, anyText)); err != nil {
				return err
			}
		}
	}
	return nil
}

func measured(number string) bool {
	if len(number) > maxNumberDigits {
		return false
	}
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return true
	}
	exponent, err := strconv.Atoi(strings.TrimPrefix(number[i+1:], "+"))
	return err == nil && exponent <= maxExponent && exponent >= -maxExponent
}
