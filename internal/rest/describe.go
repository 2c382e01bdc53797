package rest

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/rest/openapi"
	"github.com/go-zun/zun/internal/rest/schema"
)

// descriptionPath is where the OpenAPI document is, without its suffix.
const descriptionPath = "/v1/openapi"

// Operations describes the table of routes under limits, at the newest microversion
// that serves each; extensions says whether those are among them.
func Operations(limits schema.Limits, extensions bool) ([]openapi.Operation, error) {
	schemas, err := schema.NewSet(limits)
	if err != nil {
		return nil, err
	}
	var all []openapi.Operation
	for _, r := range Routes() {
		if r.Extension && !extensions {
			continue
		}
		newest := api.MaxVersion
		if !r.Until.IsZero() {
			newest = r.Until
		}
		o := openapi.Operation{
			Method: r.Method, Path: r.Pattern, Since: r.Since, Until: r.Until, Rule: r.Rule, On: string(r.On),
			Status: r.Status, Extension: r.Extension, Streams: r.Streams,
		}
		if rules := schemas.For(r.Args, newest); rules != nil {
			o.Args = rules.Document()
		}
		all = append(all, o)
	}
	return all, nil
}
