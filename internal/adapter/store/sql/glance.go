package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Glance is Read for those who only show what they find. A single look-up makes do
// without a transaction. Rows of containers may lie on a shelf of this process: each is
// asked from the database by its mark, and read as a whole only if the mark is new.
func (s *Store) Glance(ctx context.Context, fn func(ctx context.Context, tx control.Tx) error) error {
	return s.persist(ctx, func() (bool, error) {
		t := &tx{store: s, glances: true}
		defer func() {
			if t.Tx != nil {
				_ = t.Rollback() // it has written nothing
			}
		}()
		err := fn(ctx, t)
		if t.raced != nil {
			return true, t.raced
		}
		return false, err
	})
}

// snapshot makes the statements that follow see one state of the database, which only
// a Glance does not do from its start.
func (t *tx) snapshot(ctx context.Context) (err error) {
	if t.Tx != nil {
		return nil
	}
	if t.Tx, err = t.store.reader.BeginTx(t.store.steady(ctx), t.store.dialect.Reading); err != nil {
		return t.store.dialect.Unserved(t.fault(fmt.Errorf("begin transaction: %w", err)))
	}
	return nil
}

// mark stands for one state of one row. The number is never given twice, and the
// version is raised by every write. The time is there for a replica of the release
// before, which may still be running and knows nothing of versions.
type mark struct{ number, version, updated int64 }

func markFields(m *mark) []column.Field {
	return []column.Field{column.Number("id", &m.number), column.Number("version", &m.version), column.Number("updated_at", &m.updated)}
}

// marked is a row with its mark.
type marked struct {
	mark
	row domain.Container
}

func markedFields(m *marked) []column.Field {
	// The time is a column of the row already.
	return append(containerFields(&m.row), markFields(&m.mark)[:2]...)
}

// What a usual row takes in memory, in bytes, and room for about twelve thousand.
const (
	usualWeight = 2500
	shelfBound  = 32 << 20
)

// glance returns the first row of a query, or missing.
func (s containers) glance(ctx context.Context, missing error, tail string, args ...any) (domain.Container, error) {
	found, err := s.shelved(ctx, tail, args...)
	if err == nil && len(found) == 0 {
		err = missing
	}
	if err != nil {
		return domain.Container{}, err
	}
	return found[0], nil
}

// shelved reads the marks of a query's rows, and of the rows themselves those that are
// not on the shelf. A row that went between the two is left out.
func (s containers) shelved(ctx context.Context, tail string, args ...any) ([]domain.Container, error) {
	marks, err := rows(ctx, s.tx, markFields, tail, args...)
	if err != nil {
		return nil, err
	}
	shelved := make([]*domain.Container, len(marks))
	var unknown []int64
	for i, m := range marks {
		var known bool
		if shelved[i], known = s.store.shelf.Take(m); !known {
			unknown = append(unknown, m.number)
		}
	}
	fresh, err := s.fetch(ctx, unknown)
	if err != nil {
		return nil, err
	}
	found := make([]domain.Container, 0, len(marks))
	for i, m := range marks {
		row := shelved[i]
		if row == nil {
			row = fresh[m.number]
		}
		if row != nil {
			found = append(found, *row)
		}
	}
	return found, nil
}

// portion is how many rows are fetched at once; one number is repeated to make a
// portion full, so that few statements are enough for all.
const portion = 100

// fetch reads rows by their numbers and lays them on the shelf.
func (s containers) fetch(ctx context.Context, numbers []int64) (map[int64]*domain.Container, error) {
	found := make(map[int64]*domain.Container, len(numbers))
	for some := range slices.Chunk(numbers, portion) {
		for len(numbers) > 1 && len(some) < portion {
			some = append(some[:len(some):len(some)], some[0])
		}
		var where clause.Where
		clause.Among(&where, "id", some)
		read, err := rows(ctx, s.tx, markedFields, "FROM containers"+where.String(), where.Args...)
		if err != nil {
			return nil, err
		}
		for i := range read {
			m := &read[i]
			m.updated = column.Micros(m.row.UpdatedAt)
			row := m.row
			found[m.number] = &row
			s.store.shelf.Put(m.mark, &row, usualWeight+row.Spec.Bulk())
		}
	}
	return found, nil
}
