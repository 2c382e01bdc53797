// Package clause writes the ends of SELECT statements: which rows, in which order, and
// how many of them.
package clause

import "strings"

// Where gathers the parts of a WHERE; the zero value takes every row.
type Where struct {
	parts []string
	Args  []any // those of the parts, in order
}

// Add demands part as well.
func (w *Where) Add(part string, args ...any) {
	w.parts, w.Args = append(w.parts, part), append(w.Args, args...)
}

// Equal demands column = *value unless value is nil.
func (w *Where) Equal(column string, value *string) {
	if value != nil {
		w.Add(column+" = ?", *value)
	}
}

// String is the clause with a space before it, empty where every row is taken.
func (w *Where) String() string {
	if len(w.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.parts, " AND ")
}

// Among demands column IN (values).
func Among[T any](w *Where, column string, values []T) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	w.Add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}
