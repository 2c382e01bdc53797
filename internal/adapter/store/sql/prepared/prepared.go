// Package prepared lets database/sql keep prepared statements for a driver whose
// parsing of a statement costs more than running it.
package prepared

import (
	"context"
	"database/sql/driver"
	"errors"
)

// Keep returns a connector whose connections keep the statements that the ones of
// inner prepare. The driver's connections must know contexts and Ping, its
// statements contexts.
func Keep(inner driver.Connector) driver.Connector { return keeper{inner} }

type keeper struct{ driver.Connector }

// Connect opens a connection with no statements yet.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn, idle: map[string]*statement{}}, nil
}

// connection is used by one goroutine at a time, as every driver.Conn is. It hides
// the driver's direct queries, so that each statement comes through Prepare.
type connection struct {
	driver.Conn
	idle map[string]*statement
}

// maxIdle bounds the statements kept; beyond it, which lists of unusual length may
// reach, all are dropped and grow again.
const maxIdle = 512

// PrepareContext takes the statement out of those kept, or prepares it.
func (c *connection) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if kept, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return kept, nil
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query) //nolint:forcetypeassert // the driver has it
	if err != nil {
		return nil, err
	}
	return &statement{Stmt: stmt, conn: c, query: query}, nil
}

// BeginTx begins as the driver does.
func (c *connection) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts) //nolint:forcetypeassert // the driver has it
}

// Ping asks the driver.
func (c *connection) Ping(ctx context.Context) error {
	return c.Conn.(driver.Pinger).Ping(ctx) //nolint:forcetypeassert // the driver has it
}

// Close drops the statements with the connection.
func (c *connection) Close() error {
	return errors.Join(c.drop(), c.Conn.Close())
}

func (c *connection) drop() error {
	var failed error
	for _, kept := range c.idle {
		failed = errors.Join(failed, kept.Stmt.Close())
	}
	clear(c.idle)
	return failed
}

// statement returns to its connection when it is closed.
type statement struct {
	driver.Stmt
	conn  *connection
	query string
}

// Close keeps the statement for the next of its text.
func (s *statement) Close() error {
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
func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) //nolint:forcetypeassert // the driver has it
}

// QueryContext runs the query.
func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) //nolint:forcetypeassert // the driver has it
}
