// Package storetest is the conformance suite of the Store port, and how other
// rooms' tests get a real store: there is no fake one.
package storetest

import (
	"log/slog"
	"path/filepath"
	"testing"

	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
)

// Open returns a store on an empty SQLite database of this test's own, which goes
// away with it.
func Open(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	return Reopen(tb, "sqlite:///"+filepath.Join(tb.TempDir(), "zun.sqlite"))
}

// Reopen opens the database that dsn names and brings its schema up to date. It is
// closed at the end of the test; closing it earlier is allowed.
func Reopen(tb testing.TB, dsn string) *sqlstore.Store {
	tb.Helper()
	store, err := sqlstore.Open(tb.Context(), sqlstore.Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	if err := store.Migrate(tb.Context(), sqlstore.Latest); err != nil {
		tb.Fatalf("migrate store: %v", err)
	}
	return store
}
