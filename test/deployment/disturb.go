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
	return connect(t, "pgx", d.Database)
}

// Lock holds the whole database against writers, on PostgreSQL against readers of
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
	if !strings.HasPrefix(d.Database, "sqlite:") {
		if _, err := tx.ExecContext(ctx, "LOCK TABLE containers IN ACCESS EXCLUSIVE MODE"); err != nil {
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
	Column(t, db, "SELECT CAST(count(pg_terminate_backend(pid)) AS TEXT) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
}
