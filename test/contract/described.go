package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Description is the OpenAPI document of a service, to hold its answers against.
type Description struct {
	document any
	patterns *http.ServeMux
	compiler *jsonschema.Compiler
}

const descriptionURL = "mem:///openapi"

// Describe reads the document that a service gives of itself.
func Describe(document []byte) (*Description, error) {
	var text struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err == nil {
		err = json.Unmarshal(document, &text)
	}
	if err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	d := &Description{document: parsed, patterns: http.NewServeMux(), compiler: jsonschema.NewCompiler()}
	for pattern := range text.Paths {
		d.patterns.Handle(pattern, http.NotFoundHandler())
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	return d, d.compiler.AddResource(descriptionURL, parsed)
}

// Holds says whether an answer of the API is as it is described; where says that the
// path is described at all. A 401 is worded by the identity service.
func (d *Description) Holds(method, where string, got Reply) (described bool, err error) {
	pattern := d.pattern(where)
	if pattern == "" || got.Status == http.StatusUnauthorized || len(bytes.TrimSpace(got.Body)) == 0 {
		return false, nil
	}
	steps := []string{"paths", pattern, strings.ToLower(method), "responses", strconv.Itoa(got.Status), "content", "application/json", "schema"}
	if got.Status >= http.StatusBadRequest {
		steps = []string{"components", "schemas", "Faults"}
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(got.Body))
	if err != nil {
		return true, fmt.Errorf("the answer is no JSON: %w", err)
	}
	schema, err := d.compiler.Compile(descriptionURL + "#" + pointer(steps))
	if err != nil {
		return true, fmt.Errorf("%s %s with status %d is not described: %w", method, pattern, got.Status, err)
	}
	if err := schema.Validate(body); err != nil {
		return true, fmt.Errorf("the answer is not as it is described: %w", err)
	}
	return true, nil
}

// pattern is the described path that an address of a request fits; empty: none.
func (d *Description) pattern(where string) string {
	plain := path.Clean("/" + strings.TrimSuffix(where, ".json"))
	if plain != "/v1" && !strings.HasPrefix(plain, "/v1/") {
		plain = "/v1" + plain
	}
	_, pattern := d.patterns.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: plain}})
	return pattern
}

func pointer(steps []string) string {
	var at strings.Builder
	for _, step := range steps {
		at.WriteByte('/')
		at.WriteString(url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(step)))
	}
	return at.String()
}

// Undescribed returns err's own words without the ways to it.
func Undescribed(err error) string {
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return strings.ReplaceAll(invalid.Error(), "\n", "; ")
	}
	return err.Error()
}
