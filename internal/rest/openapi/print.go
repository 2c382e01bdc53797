package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Print writes the reference of operations as Markdown, by resource.
func Print(operations []Operation) string {
	var b strings.Builder
	b.WriteString("# API reference\n\nPrinted from the tables of routes and schemas; the same is served as OpenAPI 3.1 at `/v1/openapi.json`, which needs no token.\n\n" +
		"Arguments may come by the query or as members of a JSON body; the query wins. Types are those of JSON; digits as text are read as numbers.\n")
	last := ""
	for _, o := range operations {
		if o.resource() != last {
			last = o.resource()
			fmt.Fprintf(&b, "\n## %s\n", last)
		}
		printOne(&b, o)
	}
	return b.String()
}

func printOne(b *strings.Builder, o Operation) {
	low, high := o.versions()
	fmt.Fprintf(b, "\n### `%s %s`\n\nMicroversions %s to %s. Success %d.", o.Method, o.Path, low, high, o.Status)
	if o.Rule != "" {
		fmt.Fprintf(b, " Rule `%s`, judged on the %s.", o.Rule, o.On)
	}
	if o.Extension {
		b.WriteString(" An extension: served with `[api] extensions = true`.")
	}
	b.WriteString("\n")
	if len(properties(o)) == 0 {
		return
	}
	b.WriteString("\n| Argument | Type | Required | Bounds |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(properties(o))) {
		rule, _ := properties(o)[name].(Object)
		must := ""
		if required(o, name) {
			must = "yes"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", name, typeOf(rule), must, bounds(rule))
	}
}

func typeOf(rule Object) string {
	switch t := rule["type"].(type) {
	case string:
		return t
	case []any:
		words := make([]string, len(t))
		for i, word := range t {
			words[i] = fmt.Sprint(word)
		}
		return strings.Join(words, " or ")
	}
	return ""
}

// bounds puts the keywords of a rule that fit into a line.
func bounds(rule Object) string {
	var all []string
	for _, keyword := range []string{"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern", "format"} {
		if value, set := rule[keyword]; set {
			all = append(all, fmt.Sprintf("%s `%s`", keyword, strings.ReplaceAll(fmt.Sprint(value), "|", `\|`)))
		}
	}
	if words, set := rule["enum"].([]any); set {
		shown := make([]string, 0, len(words))
		for _, word := range words[:min(len(words), 8)] {
			if word == nil {
				word = "null"
			}
			shown = append(shown, fmt.Sprintf("`%v`", word))
		}
		if len(words) > len(shown) {
			shown = append(shown, "…")
		}
		all = append(all, "one of "+strings.Join(shown, ", "))
	}
	return strings.Join(all, ", ")
}
