//go:build integration

package sqlstore_test

import (
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) control.Store {
		t.Helper()
		return storetest.Reopen(t, postgres(t))
	}
	storetest.Run(t, open)
	storetest.RunBesides(t, open)
	reopening(t, postgres)
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) control.Store {
		t.Helper()
		return storetest.Reopen(t, mariadb(t))
	}
	storetest.Run(t, open)
	storetest.RunBesides(t, open)
	reopening(t, mariadb)
}

// server reads the URL of a running server, which test/servers/databases.sh starts.
func server(t *testing.T, variable string) *url.URL {
	t.Helper()
	dsn, err := url.Parse(os.Getenv(variable))
	if err != nil || dsn.Scheme == "" {
		t.Fatalf("%s is not set; run: eval \"$(test/servers/databases.sh start DIR)\"", variable)
	}
	return dsn
}

// postgres makes a schema for this test and returns the DSN that opens it.
func postgres(t *testing.T) string {
	t.Helper()
	dsn := server(t, "ZUN_TEST_POSTGRES")
	schema := "zun_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	admin(t, "pgx", dsn.String(), "CREATE SCHEMA "+schema, "DROP SCHEMA "+schema+" CASCADE")
	query := dsn.Query()
	query.Set("search_path", schema)
	dsn.RawQuery = query.Encode()
	dsn.Scheme += "+psycopg2"
	return dsn.String()
}

// mariadb makes a database for this test and returns the DSN that opens it.
func mariadb(t *testing.T) string {
	t.Helper()
	dsn := server(t, "ZUN_TEST_MARIADB")
	name := "zun_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	socket := dsn.User.String() + "@unix(" + dsn.Query().Get("unix_socket") + ")/"
	admin(t, "mysql", socket, "CREATE DATABASE "+name, "DROP DATABASE "+name)
	dsn.Path = "/" + name
	dsn.Scheme += "+pymysql"
	return dsn.String()
}

// admin runs one statement now and another when the test is over.
func admin(t *testing.T, driver, dsn, now, after string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("open server: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), now); err != nil {
		t.Fatalf("%s: %v", now, err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec(after); err != nil {
			t.Errorf("%s: %v", after, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close server: %v", err)
		}
	})
}
