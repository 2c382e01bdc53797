package dialect

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

func sqliteDialect() Dialect {
	return Dialect{
		Name:    goose.DialectSQLite3,
		Now:     "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		Integer: "INTEGER",
		Returns: true,
		Words: map[string]string{
			"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "uuid": "TEXT", "name": "TEXT", "text": "TEXT",
			"json": "TEXT", "bytes": "BLOB", "hash": "BLOB", "time": "BIGINT", "table": "",
		},
		explain: explainSQLite,
	}
}

// connectSQLite opens one writer, because SQLite has one at a time and a queue in
// this process is fairer than its busy loop, and several readers beside it.
func connectSQLite(target *url.URL) (Database, error) {
	path := strings.TrimPrefix(target.Path, "/")
	if target.Host != "" || path == "" {
		return Database{}, badDSN("sqlite needs a path, as in sqlite:////var/lib/zun/zun.sqlite")
	}
	// The file is made here, because the driver would leave it readable by others.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return Database{}, domain.WrapFault(err, domain.Unavailable, "database-unavailable", "The database file cannot be opened.")
	}
	if err := file.Close(); err != nil {
		return Database{}, fmt.Errorf("close database file: %w", err)
	}
	// What a savepoint would take back is kept in memory, not in a file.
	const pragmas = "_pragma=temp_store(memory)&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	writer, err := sqlitePool(path, pragmas+"&_txlock=immediate", 1)
	if err != nil {
		return Database{}, err
	}
	// Each reader keeps 256 KiB of pages, in which the inner ones of its trees have room:
	// the kernel has the others, once for all readers.
	reader, err := sqlitePool(path, pragmas+"&_pragma=query_only(1)&_pragma=cache_size(-256)", max(4, runtime.GOMAXPROCS(0)))
	if err != nil {
		return Database{}, errors.Join(err, writer.Close())
	}
	return Database{Dialect: sqliteDialect(), Writer: writer, Reader: reader}, nil
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

func explainSQLite(err error) Trouble {
	var refused *sqlite.Error
	if !errors.As(err, &refused) {
		return Unexplained
	}
	switch refused.Code() {
	case sqlitecode.SQLITE_CONSTRAINT_UNIQUE, sqlitecode.SQLITE_CONSTRAINT_PRIMARYKEY:
		return Duplicate
	case sqlitecode.SQLITE_CONSTRAINT_FOREIGNKEY, sqlitecode.SQLITE_CONSTRAINT_TRIGGER:
		return Referred
	}
	switch refused.Code() & 0xff { // the low byte is the kind, the rest its detail
	case sqlitecode.SQLITE_BUSY, sqlitecode.SQLITE_LOCKED:
		return Raced
	case sqlitecode.SQLITE_CANTOPEN, sqlitecode.SQLITE_IOERR, sqlitecode.SQLITE_FULL, sqlitecode.SQLITE_READONLY,
		sqlitecode.SQLITE_NOTADB, sqlitecode.SQLITE_CORRUPT, sqlitecode.SQLITE_NOMEM:
		return Unreachable
	case sqlitecode.SQLITE_TOOBIG:
		return Misfit
	default:
		return Unexplained
	}
}
