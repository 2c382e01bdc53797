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
func Open(t testing.TB) *sqlstore.Store {
	t.Helper()
	return Reopen(t, "sqlite:///"+filepath.Join(t.TempDir(), "zun.sqlite"))
}

// Reopen opens the database that dsn names and brings its schema up to date. It is
// closed at the end of the test; closing it earlier is allowed.
func Reopen(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	if err := store.Migrate(t.Context(), sqlstore.Latest); err != nil {
		t.Fatalf("migrate store: %v", err)
	}
	return store
}
