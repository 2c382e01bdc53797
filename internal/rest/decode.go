package rest

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/archive"
	"github.com/go-zun/zun/internal/rest/body"
	"github.com/go-zun/zun/internal/rest/schema"
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
	args, err := body.Parse(text, d.Options.MaxDepth)
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
	if err := body.Check(args, route.Args == schema.PutArchive); err != nil {
		return nil, from, err
	}
	return args, from, nil
}

func unexpected(name string) error {
	return domain.NewFault(domain.Invalid, "schema-validation-error", "Additional properties are not allowed ('%s' was unexpected)", name)
}

// readBody reads the body, within the bound of its size.
func (d *door) readBody(w http.ResponseWriter, r *http.Request, route Route) ([]byte, error) {
	if r.Method == http.MethodGet || r.Body == nil || r.Body == http.NoBody || route.Args == schema.PutArchive && archive.Given(r) {
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
