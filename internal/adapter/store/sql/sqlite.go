package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"

	"github.com/go-zun/zun/internal/domain"
)

func sqliteDialect() dialect {
	return dialect{
		name:    goose.DialectSQLite3,
		now:     "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		integer: "INTEGER",
		words: map[string]string{
			"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "uuid": "TEXT", "name": "TEXT", "text": "TEXT",
			"json": "TEXT", "bytes": "BLOB", "hash": "BLOB", "time": "BIGINT", "table": "",
		},
		explain: explainSQLite,
	}
}

// connectSQLite opens one writer, because SQLite has one at a time and a queue in
// this process is fairer than its busy loop, and several readers beside it.
func connectSQLite(target *url.URL) (*Store, error) {
	path := strings.TrimPrefix(target.Path, "/")
	if target.Host != "" || path == "" {
		return nil, badDSN("sqlite needs a path, as in sqlite:////var/lib/zun/zun.sqlite")
	}
	// The file is made here, because the driver would leave it readable by others.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, domain.WrapFault(err, domain.Unavailable, "database-unavailable", "The database file cannot be opened.")
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("close database file: %w", err)
	}
	const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	writer, err := sqlitePool(path, pragmas+"&_txlock=immediate", 1)
	if err != nil {
		return nil, err
	}
	reader, err := sqlitePool(path, pragmas+"&_pragma=query_only(1)", max(4, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return &Store{dialect: sqliteDialect(), writer: writer, reader: reader}, nil
}

func sqlitePool(path, settings string, size int) (*sql.DB, error) {
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings)
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	pool := sql.OpenDB(keeper{connector})
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

func explainSQLite(err error) trouble {
	var refused *sqlite.Error
	if !errors.As(err, &refused) {
		return unexplained
	}
	switch refused.Code() {
	case sqlitecode.SQLITE_CONSTRAINT_UNIQUE, sqlitecode.SQLITE_CONSTRAINT_PRIMARYKEY:
		return duplicate
	case sqlitecode.SQLITE_CONSTRAINT_FOREIGNKEY, sqlitecode.SQLITE_CONSTRAINT_TRIGGER:
		return referred
	}
	switch refused.Code() & 0xff { // the low byte is the kind, the rest its detail
	case sqlitecode.SQLITE_BUSY, sqlitecode.SQLITE_LOCKED:
		return raced
	case sqlitecode.SQLITE_CANTOPEN, sqlitecode.SQLITE_IOERR, sqlitecode.SQLITE_FULL, sqlitecode.SQLITE_READONLY,
		sqlitecode.SQLITE_NOTADB, sqlitecode.SQLITE_CORRUPT:
		return unreachable
	case sqlitecode.SQLITE_TOOBIG:
		return misfit
	default:
		return unexplained
	}
}

// keeper opens connections that keep their prepared statements, because parsing a
// statement costs SQLite more than running it. The servers' drivers need no such help.
type keeper struct{ driver.Connector }

// Connect opens a connection with no statements yet.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keptConn{Conn: conn, idle: map[string]*keptStmt{}}, nil
}

// keptConn is used by one goroutine at a time, as every driver.Conn is. It hides
// the driver's direct queries, so that each statement comes through Prepare.
type keptConn struct {
	driver.Conn
	idle map[string]*keptStmt
}

// maxIdle bounds the statements kept; beyond it, which lists of unusual length may
// reach, all are dropped and grow again.
const maxIdle = 512

// PrepareContext takes the statement out of those kept, or prepares it.
func (c *keptConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if kept, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return kept, nil
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query) //nolint:forcetypeassert // the driver has it
	if err != nil {
		return nil, err
	}
	return &keptStmt{Stmt: stmt, conn: c, query: query}, nil
}

// BeginTx begins as the driver does.
func (c *keptConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts) //nolint:forcetypeassert // the driver has it
}

// Ping asks the driver.
func (c *keptConn) Ping(ctx context.Context) error {
	return c.Conn.(driver.Pinger).Ping(ctx) //nolint:forcetypeassert // the driver has it
}

// Close drops the statements with the connection.
func (c *keptConn) Close() error {
	return errors.Join(c.drop(), c.Conn.Close())
}

func (c *keptConn) drop() error {
	var failed error
	for _, kept := range c.idle {
		failed = errors.Join(failed, kept.Stmt.Close())
	}
	clear(c.idle)
	return failed
}

// keptStmt returns to its connection when it is closed.
type keptStmt struct {
	driver.Stmt
	conn  *keptConn
	query string
}

// Close keeps the statement for the next of its text.
func (s *keptStmt) Close() error {
	if _, taken := s.conn.idle[s.query]; taken {
		return s.Stmt.Close()
	}
	var err error
	if len(s.conn.idle) >= maxIdle {
		err = s.conn.drop()
	}
	s.conn.idle[s.query] = s
	return err
}

// ExecContext runs the statement.
func (s *keptStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) //nolint:forcetypeassert // the driver has it
}

// QueryContext runs the query.
func (s *keptStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) //nolint:forcetypeassert // the driver has it
}
