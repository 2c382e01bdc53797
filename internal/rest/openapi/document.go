// Package openapi describes the API as an OpenAPI 3.1 document and prints a
// reference from it. It knows nothing but what the tables of routes and schemas say.
package openapi

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-zun/zun/api"
)

// Object is a JSON object.
type Object = map[string]any

// Operation is one row of the table of routes with the schema of its arguments.
type Operation struct {
	Method, Path string
	Since, Until api.Version // zero is open
	Rule, On     string
	Status       int
	Extension    bool
	Streams      bool   // answers with server-sent events
	Args         Object // JSON schema of the merged query and body; nil: none is judged
}

// ID names the operation after its method and path.
func (o Operation) ID() string {
	words := regexp.MustCompile(`[^a-z0-9]+`).Split(strings.ToLower(strings.TrimPrefix(o.Path, "/v1/")), -1)
	return strings.ToLower(o.Method) + "_" + strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), "_")
}

// resource is the collection that the operation belongs to.
func (o Operation) resource() string {
	name, _, _ := strings.Cut(strings.TrimPrefix(o.Path, "/v1/"), "/")
	return name
}

// versions returns the range of microversions that serve it.
func (o Operation) versions() (low, high api.Version) {
	low, high = api.MinVersion, api.MaxVersion
	if !o.Since.IsZero() {
		low = o.Since
	}
	if !o.Until.IsZero() {
		high = o.Until
	}
	return low, high
}

// inBody says whether the arguments are documented as a body. They may come by the
// query all the same.
func (o Operation) inBody() bool { return o.Method != http.MethodGet && o.Method != http.MethodDelete }

// Document is the description of operations.
func Document(operations []Operation) Object {
	paths, wire := Object{}, shapes{named: Object{}}
	for _, o := range operations {
		item, known := paths[o.Path].(Object)
		if !known {
			item = Object{}
			paths[o.Path] = item
		}
		item[strings.ToLower(o.Method)] = wire.describe(o)
	}
	return Object{
		"openapi": "3.1.0",
		"info": Object{
			"title": "Containers service", "version": api.MaxVersion.String(),
			"description": "Microversions " + api.MinVersion.String() + " to " + api.MaxVersion.String() + ", chosen by the header " +
				api.HeaderVersion + ". Arguments of the query and members of the body are one set; the query wins.",
			"license": Object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"security":   []any{Object{"token": []any{}}},
		"paths":      paths,
		"components": components(wire),
	}
}

func components(wire shapes) Object {
	text := Object{"type": "string"}
	fault := Object{"type": "object", "required": []any{"status", "code", "title", "detail", "links", "request_id"}, "properties": Object{
		"status": Object{"type": "integer"}, "code": text, "title": text, "detail": text,
		"links": Object{"type": "array", "items": Object{"type": "object"}}, "request_id": text,
	}}
	wire.named["Faults"] = Object{"type": "object", "required": []any{"errors"}, "properties": Object{
		"errors": Object{"type": "array", "items": fault},
	}}
	return Object{
		"securitySchemes": Object{"token": Object{"type": "apiKey", "in": "header", "name": api.HeaderToken}},
		"schemas":         wire.named,
	}
}

func (s shapes) describe(o Operation) Object {
	low, high := o.versions()
	described := Object{
		"operationId": o.ID(), "tags": []any{o.resource()},
		"x-openstack-microversions": Object{"min": low.String(), "max": high.String()},
		"parameters":                parameters(o),
		"responses":                 s.responses(o),
	}
	if o.Rule != "" {
		described["x-policy-rule"], described["x-policy-target"] = o.Rule, o.On
	}
	if o.Extension {
		described["x-extension"] = true
	}
	if o.inBody() && len(properties(o)) > 0 {
		described["requestBody"] = Object{
			"required": o.Args["required"] != nil,
			"content":  Object{"application/json": Object{"schema": o.Args}},
		}
	}
	return described
}

func properties(o Operation) Object {
	found, _ := o.Args["properties"].(Object)
	return found
}

var inBraces = regexp.MustCompile(`\{([a-z]+)\}`)

func parameters(o Operation) []any {
	all := []any{Object{"name": api.HeaderVersion, "in": "header", "required": false, "schema": Object{"type": "string"}}}
	for _, match := range inBraces.FindAllStringSubmatch(o.Path, -1) {
		all = append(all, Object{"name": match[1], "in": "path", "required": true, "schema": Object{"type": "string"}})
	}
	if o.inBody() {
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(properties(o))) {
		all = append(all, Object{"name": name, "in": "query", "required": required(o, name), "schema": properties(o)[name]})
	}
	return all
}

func required(o Operation, name string) bool {
	names, _ := o.Args["required"].([]any)
	return slices.Contains(names, any(name))
}

func (s shapes) responses(o Operation) Object {
	success := Object{"description": http.StatusText(o.Status)}
	switch {
	case o.Streams:
		success["content"] = Object{"text/event-stream": Object{"schema": Object{"type": "string"}}}
	case !bodiless(o):
		success["content"] = Object{"application/json": Object{"schema": s.reply(o)}}
	}
	return Object{
		strconv.Itoa(o.Status): success,
		"default": Object{"description": "A fault", "content": Object{"application/json": Object{
			"schema": Object{"$ref": "#/components/schemas/Faults"},
		}}},
	}
}
