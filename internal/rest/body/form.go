package body

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

// Form is what a route takes of a request.
type Form struct {
	Query   []string // the keys that the query may have; nil: any
	Unread  bool     // the body is passed on as it comes
	Typed   bool     // the body must say that it is JSON
	AnyText bool     // text may hold any byte, because none of it is stored
	Bound   int64    // of the body, in bytes
	Depth   int      // how deep the body may be nested
}

// Merge returns the arguments of a request: body and query as one set, the query
// winning, and where they came from. A body that is no JSON object counts as empty.
func (f Form) Merge(w http.ResponseWriter, r *http.Request) (schema.Object, schema.Origin, error) {
	inQuery := map[string]bool{}
	from := schema.Origin{InQuery: inQuery}
	text, err := f.read(w, r)
	if err != nil {
		return nil, from, err
	}
	from.Body = text
	args, err := Parse(text, f.Depth)
	if err != nil {
		return nil, from, err
	}
	query := r.URL.Query()
	for name, values := range query {
		if f.Query != nil && !slices.Contains(f.Query, name) {
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
	if err := Check(args, f.AnyText); err != nil {
		return nil, from, err
	}
	return args, from, nil
}

func unexpected(name string) error {
	return domain.NewFault(domain.Invalid, "schema-validation-error", "Additional properties are not allowed ('%s' was unexpected)", name)
}

// read reads the body, within the bound of its size.
func (f Form) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method == http.MethodGet || r.Body == nil || r.Body == http.NoBody || f.Unread {
		return nil, nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, f.Bound))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, domain.NewFault(domain.TooLarge, "request-entity-too-large", "The request body is larger than %d bytes.", tooLarge.Limit)
		}
		return nil, domain.WrapFault(err, domain.Invalid, "invalid", "The request body could not be read.")
	}
	if f.Typed && len(text) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return nil, domain.NewFault(domain.UnsupportedMedia, "unsupported-media-type", "The request body must be of type application/json.")
	}
	return text, nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return contentType == "" || err == nil && media == "application/json"
}
