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
	document Object // what is judged
	shown    Object // what messages repeat of it
	compiled *jsonschema.Schema
	// bodyWords says that messages speak of a field even for a query parameter.
	bodyWords bool
}

// ours begins the name of a keyword that makes a rule stricter than it ever was for
// clients of this API: it is judged, and left out where a message repeats the rule.
const ours = "+"

// compile makes a Schema of document; an error is a mistake in this package.
func compile(name string, document Object) (*Schema, error) {
	shown := without(document, func(keyword string) (string, bool) { return keyword, !strings.HasPrefix(keyword, ours) })
	document = without(document, func(keyword string) (string, bool) { return strings.TrimPrefix(keyword, ours), true })
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
	return &Schema{document: document, shown: shown, compiled: compiled}, nil
}

// without returns a copy of document with its members named, or left out, by keep.
func without(document Object, keep func(keyword string) (string, bool)) Object {
	o := Object{}
	for keyword, rule := range document {
		name, kept := keep(keyword)
		if !kept {
			continue
		}
		switch r := rule.(type) {
		case Object:
			o[name] = without(r, keep)
		case []any:
			all := make([]any, len(r))
			for i, one := range r {
				if inner, isObject := one.(Object); isObject {
					one = without(inner, keep)
				}
				all[i] = one
			}
			o[name] = all
		default:
			o[name] = rule
		}
	}
	return o
}

// Document returns the schema as JSON has it; it must not be changed.
func (s *Schema) Document() Object { return s.document }

// Origin says where arguments come from, for the words of an error.
type Origin struct {
	InQuery map[string]bool // names that came by the query
	Body    []byte          // as it was sent: its members are told in its order
}

// Check judges args. Digits in strings are turned into numbers first where the
// schema bounds them, so that bounds hold for both spellings; after success members
// that are null are taken out, so that null means absent. The error is an Invalid
// fault in the contract's words.
func (s *Schema) Check(args Object, from Origin) error {
	spelled := spellings{}
	spelled.coerce(s.document, args, "")
	err := s.compiled.Validate(args)
	if err == nil {
		dropNulls(args)
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return domain.WrapFault(err, domain.Invalid, "schema-validation-error", "The request could not be validated.")
	}
	text := s.describe(pick(invalid), told{args: args, spelled: spelled, order: orderOf(from.Body)}, from.InQuery)
	return domain.NewFault(domain.Invalid, "schema-validation-error", "%s", text)
}

// describe words the one error that is told.
func (s *Schema) describe(worst *jsonschema.ValidationError, t told, inQuery map[string]bool) string {
	value := t.value(worst.InstanceLocation)
	text := sentence(worst, value, s.keyword(worst))
	if len(worst.InstanceLocation) == 0 {
		return text
	}
	text += dump(worst, s.rule(worst), t.asGiven(worst.InstanceLocation))
	field := worst.InstanceLocation[len(worst.InstanceLocation)-1]
	if inQuery[worst.InstanceLocation[0]] && !s.bodyWords {
		return fmt.Sprintf("Invalid input for query parameters '%s'. Value: '%s'. %s", shorten(field), plain(value), text)
	}
	return fmt.Sprintf("Invalid input for field '%s'.Value: '%s'. %s", shorten(field), plain(value), text)
}

// rule returns the part of the schema that a value failed, as messages repeat it if
// that tells why.
func (s *Schema) rule(e *jsonschema.ValidationError) any {
	name, path := failed(e)
	if shown := locate(s.shown, path); member(shown, name) != nil {
		return shown
	}
	return locate(s.document, path)
}

// keyword returns what the schema says under the keyword that failed.
func (s *Schema) keyword(e *jsonschema.ValidationError) any {
	name, path := failed(e)
	rule := locate(s.document, path)
	if name == "" {
		return rule
	}
	return member(rule, name)
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
