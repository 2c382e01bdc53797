package rest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
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

// merge returns the arguments of a request: body and query as one set, the query
// winning, and where they came from. A body that is no JSON object counts as empty.
func (d *door) merge(w http.ResponseWriter, r *http.Request, route Route) (schema.Object, schema.Origin, error) {
	inQuery := map[string]bool{}
	from := schema.Origin{InQuery: inQuery}
	text, err := d.readBody(w, r, route)
	if err != nil {
		return nil, from, err
	}
	from.Body = text
	args, err := decode(text, d.Options.MaxDepth)
	if err != nil {
		return nil, from, err
	}
	query := r.URL.Query()
	for name, values := range query {
		if route.Query != nil && !slices.Contains(route.Query, name) {
			return nil, from, unexpected(name)
		}
		inQuery[name] = true
		if len(values) == 1 {
			args[name] = values[0]
			continue
		}
		several := make([]any, 0, len(values))
		for _, v := range values {
			several = append(several, v)
		}
		args[name] = several
	}
	// The data of an archive may hold any byte; it is no text that is stored.
	if err := check(args, route.Args == schema.PutArchive); err != nil {
		return nil, from, err
	}
	return args, from, nil
}

func unexpected(name string) error {
	return domain.NewFault(domain.Invalid, "schema-validation-error", "Additional properties are not allowed ('%s' was unexpected)", name)
}

// readBody reads the body, within the bound of its size.
func (d *door) readBody(w http.ResponseWriter, r *http.Request, route Route) ([]byte, error) {
	if r.Method == http.MethodGet || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	bound := d.Options.MaxBody
	if route.Args == schema.PutArchive {
		bound = d.Options.MaxArchive
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bound))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, domain.NewFault(domain.TooLarge, "request-entity-too-large", "The request body is larger than %d bytes.", tooLarge.Limit)
		}
		return nil, domain.WrapFault(err, domain.Invalid, "invalid", "The request body could not be read.")
	}
	if route.Typed && len(text) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return nil, domain.NewFault(domain.UnsupportedMedia, "unsupported-media-type", "The request body must be of type application/json.")
	}
	return text, nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return contentType == "" || err == nil && media == "application/json"
}

// decode reads one JSON object. Anything else, such as broken text or a list, is an
// empty object; only a nesting beyond maxDepth is an error.
func decode(text []byte, maxDepth int) (schema.Object, error) {
	if depth(text) > maxDepth {
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

// depth returns how deep brackets are nested, those in strings not counted.
func depth(text []byte) int {
	deepest, now, inString, escaped := 0, 0, false, false
	for _, b := range text {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = b == '\\', b != '"'
		case b == '"':
			inString = true
		case b == '{', b == '[':
			now++
			deepest = max(deepest, now)
		case b == '}', b == ']':
			now--
		}
	}
	return deepest
}

// check refuses what no column and no engine can take: text with a zero byte or with
// bytes that are no UTF-8, and numbers without measure. Names are text, too.
func check(value any, anyText bool) error {
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
			if err := check(inner, anyText); err != nil {
				return err
			}
		}
	case schema.Object:
		for name, inner := range v {
			if err := errors.Join(check(name, anyText), check(inner, anyText)); err != nil {
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
