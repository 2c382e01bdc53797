package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"

	"github.com/go-zun/zun/internal/adapter/store/sql/prepared"
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
	return &Store{dialect: sqliteDialect(), writer: writer, reader: reader, convoy: newConvoy()}, nil
}

func sqlitePool(path, settings string, size int) (*sql.DB, error) {
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings)
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	pool := sql.OpenDB(prepared.Keep(connector))
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
		sqlitecode.SQLITE_NOTADB, sqlitecode.SQLITE_CORRUPT, sqlitecode.SQLITE_NOMEM:
		return unreachable
	case sqlitecode.SQLITE_TOOBIG:
		return misfit
	default:
		return unexplained
	}
}
