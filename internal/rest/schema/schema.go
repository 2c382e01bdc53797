package schema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/go-zun/zun/internal/domain"
)

// Object is a JSON object, of a schema or of a request.
type Object = map[string]any

// Schema is one compiled schema of an operation.
type Schema struct {
	document Object
	compiled *jsonschema.Schema
	// bodyWords says that messages speak of a field even for a query parameter.
	bodyWords bool
}

// compile makes a Schema of document; an error is a mistake in this package.
func compile(name string, document Object) (*Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.AssertFormat()
	url := "mem:///" + name
	if err := c.AddResource(url, document); err != nil {
		return nil, fmt.Errorf("add schema %s: %w", name, err)
	}
	compiled, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("compile schema %s: %w", name, err)
	}
	return &Schema{document: document, compiled: compiled}, nil
}

// Document returns the schema as JSON has it; it must not be changed.
func (s *Schema) Document() Object { return s.document }

// Check judges args. Digits in strings are turned into numbers first where the
// schema bounds them, so that bounds hold for both spellings; after success members
// that are null are taken out, so that null means absent. inQuery tells which names
// came by the query. The error is an Invalid fault in the contract's words.
func (s *Schema) Check(args Object, inQuery map[string]bool) error {
	coerce(s.document, args)
	err := s.compiled.Validate(args)
	if err == nil {
		dropNulls(args)
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return domain.WrapFault(err, domain.Invalid, "schema-validation-error", "The request could not be validated.")
	}
	text := s.describe(invalid, args, inQuery)
	return domain.NewFault(domain.Invalid, "schema-validation-error", "%s", text)
}

// describe picks the one error that is told and words it.
func (s *Schema) describe(invalid *jsonschema.ValidationError, args Object, inQuery map[string]bool) string {
	worst := pick(invalid)
	value := locate(args, worst.InstanceLocation)
	text := sentence(worst, value, s.keyword(worst))
	if len(worst.InstanceLocation) == 0 {
		return text
	}
	field := worst.InstanceLocation[len(worst.InstanceLocation)-1]
	if inQuery[worst.InstanceLocation[0]] && !s.bodyWords {
		return fmt.Sprintf("Invalid input for query parameters '%s'. Value: '%s'. %s", shorten(field), plain(value), text)
	}
	return fmt.Sprintf("Invalid input for field '%s'.Value: '%s'. %s", shorten(field), plain(value), text)
}

// keyword returns what the schema says under the keyword that failed.
func (s *Schema) keyword(e *jsonschema.ValidationError) any {
	_, pointer, _ := strings.Cut(e.SchemaURL, "#")
	var at any = s.document
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		at = member(at, unescape(part))
	}
	path := e.ErrorKind.KeywordPath()
	if len(path) == 0 {
		return at
	}
	return member(at, path[0])
}

// keysOnly names the member whose keys are all that is said: its values, null or
// not, mean nothing.
const keysOnly = "exposed_ports"

// dropNulls removes null members at every depth of objects.
func dropNulls(value any) {
	switch v := value.(type) {
	case Object:
		for name, inner := range v {
			if inner == nil {
				delete(v, name)
				continue
			}
			if name != keysOnly {
				dropNulls(inner)
			}
		}
	case []any:
		for _, inner := range v {
			dropNulls(inner)
		}
	}
}
