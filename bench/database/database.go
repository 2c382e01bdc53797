// Package database makes databases for a bench, fills them, and takes them away.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the statement that makes a schema

	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Database is a migrated database that nobody else uses.
type Database struct {
	Kind  string // "SQLite" or "PostgreSQL"
	DSN   string
	Store *sqlstore.Store
	// server is the URL of the database server; empty for a file.
	server string
	drop   func(ctx context.Context) error
}

// Open makes a database: a file below dir, or a schema of the server at postgres if
// that is not empty.
func Open(ctx context.Context, dir, postgres string, log *slog.Logger) (*Database, error) {
	d := &Database{Kind: "SQLite", DSN: "sqlite:///" + filepath.Join(dir, "zun.db"), drop: func(context.Context) error { return nil }}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make a directory for a database: %w", err)
	}
	if postgres != "" {
		if err := d.makeSchema(ctx, postgres); err != nil {
			return nil, err
		}
	}
	var err error
	if d.Store, err = sqlstore.Open(ctx, sqlstore.Options{DSN: d.DSN, Log: log}); err != nil {
		return nil, errors.Join(err, d.drop(ctx))
	}
	if err := d.Store.Migrate(ctx, sqlstore.Latest); err != nil {
		return nil, errors.Join(err, d.Close(ctx))
	}
	return d, nil
}

func (d *Database) makeSchema(ctx context.Context, server string) error {
	dsn, err := url.Parse(server)
	if err != nil {
		return fmt.Errorf("read the URL of the PostgreSQL server: %w", err)
	}
	schema := "bench_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := command(ctx, server, "CREATE SCHEMA "+schema); err != nil {
		return err
	}
	query := dsn.Query()
	query.Set("search_path", schema)
	dsn.RawQuery = query.Encode()
	d.Kind, d.DSN, d.server = "PostgreSQL", dsn.String(), server
	d.drop = func(ctx context.Context) error { return command(ctx, server, "DROP SCHEMA "+schema+" CASCADE") }
	return nil
}

func command(ctx context.Context, server, statement string) (err error) {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return fmt.Errorf("reach the PostgreSQL server: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// Close ends the connections and takes a schema away; a file goes with its directory.
func (d *Database) Close(ctx context.Context) error {
	return errors.Join(d.Store.Close(), d.drop(ctx))
}

// batch is how many rows one transaction writes.
const batch = 500

// AddHosts registers count living hosts on which nobody listens: they take whatever is
// placed on them and do nothing.
func (d *Database) AddHosts(ctx context.Context, count int) ([]domain.Host, error) {
	hosts := make([]domain.Host, count)
	err := d.inBatches(ctx, count, func(ctx context.Context, tx control.Tx, i int) error {
		hosts[i] = Host(i)
		if err := tx.Hosts().Upsert(ctx, hosts[i]); err != nil {
			return err
		}
		return tx.Hosts().Beat(ctx, domain.Beat{HostID: hosts[i].ID, Sequence: 1, BootID: "boot", Inventory: hosts[i].Inventory})
	})
	return hosts, err
}

// Host is the i-th made-up host. It is roomy, so that a bench does not end for want of space.
func Host(i int) domain.Host {
	return domain.Host{
		ID: uuid.NewString(), Name: fmt.Sprintf("host-%05d", i), Binary: "zun-compute", Address: "127.0.0.1:9", Zone: "nova",
		Inventory: domain.Inventory{
			CPUs: 100_000, MemoryMB: 1 << 32, DiskGB: 1 << 24, Architecture: "x86_64", OSType: "linux", OS: "Simulated Linux",
			Kernel: "6.1.0", Runtimes: []string{"runc"}, EngineName: "fake", EngineVersion: "1", EngineUp: true,
		},
	}
}

// Sample is a row as users make them; change adapts the i-th one.
type Sample struct {
	ProjectID, UserID string
	Host              domain.Host
	Change            func(i int, c *domain.Container)
}

// AddContainers adds count rows and returns their ids.
func (d *Database) AddContainers(ctx context.Context, count int, s Sample) ([]domain.ContainerID, error) {
	ids := make([]domain.ContainerID, count)
	err := d.inBatches(ctx, count, func(ctx context.Context, tx control.Tx, i int) error {
		c := s.row(i)
		ids[i] = c.ID
		return tx.Containers().Insert(ctx, c)
	})
	if err == nil && d.server != "" {
		// The server takes its figures of the tables once a minute by itself; until then it
		// plans for empty ones, which no service in use has.
		err = command(ctx, d.DSN, "ANALYZE")
	}
	return ids, err
}

func (s Sample) row(i int) domain.Container {
	c := domain.Container{
		ID: domain.ContainerID(uuid.NewString()), ProjectID: s.ProjectID, UserID: s.UserID,
		Spec: domain.Spec{
			Name: fmt.Sprintf("sample-%06d", i), Image: "registry.example/team/service:1.4.2", ImageDriver: "docker",
			PullPolicy: domain.PullIfNotPresent, Command: []string{"serve", "--port", "8080"},
			Environment: map[string]string{"MODE": "production", "LOG_LEVEL": "info"}, Labels: map[string]string{"app": "sample"},
			CPU: 1, CPUPolicy: "shared", MemoryMB: 512,
		},
		Status: domain.Running, StatusDetail: "Up 2 hours", HostID: s.Host.ID, HostName: s.Host.Name,
		Generation: 1, EverCreated: true, Want: domain.Want{Running: true},
		EngineID: strings.Repeat("0123456789abcdef", 4), Hostname: "sample", StartedAt: time.Now().UTC().Add(-2 * time.Hour),
	}
	if s.Change != nil {
		s.Change(i, &c)
	}
	return c
}

func (d *Database) inBatches(ctx context.Context, count int, add func(ctx context.Context, tx control.Tx, i int) error) error {
	for first := 0; first < count; first += batch {
		err := d.Store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
			for i := first; i < min(first+batch, count); i++ {
				if err := add(ctx, tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
	}
	return nil
}
