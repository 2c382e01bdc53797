package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// listing is how the rows of one table may be paged.
type listing struct {
	table      string
	defaultKey string
	// keys are the words a client may sort by; only what it may also see, since an
	// order tells of the values.
	keys []string
	// renamed holds the columns of keys whose word is not their column.
	renamed map[string]string
	// missing is the fault for a marker that is not in the list.
	missing func(ident string) error
}

// page returns the rest of a SELECT, from FROM on, that cuts the page asked for out
// of the rows where holds, and its arguments. Ties are broken by insertion order, in the same direction.
func (t *tx) page(ctx context.Context, l listing, where condition, p control.Page) (string, []any, error) {
	column, err := l.column(p.SortKey)
	if err != nil {
		return "", nil, err
	}
	direction, beyond := "", " > "
	if p.Desc {
		direction, beyond = " DESC", " < "
	}
	if p.Marker != "" {
		id, err := t.marker(ctx, l, where, p.Marker)
		if err != nil {
			return "", nil, err
		}
		if column == "id" {
			where.add("id"+beyond+"?", id)
		} else {
			value := "(SELECT marker." + column + " FROM " + l.table + " marker WHERE marker.id = ?)"
			where.add("("+column+beyond+value+" OR ("+column+" = "+value+" AND id"+beyond+"?))", id, id, id)
		}
	}
	tail := "FROM " + l.table + where.String() + " ORDER BY " + column + direction
	if column != "id" {
		tail += ", id" + direction
	}
	if p.Limit > 0 {
		tail += " LIMIT ?"
		where.args = append(where.args, p.Limit)
	}
	return tail, where.args, nil
}

// marker returns the insertion id of the row that the former page ended with.
func (t *tx) marker(ctx context.Context, l listing, where condition, ident string) (int64, error) {
	where.add("uuid = ?", ident)
	var id int64
	err := t.scalar(ctx, []any{&id}, "SELECT id FROM "+l.table+where.String(), where.args...)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, l.missing(ident)
	}
	return id, err
}

func (l listing) column(key string) (string, error) {
	if key == "" {
		key = l.defaultKey
	}
	if !slices.Contains(l.keys, key) {
		return "", domain.NewFault(domain.Invalid, "invalid-parameter-value", "The sort_key value %q is an invalid field for sorting", key)
	}
	if column, ok := l.renamed[key]; ok {
		return column, nil
	}
	return key, nil
}
