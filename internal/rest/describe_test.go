package rest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/go-zun/zun/internal/rest"
)

// described is what the tests read of the document.
type described struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		ID          string         `json:"operationId"`
		Rule        string         `json:"x-policy-rule"`
		Responses   map[string]any `json:"responses"`
		RequestBody *struct {
			Content map[string]struct {
				Schema any `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
		Parameters []struct {
			Name string `json:"name"`
			In   string `json:"in"`
		} `json:"parameters"`
	} `json:"paths"`
}

func TestTheDocumentDescribesEveryRouteAndNeedsNoToken(t *testing.T) {
	h := build(t, func(d *rest.Deps) { d.Options.Extensions = true })
	w := h.do(t, ask{path: "/v1/openapi.json", token: "-"})
	var doc described
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%d %v", w.Code, err)
	}
	ids := map[string]bool{}
	for _, r := range rest.Routes() {
		o, known := doc.Paths[r.Pattern][strings.ToLower(r.Method)]
		if !known || o.Rule != r.Rule || len(o.Responses) != 2 || ids[o.ID] {
			t.Errorf("%s %s is described as %+v", r.Method, r.Pattern, o)
		}
		ids[o.ID] = true
		inPath := 0
		for _, p := range o.Parameters {
			if p.In == "path" {
				inPath++
			}
		}
		if inPath != strings.Count(r.Pattern, "{") {
			t.Errorf("%s has %d parameters in its path", r.Pattern, inPath)
		}
	}
	plain := build(t, nil).do(t, ask{path: "/v1/openapi.json", token: "-"})
	if strings.Contains(plain.Body.String(), "/v1/events") {
		t.Error("an extension that is off is described")
	}
	if w := h.do(t, ask{method: "POST", path: "/v1/openapi.json"}); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestTheSchemasOfTheDocumentAreOfItsDialect compiles every body by the rules of
// JSON Schema 2020-12, which OpenAPI 3.1 speaks.
func TestTheSchemasOfTheDocumentAreOfItsDialect(t *testing.T) {
	w := build(t, nil).do(t, ask{path: "/v1/openapi.json"})
	var doc described
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	compiled := 0
	for path, item := range doc.Paths {
		for method, o := range item {
			if o.RequestBody == nil {
				continue
			}
			c := jsonschema.NewCompiler()
			c.DefaultDraft(jsonschema.Draft2020)
			url := "mem:///" + o.ID
			if err := c.AddResource(url, o.RequestBody.Content["application/json"].Schema); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Compile(url); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			compiled++
		}
	}
	if compiled < 10 {
		t.Errorf("only %d bodies", compiled)
	}
}
