package column

import (
	"database/sql"
	"sync"
)

// Readers keeps idle readers, because to list the columns of a row costs more than to
// scan them. The zero value is ready; it is safe for concurrent use.
type Readers struct {
	pools sync.Map // nil pointer to the type of a row -> pool of its readers
}

// Reader is a place into which the rows of one table are scanned one after the other.
type Reader[T any] struct {
	Names string // of the columns, as a SELECT lists them
	row   T
	dest  []any // the columns of row
}

// ReaderOf returns an idle reader of T, whose columns are always those of fields and
// lie within it. put gives it back.
func ReaderOf[T any](rs *Readers, fields func(*T) []Field) (r *Reader[T], put func()) {
	kind := (*T)(nil)
	idle, known := rs.pools.Load(kind)
	if !known {
		idle, _ = rs.pools.LoadOrStore(kind, &sync.Pool{})
	}
	pool := idle.(*sync.Pool) //nolint:forcetypeassert // nothing else is stored
	r, ok := pool.Get().(*Reader[T])
	if !ok {
		r = &Reader[T]{}
		list := fields(&r.row)
		r.Names, r.dest = Names(list), make([]any, len(list))
		for i := range list {
			r.dest[i] = &list[i]
		}
	}
	return r, func() {
		var zero T
		r.row = zero // what was read belongs to the caller alone
		pool.Put(r)
	}
}

// Read returns the row at which found stands.
func (r *Reader[T]) Read(found *sql.Rows) (T, error) {
	var zero T
	r.row = zero
	err := found.Scan(r.dest...)
	return r.row, err
}
