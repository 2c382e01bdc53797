// Package dialect knows SQLite, PostgreSQL and MariaDB apart: how they are reached, what
// they say differently, and what their errors mean.
package dialect

import (
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"
)

// Dialect is all that the databases say differently.
type Dialect struct {
	Name     goose.Dialect
	Numbered bool              // arguments are $1, $2, ... instead of ?
	Now      string            // the database's clock in microseconds since 1970 UTC, steady within a statement
	Locks    string            // what ends a SELECT to keep its rows from being changed by others
	Words    map[string]string // the words of the migrations
	Integer  string            // the type to which a sum is cast
	Returns  bool              // an UPDATE can return the rows that it changed
	// explain says what an error of the driver means.
	explain func(error) Trouble
	// Reading and Writing are how transactions begin.
	Reading, Writing *sql.TxOptions
}

// Database is what a connection URL leads to. Writer and Reader are the same pool where
// the database serves many writers.
type Database struct {
	Dialect        Dialect
	Writer, Reader *sql.DB
}

// What one process asks of a database server.
const (
	maxServerConns = 32
	dialTimeout    = 10 * time.Second
)

// Connect opens the pools for dsn without asking the database anything.
func Connect(dsn string) (Database, error) {
	target, err := parseDSN(dsn)
	if err != nil {
		return Database{}, err
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
