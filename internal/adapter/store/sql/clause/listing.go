package clause

import (
	"database/sql"
	"errors"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Listing is how the rows of one table may be paged.
type Listing struct {
	Table      string
	DefaultKey string
	// Keys are the words a client may sort by; only what it may also see, since an
	// order tells of the values.
	Keys []string
	// Renamed holds the columns of keys whose word is not their column.
	Renamed map[string]string
	// Missing is the fault for a marker that is not in the list.
	Missing func(ident string) error
}

// Page returns the rest of a SELECT, from FROM on, that cuts the page p out of the rows
// where holds, and its arguments. Ties are broken by insertion order, in the same
// direction. ask returns the number that a query finds, or sql.ErrNoRows. Faults:
// Invalid for what may not be sorted by, and Missing.
func (l Listing) Page(where Where, p control.Page, ask func(query string, args ...any) (int64, error)) (string, []any, error) {
	column, err := l.column(p.SortKey)
	if err != nil {
		return "", nil, err
	}
	direction, beyond := "", " > "
	if p.Desc {
		direction, beyond = " DESC", " < "
	}
	if p.Marker != "" {
		id, err := l.marker(where, p.Marker, ask)
		if err != nil {
			return "", nil, err
		}
		if column == "id" {
			where.Add("id"+beyond+"?", id)
		} else {
			value := "(SELECT marker." + column + " FROM " + l.Table + " marker WHERE marker.id = ?)"
			where.Add("("+column+beyond+value+" OR ("+column+" = "+value+" AND id"+beyond+"?))", id, id, id)
		}
	}
	tail := "FROM " + l.Table + where.String() + " ORDER BY " + column + direction
	if column != "id" {
		tail += ", id" + direction
	}
	if p.Limit > 0 {
		tail += " LIMIT ?"
		where.Args = append(where.Args, p.Limit)
	}
	return tail, where.Args, nil
}

// marker returns the insertion id of the row that the former page ended with.
func (l Listing) marker(where Where, ident string, ask func(query string, args ...any) (int64, error)) (int64, error) {
	where.Add("uuid = ?", ident)
	id, err := ask("SELECT id FROM "+l.Table+where.String(), where.Args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, l.Missing(ident)
	}
	return id, err
}

func (l Listing) column(key string) (string, error) {
	if key == "" {
		key = l.DefaultKey
	}
	if !slices.Contains(l.Keys, key) {
		return "", domain.NewFault(domain.Invalid, "invalid-parameter-value", "The sort_key value %q is an invalid field for sorting", key)
	}
	if column, ok := l.Renamed[key]; ok {
		return column, nil
	}
	return key, nil
}
