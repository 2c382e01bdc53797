package sqlstore

import (
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is all that the databases say differently.
type dialect struct {
	name     goose.Dialect
	numbered bool              // arguments are $1, $2, ... instead of ?
	now      string            // the database's clock in microseconds since 1970 UTC, steady within a statement
	locks    string            // what ends a SELECT to keep its rows from being changed by others
	words    map[string]string // the words of the migrations
	integer  string            // the type to which a sum is cast
	// explain says what an error of the driver means.
	explain func(error) trouble
	// reading and writing are how transactions begin.
	reading, writing *sql.TxOptions
}

// What one process asks of a database server.
const (
	maxServerConns = 32
	dialTimeout    = 10 * time.Second
)

// connect opens the pools for dsn without asking the database anything.
func connect(dsn string) (*Store, error) {
	target, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	switch target.Scheme {
	case "sqlite":
		return connectSQLite(target)
	case "postgresql":
		return connectPostgres(target)
	default:
		return connectMariaDB(target)
	}
}
