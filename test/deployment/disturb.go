package deployment

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Signal sends a signal to the service; one that is over feels nothing.
func (p *Process) Signal(s os.Signal) {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

// OpenToWrite opens the database beside the service, to get into its way.
func (d *Deployment) OpenToWrite(t *testing.T) *sql.DB {
	t.Helper()
	if path, ok := strings.CutPrefix(d.Database, "sqlite:///"); ok {
		return connect(t, "sqlite", "file:"+path+"?"+url.Values{"_pragma": {"busy_timeout(10000)"}, "_txlock": {"immediate"}}.Encode())
	}
	if d.onMariaDB() {
		return connect(t, "mysql", mariaDB(t, d.Database))
	}
	return connect(t, "pgx", d.Database)
}

func (d *Deployment) onMariaDB() bool { return strings.HasPrefix(d.Database, "mysql:") }

// Lock holds the whole database against writers, on a server against readers of
// containers too, until ctx ends.
func (d *Deployment) Lock(ctx context.Context, t *testing.T) error {
	t.Helper()
	db := d.OpenToWrite(t)
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	lock := "LOCK TABLE containers IN ACCESS EXCLUSIVE MODE"
	if d.onMariaDB() {
		lock = "LOCK TABLES containers WRITE" // until the connection is closed
	}
	if !strings.HasPrefix(d.Database, "sqlite:") {
		if _, err := tx.ExecContext(ctx, lock); err != nil {
			return fmt.Errorf("lock the database: %w", err)
		}
	}
	<-ctx.Done()
	return nil
}

// HangUp ends every other connection to the database; SQLite has none.
func (d *Deployment) HangUp(t *testing.T) {
	t.Helper()
	if strings.HasPrefix(d.Database, "sqlite:") {
		return
	}
	db := d.OpenToWrite(t)
	defer func() { _ = db.Close() }()
	if d.onMariaDB() {
		for _, id := range Column(t, db, "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()") {
			_, _ = db.ExecContext(t.Context(), "KILL CONNECTION "+id) // fails only if it is over
		}
		return
	}
	Column(t, db, "SELECT CAST(count(pg_terminate_backend(pid)) AS TEXT) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
}
