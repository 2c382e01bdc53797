package rest_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/kit/printed"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/internal/rest/openapi"
	"github.com/go-zun/zun/internal/rest/schema"
)

var update = flag.Bool("update", false, "write the reference documents anew")

// TestReferenceIsPrintedFromTheTables fails when a document no longer says what the
// tables say; run it with -update to write the documents anew.
func TestReferenceIsPrintedFromTheTables(t *testing.T) {
	operations, err := rest.Operations(schema.DefaultLimits(), true)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"microversions.md": microversions(), "routes.md": routes(), "api.md": openapi.Print(operations)} {
		printed.Hold(t, filepath.Join("..", "..", "docs", "reference", name), text, *update)
	}
}

func microversions() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Microversions\n\nPrinted from `api.History`; change the table there.\n\n"+
		"A request names its version in the header `%s: %s X.Y`; without the header it is %s, and `%s` is %s.\n\n",
		api.HeaderVersion, api.ServiceType, api.MinVersion, api.Latest, api.MaxVersion)
	b.WriteString("| Gate | What an older request meets |\n|---|---|\n" +
		"| open | nothing: what came later is accepted always |\n" +
		"| param | 400 `invalid-param-in-version` |\n| field | 400, an additional property |\n" +
		"| route | 406 |\n| answer | the older form of the answer or the older reading |\n\n")
	b.WriteString("| Version | Brings | Gate | Fields | Behaviours |\n|---|---|---|---|---|\n")
	for _, c := range api.History() {
		var behaviours []string
		for _, name := range c.Behaviours {
			behaviours = append(behaviours, string(name))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Version, c.Brings, c.Gate, quoted(c.Fields), quoted(behaviours))
	}
	return b.String()
}

func routes() string {
	var b strings.Builder
	b.WriteString("# Routes\n\nPrinted from `rest.Routes`; change the table there.\n\n" +
		"`/`, `/v1` and `/healthcheck` need no token. `/v1` may be left out in front of a path. The rule is judged on the object named; " +
		"a container or registry is looked up first.\n\n" +
		"| Method | Path | Versions | Rule | On | Success |\n|---|---|---|---|---|---|\n")
	for _, r := range rest.Routes() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %d |\n", r.Method, r.Pattern, versions(r), quoted([]string{r.Rule}), r.On, r.Status)
	}
	return b.String()
}

func versions(r rest.Route) string {
	low, high := api.MinVersion, api.MaxVersion
	if !r.Since.IsZero() {
		low = r.Since
	}
	if !r.Until.IsZero() {
		high = r.Until
	}
	return low.String() + " to " + high.String()
}

func quoted(words []string) string {
	var all []string
	for _, w := range words {
		if w != "" {
			all = append(all, "`"+w+"`")
		}
	}
	return strings.Join(all, ", ")
}
