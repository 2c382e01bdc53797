package sqlstore

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

// role says who writes a column, and when.
type role uint8

const (
	mutable role = iota // every insert and update
	fixed               // the insert only
	created             // the insert, by the database's clock
	changed             // every update, by the database's clock; zero before the first
)

// field binds a column to a place in a struct. A noun lists its fields once; all
// its statements are made from that list.
type field struct {
	column string
	cell
	role role
}

func (f field) as(r role) field { f.role = r; return f }

func columns(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.column
	}
	return strings.Join(names, ", ")
}

// insertion returns the INSERT of fields and its arguments.
func insertion(table string, fields []field) (string, []any, error) {
	marks, args := make([]string, len(fields)), make([]any, 0, len(fields))
	for i, f := range fields {
		switch f.role {
		case created:
			marks[i] = "@now"
		case changed:
			marks[i] = "0"
		default:
			value, err := f.Value()
			if err != nil {
				return "", nil, fmt.Errorf("encode %s.%s: %w", table, f.column, err)
			}
			marks[i], args = "?", append(args, value)
		}
	}
	return "INSERT INTO " + table + " (" + columns(fields) + ") VALUES (" + strings.Join(marks, ", ") + ")", args, nil
}

// changes returns the SET list of the fields that an update may write.
func changes(fields []field) (string, []any, error) {
	sets, args := make([]string, 0, len(fields)), make([]any, 0, len(fields))
	for _, f := range fields {
		switch f.role {
		case changed:
			sets = append(sets, f.column+" = @now")
		case mutable:
			value, err := f.Value()
			if err != nil {
				return "", nil, fmt.Errorf("encode %s: %w", f.column, err)
			}
			sets, args = append(sets, f.column+" = ?"), append(args, value)
		}
	}
	return strings.Join(sets, ", "), args, nil
}

func text[T ~string](column string, p *T) field { return field{column: column, cell: textCell[T]{p}} }

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

// reference is a text whose empty value is stored as NULL, as foreign keys want it.
func reference[T ~string](column string, p *T) field {
	return field{column: column, cell: referenceCell[T]{p}}
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

func number[T ~int | ~int64 | ~uint8](column string, p *T) field {
	return field{column: column, cell: numberCell[T]{p}}
}

type numberCell[T ~int | ~int64 | ~uint8] struct{ p *T }

func (c numberCell[T]) Value() (driver.Value, error) { return int64(*c.p), nil }

func (c numberCell[T]) Scan(src any) error {
	v, err := integer(src)
	*c.p = T(v)
	return err
}

// optional is a number that may be absent.
func optional(column string, p **int) field { return field{column: column, cell: optionalCell{p}} }

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

func flag(column string, p *bool) field { return field{column: column, cell: flagCell{p}} }

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

func decimal(column string, p *float64) field { return field{column: column, cell: decimalCell{p}} }

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

// cpus keeps CPUs as whole millionths, because a sum of claims given back must
// come to exactly nothing.
func cpus(column string, p *float64) field { return field{column: column, cell: cpusCell{p}} }

type cpusCell struct{ p *float64 }

func millionths(cpus float64) int64 { return int64(math.Round(cpus * 1e6)) }

func (c cpusCell) Value() (driver.Value, error) { return millionths(*c.p), nil }

func (c cpusCell) Scan(src any) error {
	v, err := integer(src)
	*c.p = float64(v) / 1e6
	return err
}

func moment(column string, p *time.Time) field { return field{column: column, cell: momentCell{p}} }

type momentCell struct{ p *time.Time }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func (c momentCell) Value() (driver.Value, error) { return micros(*c.p), nil }

func (c momentCell) Scan(src any) error {
	v, err := integer(src)
	*c.p = time.Time{}
	if v != 0 {
		*c.p = time.UnixMicro(v).UTC()
	}
	return err
}

func blob(column string, p *[]byte) field { return field{column: column, cell: blobCell{p}} }

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

// document keeps a map, a list or a struct as JSON; nil and empty stay apart.
func document[T any](column string, p *T) field {
	return field{column: column, cell: documentCell[T]{p}}
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
