package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/go-zun/zun/internal/cli/table"
)

// field is one named value of an object, in the order in which the server sent it.
type field struct {
	name  string
	value any
}

// record is one object to show.
type record []field

func (r record) get(name string) any {
	for _, f := range r {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// recordOf turns a typed answer into a record, keeping the order of its fields.
func recordOf(v any) (record, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the answer is not an object")
	}
	var r record
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		r = append(r, field{fmt.Sprint(name), value})
	}
	return r, nil
}

// recordsOf is recordOf for a list.
func recordsOf[T any](list []T) ([]record, error) {
	records := make([]record, 0, len(list))
	for _, item := range list {
		r, err := recordOf(item)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// output prints records in the form that the user chose.
type output struct {
	form    string   // "table", "json", "yaml", "value"
	columns []string // narrows and orders; empty: all
}

var forms = []string{"table", "json", "yaml", "value"} //nolint:gochecknoglobals // a constant list

func (o output) check() error {
	if slices.Contains(forms, o.form) {
		return nil
	}
	return fmt.Errorf("unknown format %q: use one of %s", o.form, strings.Join(forms, ", "))
}

// one prints a single object.
func (o output) one(w io.Writer, r record) error {
	if len(o.columns) > 0 {
		if err := o.recognised(r.names()); err != nil {
			return err
		}
		r = r.only(o.columns)
	}
	switch o.form {
	case "json":
		return writeJSON(w, r)
	case "yaml":
		return writeYAML(w, r)
	case "value":
		for _, f := range r {
			if _, err := fmt.Fprintln(w, text(f.value)); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, 0, len(r))
	for _, f := range r {
		rows = append(rows, []string{f.name, text(f.value)})
	}
	return table.Write(w, []string{"Property", "Value"}, rows)
}

// many prints a list with the given columns.
func (o output) many(w io.Writer, columns []string, list []record) error {
	if len(o.columns) > 0 {
		if len(list) > 0 { // there is more in an object than its list shows
			if err := o.recognised(list[0].names()); err != nil {
				return err
			}
		}
		columns = o.columns
	}
	narrow := make([]record, 0, len(list))
	for _, r := range list {
		narrow = append(narrow, r.only(columns))
	}
	switch o.form {
	case "json":
		return writeJSON(w, narrow)
	case "yaml":
		return writeYAML(w, narrow)
	}
	rows := make([][]string, 0, len(list))
	for _, r := range narrow {
		row := make([]string, 0, len(r))
		for _, f := range r {
			row = append(row, text(f.value))
		}
		rows = append(rows, row)
	}
	if o.form == "value" {
		for _, row := range rows {
			if _, err := fmt.Fprintln(w, strings.Join(row, " ")); err != nil {
				return err
			}
		}
		return nil
	}
	return table.Write(w, columns, rows)
}

// recognised is an error if none of the columns that the user chose is one of names, as it
// is to other OpenStack clients; one that only newer versions of the API have is empty.
func (o output) recognised(names []string) error {
	for _, c := range o.columns {
		if slices.Contains(names, c) {
			return nil
		}
	}
	return fmt.Errorf("no column %s: there are %s", strings.Join(o.columns, ", "), strings.Join(names, ", "))
}

func (r record) names() []string {
	names := make([]string, 0, len(r))
	for _, f := range r {
		names = append(names, f.name)
	}
	return names
}

func (r record) only(columns []string) record {
	narrow := make(record, 0, len(columns))
	for _, c := range columns {
		narrow = append(narrow, field{c, r.get(c)})
	}
	return narrow
}

// MarshalJSON keeps the order of the fields.
func (r record) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeYAML goes by way of JSON, which YAML contains, so that both forms agree.
func writeYAML(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(data, &node); err != nil {
		return fmt.Errorf("write as YAML: %w", err)
	}
	blockStyle(&node)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return fmt.Errorf("write as YAML: %w", err)
	}
	return enc.Close()
}

func blockStyle(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		n.Style &^= yaml.DoubleQuotedStyle
	} else {
		n.Style &^= yaml.FlowStyle
	}
	for _, child := range n.Content {
		blockStyle(child)
	}
}

// text shows one value in a cell: nothing known is None, as users of the original
// read it; lists and objects are JSON.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return v.String()
	case []any, map[string]any:
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(data)
	default:
		return fmt.Sprint(v)
	}
}
