package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/control"
)

// convoy lets transactions that wait for SQLite's one writer share a commit, since
// waiting for the disk costs more than all they do before it. Each runs alone, in
// its turn, inside a savepoint of its own; whoever finds nobody waiting commits for
// all, and none of them returns before that commit is on the disk.
type convoy struct {
	// turn holds the ride under way, or nil, whenever nobody is writing.
	turn chan *ride
	// waiting counts those who want the turn. They stay until they get it, so that
	// a ride that is handed on always has somebody to end it.
	waiting atomic.Int64
	// arrived numbers those who came for the turn, from 1 on.
	arrived atomic.Int64
	// stuck is the last ride that could not begin. Whoever has the turn may touch it.
	stuck struct {
		err  error
		upTo int64 // who had arrived when it was tried
	}
}

// ride is one transaction of the database with all that travels in it.
type ride struct {
	tx     *sql.Tx
	riders int
	done   chan struct{} // closed after the commit; err may be read then
	err    error
}

// maxRiders bounds how long the first of a ride waits for its commit.
const maxRiders = 48

func newConvoy() *convoy {
	c := &convoy{turn: make(chan *ride, 1)}
	c.turn <- nil
	return c
}

// travel is attempt for a database with a convoy.
func (s *Store) travel(ctx context.Context, fn func(ctx context.Context, tx control.Tx) error) (again bool, err error) {
	number := s.convoy.arrived.Add(1)
	s.convoy.waiting.Add(1)
	r := <-s.convoy.turn
	s.convoy.waiting.Add(-1)
	t := &tx{store: s, rides: true}
	if r == nil {
		if r, err = s.convoy.depart(ctx, s, t, number); err != nil {
			s.convoy.turn <- nil
			return false, err // SQLite has waited for its lock as long as anybody should
		}
	}
	if err := s.board(ctx, t, r, fn); err != nil {
		return t.raced != nil, err
	}
	<-r.done
	return false, r.err
}

// depart begins a ride for the one who arrived as number. A database that somebody else
// holds costs all who waited while that was found out the same time, and not each his own
// after the others'.
func (c *convoy) depart(ctx context.Context, s *Store, t *tx, number int64) (*ride, error) {
	if c.stuck.err != nil && number <= c.stuck.upTo {
		return nil, c.stuck.err
	}
	upTo := c.arrived.Load()
	r, err := s.depart(ctx, t)
	c.stuck.err, c.stuck.upTo = nil, 0
	if err != nil && ctx.Err() == nil {
		c.stuck.err, c.stuck.upTo = err, upTo
	}
	return r, err
}

// depart begins a ride. It outlives ctx, because others will travel in it.
func (s *Store) depart(ctx context.Context, t *tx) (*ride, error) {
	if err := ctx.Err(); err != nil {
		return nil, s.dialect.Fault(err)
	}
	begun, err := s.writer.BeginTx(context.WithoutCancel(ctx), s.dialect.Writing)
	if err != nil {
		return nil, s.dialect.Unserved(t.fault(fmt.Errorf("begin transaction: %w", err)))
	}
	return &ride{tx: begun, done: make(chan struct{})}, nil
}

// board runs fn in its savepoint and hands the ride on, also when fn panics.
func (s *Store) board(ctx context.Context, t *tx, r *ride, fn func(ctx context.Context, tx control.Tx) error) (err error) {
	t.Tx = r.tx
	r.riders++
	defer s.pass(r)
	if err := ctx.Err(); err != nil {
		return s.dialect.Fault(err)
	}
	if _, err := t.exec(ctx, "SAVEPOINT rider"); err != nil {
		r.err = err
		return err
	}
	kept := false
	defer func() {
		if !kept {
			s.undo(ctx, r)
		}
	}()
	err = fn(ctx, t)
	switch {
	case t.raced != nil:
		return t.raced
	case t.lost != nil:
		return t.lost
	case err != nil:
		return err
	}
	if _, err := t.exec(ctx, "RELEASE rider"); err != nil {
		return err
	}
	kept = true
	return nil
}

// undo takes back what the rider of the turn did. Where that fails, because SQLite
// itself gave up the whole transaction, as on a full disk, the ride is lost for all.
func (s *Store) undo(ctx context.Context, r *ride) {
	for _, step := range []string{"ROLLBACK TO rider", "RELEASE rider"} {
		if _, err := r.tx.ExecContext(context.WithoutCancel(ctx), step); err != nil && r.err == nil {
			r.err = dialect.Unavailable(err)
		}
	}
}

// pass hands the ride to the next who waits, or ends it.
func (s *Store) pass(r *ride) {
	if r.err == nil && r.riders < maxRiders && s.convoy.waiting.Load() > 0 {
		s.convoy.turn <- r
		return
	}
	if r.err != nil {
		_ = r.tx.Rollback() // the error that made it necessary is what counts
	} else if err := r.tx.Commit(); err != nil {
		r.err = s.dialect.Unserved(s.dialect.Fault(fmt.Errorf("commit: %w", err)))
		_ = r.tx.Rollback()
	}
	close(r.done)
	s.convoy.turn <- nil
}
