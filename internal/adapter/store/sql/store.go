package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/adapter/store/sql/schema"
	"github.com/go-zun/zun/internal/adapter/store/sql/shelf"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// maxPatient is how many writes of background work compete with those of users: enough
// to share commits, few enough that a burst of requests gets most of the database.
const maxPatient = 4

// statementsBound is room for some thousand statements: lists of any length and any
// combination of filters are statements of their own.
const statementsBound = 4 << 20

// Options say which database to open.
type Options struct {
	// DSN is a connection URL in the form of oslo.db: sqlite:////path,
	// postgresql://user:password@host/name or mysql://user:password@host/name; a
	// driver word, as in mysql+pymysql, is accepted and ignored.
	DSN string
	// MaxConns bounds the connections to a database that serves many writers; 0 takes
	// what suits most servers.
	MaxConns int
	Log      *slog.Logger
}

// Store is the database. It is safe for concurrent use.
type Store struct {
	*schema.Schema
	dialect dialect.Dialect
	// writer and reader are the same pool where the database serves many writers.
	writer, reader *sql.DB
	convoy         *convoy // nil where the database serves many writers
	log            *slog.Logger
	statements     *shelf.Shelf[string, string] // statement as written -> as the dialect says it
	patient        chan struct{}                // the writes of background work that may compete with others
	readers        column.Readers
	shelf          *shelf.Shelf[mark, *domain.Container]
}

var _ control.Store = (*Store)(nil)

// Latest stands for the newest version of the schema that this program knows.
const Latest = schema.Latest

// Open connects to the database of opts. It neither makes nor checks tables: see
// Migrate and Check. A DSN that cannot be understood is an Invalid fault, a
// database that does not answer an Unavailable one.
func Open(ctx context.Context, opts Options) (*Store, error) {
	db, err := dialect.Connect(opts.DSN)
	if err != nil {
		return nil, err
	}
	s := &Store{
		Schema:  &schema.Schema{Dialect: db.Dialect, Writer: db.Writer, Log: opts.Log},
		dialect: db.Dialect, writer: db.Writer, reader: db.Reader,
		log: opts.Log, patient: make(chan struct{}, maxPatient), shelf: shelf.New[mark, *domain.Container](shelfBound),
		statements: shelf.New[string, string](statementsBound),
	}
	if db.Writer != db.Reader {
		s.convoy = newConvoy()
	} else if opts.MaxConns > 0 {
		db.Writer.SetMaxOpenConns(opts.MaxConns)
		db.Writer.SetMaxIdleConns(opts.MaxConns)
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends all connections; a transaction under way fails.
func (s *Store) Close() error {
	if s.reader == s.writer {
		return s.writer.Close()
	}
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.dialect.Unserved(s.dialect.Fault(s.reader.PingContext(ctx)))
}

// Read runs fn on one snapshot of the database.
func (s *Store) Read(ctx context.Context, fn func(ctx context.Context, tx control.Tx) error) error {
	return s.persist(ctx, func() (bool, error) {
		return s.attempt(ctx, s.reader, s.dialect.Reading, &tx{store: s}, fn)
	})
}

// Write runs fn in one transaction. The rows that Get and ByName return to fn stay
// as they are until it ends, so that a decision and its write are one.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, tx control.Tx) error) error {
	if control.IsPatient(ctx) {
		select {
		case s.patient <- struct{}{}:
			defer func() { <-s.patient }()
		case <-ctx.Done():
			return s.dialect.Fault(ctx.Err())
		}
	}
	return s.persist(ctx, func() (bool, error) {
		if s.convoy != nil {
			return s.travel(ctx, fn)
		}
		return s.attempt(ctx, s.writer, s.dialect.Writing, &tx{store: s, locks: s.dialect.Locks}, fn)
	})
}

// attempt runs fn once and says whether running it again may end better.
func (s *Store) attempt(ctx context.Context, db *sql.DB, opts *sql.TxOptions, t *tx,
	fn func(ctx context.Context, tx control.Tx) error,
) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, s.dialect.Fault(err)
	}
	if t.Tx, err = db.BeginTx(s.steady(ctx), opts); err != nil {
		err = t.fault(fmt.Errorf("begin transaction: %w", err))
		return t.raced != nil, s.dialect.Unserved(err)
	}
	defer func() { _ = t.Rollback() }() // after a commit it does nothing
	err = fn(ctx, t)
	if t.raced != nil {
		return true, t.raced
	}
	if err != nil {
		return false, err
	}
	if err := t.Commit(); err != nil {
		err = t.fault(fmt.Errorf("commit: %w", err))
		return t.raced != nil, s.dialect.Unserved(err)
	}
	return false, nil
}

// How long a transaction that lost a race is tried again.
const (
	maxAttempts = 12
	firstPause  = 2 * time.Millisecond
	longPause   = 200 * time.Millisecond
)

// persist runs attempt until it ends otherwise than by a race. The pauses grow and
// are drawn at random, so that those who raced once do not race again.
func (s *Store) persist(ctx context.Context, attempt func() (again bool, err error)) error {
	pause := firstPause
	for n := 1; ; n++ {
		again, err := attempt()
		if !again {
			return err
		}
		if n == maxAttempts {
			s.log.WarnContext(ctx, "transaction given up", "attempts", n, "error", err)
			return err
		}
		timer := time.NewTimer(rand.N(pause) + pause/2) //nolint:gosec // chance that no one needs to guess
		select {
		case <-ctx.Done():
			timer.Stop()
			return s.dialect.Fault(ctx.Err())
		case <-timer.C:
		}
		pause = min(2*pause, longPause)
	}
}

// statement puts a statement into the words of the dialect.
func (s *Store) statement(written string) string {
	if spoken, ok := s.statements.Take(written); ok {
		return spoken
	}
	spoken := s.dialect.Speak(written)
	s.statements.Put(written, spoken, len(written)+len(spoken))
	return spoken
}
