package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
)

// tx is one attempt at one transaction. It hands out the nouns, each of which is
// this same tx seen through one port.
type tx struct {
	*sql.Tx // nil in a Glance that has made do without a transaction so far
	store   *Store
	// glances says that who asks only shows what is found, so that rows may be shared.
	glances bool
	// locks ends a SELECT whose rows a decision in this transaction rests on; it
	// is empty where the dialect needs none and in a Read.
	locks string
	// raced is the first failure that only running again can mend. It is kept
	// here because fn may have hidden the error that carried it.
	raced error
	// rides says that this travels in a convoy: no statement may then be broken off
	// by its context, because SQLite would give up the transaction of all others.
	rides bool
	// lost is the first failure after which SQLite may have given up the transaction;
	// a further statement would be on its own, so none is run.
	lost error
}

func (t *tx) Containers() control.Containers { return containers{t} }
func (t *tx) Actions() control.Actions       { return actions{t} }
func (t *tx) Hosts() control.Hosts           { return hosts{t} }
func (t *tx) Quotas() control.Quotas         { return quotas{t} }
func (t *tx) Networks() control.Networks     { return networks{t} }
func (t *tx) Registries() control.Registries { return registries{t} }
func (t *tx) Images() control.Images         { return images{t} }
func (t *tx) Trust() control.Trust           { return trust{t} }

// query runs a query; its rows must be closed.
func (t *tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	if err := ctx.Err(); err != nil {
		return nil, t.fault(err)
	}
	ask := t.store.reader.QueryContext
	if t.Tx != nil {
		ask = t.QueryContext
	}
	found, err := ask(t.store.steady(ctx), t.store.statement(query), args...)
	return found, t.fault(err)
}

// steady returns the context that statements run in. SQLite runs in this process, and a
// statement of it ends soon by itself: to watch over each one costs more than most of
// them take, and to break one off would give up the transaction of all who travel in it.
func (s *Store) steady(ctx context.Context) context.Context {
	if s.convoy != nil {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// exec runs a statement and returns how many rows it matched.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if t.lost != nil {
		return 0, t.lost
	}
	result, err := t.ExecContext(t.store.steady(ctx), t.store.statement(query), args...)
	if err != nil {
		return 0, t.fault(err)
	}
	matched, err := result.RowsAffected()
	return matched, t.fault(err)
}

// insert adds a row made of fields.
func (t *tx) insert(ctx context.Context, table string, fields []column.Field) error {
	query, args, err := column.Insertion(table, fields)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, query, args...)
	return err
}

// insertIf is insert where the condition holds, and returns how many rows that made.
func (t *tx) insertIf(ctx context.Context, table string, fields []column.Field, condition string, more ...any) (int64, error) {
	query, args, err := column.Insertion(table, fields)
	if err != nil {
		return 0, err
	}
	// A selection of no table may have no condition in MariaDB.
	into, values, _ := strings.Cut(strings.TrimSuffix(query, ")"), " VALUES (")
	return t.exec(ctx, into+" SELECT "+values+" FROM (SELECT 1 AS one) AS once WHERE "+condition, append(args, more...)...)
}

// update writes the mutable ones of fields where the condition holds, and returns
// how many rows matched it.
func (t *tx) update(ctx context.Context, table string, fields []column.Field, where string, whereArgs ...any) (int64, error) {
	sets, args, err := column.Changes(fields)
	if err != nil {
		return 0, err
	}
	return t.exec(ctx, "UPDATE "+table+" SET "+sets+" WHERE "+where, append(args, whereArgs...)...)
}

// scalar reads the single row of a query into dest; sql.ErrNoRows if there is none.
func (t *tx) scalar(ctx context.Context, dest []any, query string, args ...any) error {
	found, err := t.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }() // Err below reports what went wrong
	if !found.Next() {
		return cmp.Or(t.fault(found.Err()), sql.ErrNoRows)
	}
	return t.fault(found.Scan(dest...))
}

// page returns the rest of a SELECT, from FROM on, that cuts the page p of l out of the
// rows where holds, and its arguments.
func (t *tx) page(ctx context.Context, l clause.Listing, where clause.Where, p control.Page) (string, []any, error) {
	return l.Page(where, p, func(query string, args ...any) (id int64, err error) {
		err = t.scalar(ctx, []any{&id}, query, args...)
		return id, err
	})
}

// rows reads all rows of a query whose text, from FROM on, is tail.
func rows[T any](ctx context.Context, t *tx, fields func(*T) []column.Field, tail string, args ...any) ([]T, error) {
	return read(ctx, t, fields, "SELECT ", " "+tail, args...)
}

// changed makes the change, "table SET columns", to the rows where the condition holds and returns those
// rows as they are then. The condition must hold for them still.
func changed[T any](ctx context.Context, t *tx, fields func(*T) []column.Field, change, where string, args ...any) ([]T, error) {
	update := "UPDATE " + change + " WHERE " + where
	if t.store.dialect.Returns {
		return read(ctx, t, fields, update+" RETURNING ", "", args...)
	}
	if _, err := t.exec(ctx, update, args...); err != nil {
		return nil, err
	}
	table, sets, _ := strings.Cut(change, " SET ")
	return rows(ctx, t, fields, "FROM "+table+" WHERE "+where, args[strings.Count(sets, "?"):]...)
}

// read reads all rows of the statement of before, the columns of fields, and after.
func read[T any](ctx context.Context, t *tx, fields func(*T) []column.Field, before, after string, args ...any) ([]T, error) {
	r, put := column.ReaderOf(&t.store.readers, fields)
	defer put()
	found, err := t.query(ctx, before+r.Names+after, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // Err below reports what went wrong
	var out []T
	for found.Next() {
		row, err := r.Read(found)
		if err != nil {
			return nil, t.fault(fmt.Errorf("read row: %w", err))
		}
		out = append(out, row)
	}
	return out, t.fault(found.Err())
}

// one reads the first row of a query, or returns missing.
func one[T any](ctx context.Context, t *tx, missing error, fields func(*T) []column.Field, tail string, args ...any) (T, error) {
	found, err := rows(ctx, t, fields, tail, args...)
	if err == nil && len(found) == 0 {
		err = missing
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return found[0], nil
}
