package deployment

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// rows tells how many rows each table holds, and what hosts and projects use.
func (d *Deployment) rows(t *testing.T) []string {
	t.Helper()
	db := d.Open(t)
	defer func() { _ = db.Close() }()
	var lines []string
	for _, table := range Column(t, db, d.catalog()) {
		lines = append(lines, table+": "+Column(t, db, "SELECT count(*) FROM "+table)[0])
	}
	for _, used := range []string{
		"SELECT 'host uses ' || total_containers || ' containers, ' || cpu_used || ' cpu, ' || mem_used || ' memory, ' || disk_used || ' disk' FROM hosts",
		"SELECT 'project uses ' || containers || ' containers, ' || cpu || ' cpu, ' || memory || ' memory, ' || disk || ' disk' FROM quota_usages",
	} {
		lines = append(lines, Column(t, db, used)...)
	}
	return lines
}

// ID is the deployment's own.
func (d *Deployment) ID(t *testing.T) string {
	t.Helper()
	db := d.Open(t)
	defer func() { _ = db.Close() }()
	return Column(t, db, "SELECT deployment_id FROM authority")[0]
}

// Open opens the database beside the service, for reading.
func (d *Deployment) Open(t *testing.T) *sql.DB {
	t.Helper()
	if path, ok := strings.CutPrefix(d.Database, "sqlite:///"); ok {
		return connect(t, "sqlite", "file:"+path+"?"+url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}}.Encode())
	}
	if strings.HasPrefix(d.Database, "mysql:") {
		return connect(t, "mysql", mariaDB(t, d.Database))
	}
	return connect(t, "pgx", d.Database)
}

func connect(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	return db
}

// Server makes a new database and returns its connection by way of the server's socket: a
// room has no network to it.
type Server func(t *testing.T) string

// PostgreSQL is the server that ZUN_TEST_POSTGRES names.
func PostgreSQL(t *testing.T) string {
	t.Helper()
	u := serverAt(t, "ZUN_TEST_POSTGRES")
	db := connect(t, "pgx", u.String())
	defer func() { _ = db.Close() }()
	name := newDatabase(t, db)
	socket := url.Values{"host": Column(t, db, "SHOW unix_socket_directories"), "port": {u.Port()}}
	return (&url.URL{Scheme: "postgresql", User: u.User, Path: "/" + name, RawQuery: socket.Encode()}).String()
}

// MariaDB is the server that ZUN_TEST_MARIADB names.
func MariaDB(t *testing.T) string {
	t.Helper()
	u := serverAt(t, "ZUN_TEST_MARIADB")
	db := connect(t, "mysql", mariaDB(t, u.String()))
	defer func() { _ = db.Close() }()
	u.Path = "/" + newDatabase(t, db)
	return u.String()
}

func serverAt(t *testing.T, variable string) *url.URL {
	t.Helper()
	server := os.Getenv(variable)
	u, err := url.Parse(server)
	if server == "" || err != nil {
		t.Fatalf("%s must name a database server on this machine (%v); run make test SUITE=... sees to it", variable, err)
	}
	return u
}

func newDatabase(t *testing.T, db *sql.DB) string {
	t.Helper()
	name := "zun_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return name
}

// mariaDB puts a connection in the words of its driver; texts are joined there as elsewhere.
func mariaDB(t *testing.T, connection string) string {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName = u.User.Username(), "unix", u.Query().Get("unix_socket"), strings.TrimPrefix(u.Path, "/")
	c.Params = map[string]string{"sql_mode": "'ANSI'"}
	return c.FormatDSN()
}

// catalog asks for the names of the tables.
func (d *Deployment) catalog() string {
	if strings.HasPrefix(d.Database, "sqlite:") {
		return "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	}
	schema := "'public'"
	if strings.HasPrefix(d.Database, "mysql:") {
		schema = "DATABASE()"
	}
	return "SELECT table_name FROM information_schema.tables WHERE table_schema = " + schema + " ORDER BY table_name"
}

// Column is the first column of what a query finds.
func Column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), SettleWithin) // also after the test, to clean up
	defer cancel()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	return values
}
