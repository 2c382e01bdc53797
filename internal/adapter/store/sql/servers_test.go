//go:build integration

package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) control.Store {
		t.Helper()
		return storetest.Reopen(t, postgres(t))
	}
	storetest.Run(t, open)
	t.Run("Feed/LateCommit", func(t *testing.T) { lateCommit(t, open(t)) })
	t.Run("Upgrade", func(t *testing.T) { upgraded(t, postgres(t)) })
	reopening(t, postgres)
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) control.Store {
		t.Helper()
		return storetest.Reopen(t, mariadb(t))
	}
	storetest.Run(t, open)
	t.Run("Feed/LateCommit", func(t *testing.T) { lateCommit(t, open(t)) })
	t.Run("Upgrade", func(t *testing.T) { upgraded(t, mariadb(t)) })
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

// lateCommit has one transaction tell early and commit late, which only a database of
// several writers lets happen: what it tells is not missed by who has read further.
func lateCommit(t *testing.T, store control.Store) {
	t.Helper()
	t.Parallel()
	tell := func(name string) func(context.Context, control.Tx) error {
		return func(ctx context.Context, tx control.Tx) error {
			return tx.Actions().Events().Feed().Append(ctx, domain.Notice{ProjectID: "p1", Name: name})
		}
	}
	told, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- store.Write(t.Context(), func(ctx context.Context, tx control.Tx) error {
			err := tell("late")(ctx, tx)
			close(told)
			<-goOn
			return err
		})
	}()
	<-told
	if err := errors.Join(store.Write(t.Context(), tell("one")), store.Write(t.Context(), tell("two"))); err != nil {
		t.Fatal(err)
	}
	before, last := follow(t, store, 0)
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	after, _ := follow(t, store, last)
	if !slices.Equal(before, []string{"one", "two"}) || !slices.Equal(after, []string{"late"}) {
		t.Errorf("followed %q, then %q", before, after)
	}
}

// follow gives notices their places and returns the names of those after id.
func follow(t *testing.T, store control.Store, id int64) (names []string, last int64) {
	t.Helper()
	last = id
	err := store.Write(t.Context(), func(ctx context.Context, tx control.Tx) error {
		feed := tx.Actions().Events().Feed()
		if _, err := feed.Place(ctx, 100); err != nil {
			return err
		}
		found, err := feed.After(ctx, id, 100)
		for _, n := range found {
			names, last = append(names, n.Name), n.ID
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, last
}
