//go:build integration

package app

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/go-zun/zun/internal/kit/road"
)

// server is a database server that test/servers/databases.sh started, reached over a
// road, with a database of the test's own.
type server struct {
	dsn string
	way *road.Road
}

func servers(t *testing.T) map[string]server {
	t.Helper()
	return map[string]server{"PostgreSQL": postgres(t), "MariaDB": mariadb(t)}
}

func address(t *testing.T, variable string) *url.URL {
	t.Helper()
	dsn, err := url.Parse(os.Getenv(variable))
	if err != nil || dsn.Scheme == "" {
		t.Fatalf("%s is not set; run: eval \"$(test/servers/databases.sh start DIR)\"", variable)
	}
	return dsn
}

func postgres(t *testing.T) server {
	t.Helper()
	dsn := address(t, "ZUN_TEST_POSTGRES")
	name := "zun_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	own(t, "pgx", dsn.String(), "CREATE SCHEMA "+name, "DROP SCHEMA "+name+" CASCADE")
	way := road.New(t, "tcp", dsn.Host)
	dsn.Host = way.Addr().String()
	query := dsn.Query()
	query.Set("search_path", name)
	dsn.RawQuery = query.Encode()
	return server{dsn.String(), way}
}

func mariadb(t *testing.T) server {
	t.Helper()
	dsn := address(t, "ZUN_TEST_MARIADB")
	socket := dsn.Query().Get("unix_socket")
	name := "zun_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	local := mysql.NewConfig()
	local.User, local.Net, local.Addr = dsn.User.Username(), "unix", socket
	own(t, "mysql", local.FormatDSN(), "CREATE DATABASE "+name, "DROP DATABASE "+name)
	way := road.New(t, "unix", socket)
	dsn.Host, dsn.Path, dsn.RawQuery = way.Addr().String(), "/"+name, ""
	return server{dsn.String(), way}
}

// own makes a database now and drops it when the test ends.
func own(t *testing.T, driver, dsn, create, drop string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), drop); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
}

// TestOutageOfTheDatabaseServer holds that without its database no route answers with
// anything but 503 or 504, and that all serve again once it is back.
func TestOutageOfTheDatabaseServer(t *testing.T) {
	for name, server := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &http.Client{}, "api.extensions=true", "database.connection="+server.dsn)
			s.outage(func() { server.way.Shut(true) }, func() { server.way.Shut(false) }, false)
		})
	}
}

// TestEventsOnServersMissNothing follows while many write at once: ids are given before
// transactions commit, and yet no event is missed.
func TestEventsOnServersMissNothing(t *testing.T) {
	const writers, each = 8, 12
	for name, server := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &http.Client{}, "api.extensions=true", "quota.containers=-1", "database.connection="+server.dsn)
			live := s.events("")
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					for i := range each {
						body := fmt.Sprintf(`{"image":"cirros","name":"many-%d-%d","cpu":"0.1","memory":"4"}`, w, i)
						if answer := s.do("POST", "/v1/containers", body, atNewest()); answer.StatusCode != http.StatusAccepted {
							t.Errorf("create: %s", answer.Status)
						}
					}
				})
			}
			all.Wait()
			seen := map[string]bool{}
			ended := time.AfterFunc(time.Minute, func() { t.Error("events are missing after a minute"); s.client.CloseIdleConnections() })
			defer ended.Stop()
			for len(seen) < writers*each && ended.Stop() {
				ended.Reset(time.Minute)
				s.line(live, "event: create.")
				seen[s.line(live, "data: ")] = true
			}
		})
	}
}
