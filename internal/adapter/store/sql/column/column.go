// Package column binds the columns of a table to the places of a struct, in both
// directions: a noun lists its columns once, and all its statements are made from
// that list. It keeps times as microseconds since 1970 UTC, zero for "never", and
// maps and lists as JSON text.
package column

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// cell carries one value between a struct and a column, in both directions.
type cell interface {
	driver.Valuer
	sql.Scanner
}

// Role says who writes a column, and when.
type Role uint8

// The roles; a Field is Mutable unless it is told otherwise.
const (
	Mutable Role = iota // every insert and update
	Fixed               // the insert only
	Created             // the insert, by the database's clock
	Changed             // every update, by the database's clock; zero before the first
)

// Field is one column and its place in a struct. It scans into that place.
type Field struct {
	Column string
	cell
	role Role
}

// As returns the field in another role.
func (f Field) As(r Role) Field { f.role = r; return f }

// Recast gives the column called name another role among fields, which it changes.
func Recast(fields []Field, name string, r Role) {
	for i, f := range fields {
		if f.Column == name {
			fields[i] = f.As(r)
		}
	}
}

// Names returns the columns of fields, separated by commas.
func Names(fields []Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Column
	}
	return strings.Join(names, ", ")
}

// Insertion returns the INSERT of fields and its arguments.
func Insertion(table string, fields []Field) (string, []any, error) {
	marks, args := make([]string, len(fields)), make([]any, 0, len(fields))
	for i, f := range fields {
		switch f.role {
		case Created:
			marks[i] = "@now"
		case Changed:
			marks[i] = "0"
		default:
			value, err := f.Value()
			if err != nil {
				return "", nil, fmt.Errorf("encode %s.%s: %w", table, f.Column, err)
			}
			marks[i], args = "?", append(args, value)
		}
	}
	return "INSERT INTO " + table + " (" + Names(fields) + ") VALUES (" + strings.Join(marks, ", ") + ")", args, nil
}

// Changes returns the SET list of the fields that an update may write, and its arguments.
func Changes(fields []Field) (string, []any, error) {
	sets, args := make([]string, 0, len(fields)), make([]any, 0, len(fields))
	for _, f := range fields {
		switch f.role {
		case Changed:
			sets = append(sets, f.Column+" = @now")
		case Mutable:
			value, err := f.Value()
			if err != nil {
				return "", nil, fmt.Errorf("encode %s: %w", f.Column, err)
			}
			sets, args = append(sets, f.Column+" = ?"), append(args, value)
		}
	}
	return strings.Join(sets, ", "), args, nil
}

// Text is a string.
func Text[T ~string](column string, p *T) Field { return Field{Column: column, cell: textCell[T]{p}} }

type textCell[T ~string] struct{ p *T }

func (c textCell[T]) Value() (driver.Value, error) { return string(*c.p), nil }

func (c textCell[T]) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*c.p = T(v)
	case []byte:
		*c.p = T(v)
	default:
		return fmt.Errorf("scan %T into text", src)
	}
	return nil
}

// Reference is a text whose empty value is stored as NULL, as foreign keys want it.
func Reference[T ~string](column string, p *T) Field {
	return Field{Column: column, cell: referenceCell[T]{p}}
}

type referenceCell[T ~string] struct{ p *T }

func (c referenceCell[T]) Value() (driver.Value, error) {
	if *c.p == "" {
		return nil, nil
	}
	return string(*c.p), nil
}

func (c referenceCell[T]) Scan(src any) error {
	if src == nil {
		*c.p = ""
		return nil
	}
	return textCell[T](c).Scan(src)
}

// Number is a whole number.
func Number[T ~int | ~int64 | ~uint8](column string, p *T) Field {
	return Field{Column: column, cell: numberCell[T]{p}}
}

type numberCell[T ~int | ~int64 | ~uint8] struct{ p *T }

func (c numberCell[T]) Value() (driver.Value, error) { return int64(*c.p), nil }

func (c numberCell[T]) Scan(src any) error {
	v, err := integer(src)
	*c.p = T(v)
	return err
}

// Optional is a number that may be absent.
func Optional(column string, p **int) Field { return Field{Column: column, cell: optionalCell{p}} }

type optionalCell struct{ p **int }

func (c optionalCell) Value() (driver.Value, error) {
	if *c.p == nil {
		return nil, nil
	}
	return int64(**c.p), nil
}

func (c optionalCell) Scan(src any) error {
	if src == nil {
		*c.p = nil
		return nil
	}
	v, err := integer(src)
	n := int(v)
	*c.p = &n
	return err
}

// Flag is true or false.
func Flag(column string, p *bool) Field { return Field{Column: column, cell: flagCell{p}} }

type flagCell struct{ p *bool }

func (c flagCell) Value() (driver.Value, error) { return *c.p, nil }

func (c flagCell) Scan(src any) error {
	if v, ok := src.(bool); ok {
		*c.p = v
		return nil
	}
	v, err := integer(src)
	*c.p = v != 0
	return err
}

// Decimal is a floating-point number.
func Decimal(column string, p *float64) Field { return Field{Column: column, cell: decimalCell{p}} }

type decimalCell struct{ p *float64 }

func (c decimalCell) Value() (driver.Value, error) { return *c.p, nil }

func (c decimalCell) Scan(src any) (err error) {
	switch v := src.(type) {
	case float64:
		*c.p = v
	case float32:
		*c.p = float64(v)
	case int64:
		*c.p = float64(v)
	case []byte:
		*c.p, err = strconv.ParseFloat(string(v), 64)
	default:
		return fmt.Errorf("scan %T into a decimal", src)
	}
	return err
}

// CPUs keeps CPUs as whole millionths, because a sum of claims given back must
// come to exactly nothing.
func CPUs(column string, p *float64) Field { return Field{Column: column, cell: cpusCell{p}} }

type cpusCell struct{ p *float64 }

// Millionths is how CPUs are counted.
func Millionths(cpus float64) int64 { return int64(math.Round(cpus * 1e6)) }

func (c cpusCell) Value() (driver.Value, error) { return Millionths(*c.p), nil }

func (c cpusCell) Scan(src any) error {
	v, err := integer(src)
	*c.p = float64(v) / 1e6
	return err
}

// Moment is a time; the zero time is kept as 0.
func Moment(column string, p *time.Time) Field { return Field{Column: column, cell: momentCell{p}} }

type momentCell struct{ p *time.Time }

// Micros is how a Moment is kept: microseconds since 1970 UTC, zero for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func (c momentCell) Value() (driver.Value, error) { return Micros(*c.p), nil }

func (c momentCell) Scan(src any) error {
	v, err := integer(src)
	*c.p = time.Time{}
	if v != 0 {
		*c.p = time.UnixMicro(v).UTC()
	}
	return err
}

// Blob is bytes; nil and empty are the same.
func Blob(column string, p *[]byte) Field { return Field{Column: column, cell: blobCell{p}} }

type blobCell struct{ p *[]byte }

func (c blobCell) Value() (driver.Value, error) {
	if *c.p == nil {
		return []byte{}, nil
	}
	return *c.p, nil
}

func (c blobCell) Scan(src any) error {
	v, ok := src.([]byte)
	if !ok && src != nil {
		return fmt.Errorf("scan %T into bytes", src)
	}
	*c.p = append([]byte(nil), v...)
	return nil
}

// Document keeps a map, a list or a struct as JSON; nil and empty stay apart.
func Document[T any](column string, p *T) Field {
	return Field{Column: column, cell: documentCell[T]{p}}
}

type documentCell[T any] struct{ p *T }

func (c documentCell[T]) Value() (driver.Value, error) {
	encoded, err := json.Marshal(*c.p)
	return string(encoded), err
}

func (c documentCell[T]) Scan(src any) error {
	var encoded []byte
	switch v := src.(type) {
	case string:
		encoded = []byte(v)
	case []byte:
		encoded = v
	default:
		return fmt.Errorf("scan %T into a document", src)
	}
	if string(encoded) == "null" {
		return nil // the commonest value; the row was zeroed before
	}
	return json.Unmarshal(encoded, c.p)
}

func integer(src any) (int64, error) {
	switch v := src.(type) {
	case int64:
		return v, nil
	case []byte:
		return strconv.ParseInt(string(v), 10, 64)
	default:
		return 0, fmt.Errorf("scan %T into a number", src)
	}
}
