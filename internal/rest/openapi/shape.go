package openapi

import (
	"reflect"
	"strings"
)

// shapes describe Go types of the wire as JSON Schema, each named one once.
type shapes struct{ named Object }

// of returns the schema of values of t as encoding/json writes them.
func (s shapes) of(t reflect.Type) Object {
	switch t.Kind() {
	case reflect.Pointer:
		return orNull(s.of(t.Elem()))
	case reflect.Slice:
		return Object{"type": []any{"array", "null"}, "items": s.of(t.Elem())}
	case reflect.Map:
		return Object{"type": []any{"object", "null"}, "additionalProperties": s.of(t.Elem())}
	case reflect.String:
		return Object{"type": "string"}
	case reflect.Bool:
		return Object{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return Object{"type": "integer"}
	case reflect.Float64:
		return Object{"type": "number"}
	case reflect.Struct:
		if value, optional := t.FieldByName("Value"); optional && strings.HasPrefix(t.Name(), "Optional[") {
			return s.of(value.Type)
		}
		return s.reference(t)
	default:
		return Object{} // anything
	}
}

// reference names t, which is described among the components.
func (s shapes) reference(t reflect.Type) Object {
	if _, known := s.named[t.Name()]; !known {
		members := Object{}
		s.named[t.Name()] = Object{} // a type may hold itself
		required := s.members(t, members)
		s.named[t.Name()] = Object{"type": "object", "properties": members, "required": required, "additionalProperties": false}
	}
	return Object{"$ref": "#/components/schemas/" + t.Name()}
}

// members describes the fields of t and returns the names that are always there.
func (s shapes) members(t reflect.Type, into Object) []any {
	required := []any{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case field.Anonymous && name == "":
			required = append(required, s.members(field.Type, into)...)
			continue
		}
		into[name] = s.of(field.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	return required
}

// orNull lets null beside what schema describes.
func orNull(schema Object) Object {
	if kind, single := schema["type"].(string); single {
		schema["type"] = []any{kind, "null"}
		return schema
	}
	if _, named := schema["$ref"]; named {
		return Object{"anyOf": []any{schema, Object{"type": "null"}}}
	}
	return schema
}
