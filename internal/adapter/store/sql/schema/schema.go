// Package schema brings the tables of a database to the version that this program works
// with, and tells which version they have.
package schema

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/domain"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Schema is the schema of one database.
type Schema struct {
	Dialect dialect.Dialect
	Writer  *sql.DB
	Log     *slog.Logger
}

// Latest stands for the newest version that this program knows.
const Latest int64 = -1

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string    // "first_light"
	AppliedAt time.Time // zero while it waits
}

// Migrate brings the schema up to version to, or to Latest; one that it already
// has passed is an Invalid fault, because no migration is undone. One program at a
// time may migrate.
func (s *Schema) Migrate(ctx context.Context, to int64) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return s.Dialect.Fault(fmt.Errorf("read schema version: %w", err))
	}
	if to == Latest {
		to = target
	}
	if to < current || to > target {
		return domain.NewFault(domain.Invalid, "invalid-schema-version",
			"The database has schema %d and this program goes up to %d; it cannot be brought to %d.", current, target, to)
	}
	done, err := provider.UpTo(ctx, to)
	if err != nil {
		return s.Dialect.Fault(fmt.Errorf("migrate schema: %w", err))
	}
	for _, step := range done {
		s.Log.InfoContext(ctx, "schema migrated", "version", step.Source.Version, "took", step.Duration)
	}
	return nil
}

// Version returns the schema's version, 0 for an empty database.
func (s *Schema) Version(ctx context.Context) (int64, error) {
	provider, err := s.migrations()
	if err != nil {
		return 0, err
	}
	version, err := provider.GetDBVersion(ctx)
	return version, s.Dialect.Fault(err)
}

// Check returns an Unavailable fault that tells what to do unless the schema is
// exactly the one that this program works with.
func (s *Schema) Check(ctx context.Context) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return s.Dialect.Fault(fmt.Errorf("read schema version: %w", err))
	case current < target:
		return domain.NewFault(domain.Unavailable, "schema-too-old",
			"The database has schema %d and this program needs %d: run zun-db-manage upgrade.", current, target)
	case current > target:
		return domain.NewFault(domain.Unavailable, "schema-too-new",
			"The database has schema %d and this program knows only %d: it is older than the database.", current, target)
	default:
		return nil
	}
}

// Stamp records that the schema is at version without touching a table, for an
// operator who brought it there by other means. Latest is allowed.
func (s *Schema) Stamp(ctx context.Context, version int64) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx) // which also makes the table of versions
	if err != nil {
		return s.Dialect.Fault(fmt.Errorf("read schema version: %w", err))
	}
	if version == Latest {
		version = target
	}
	if version < 0 || version > target {
		return domain.NewFault(domain.Invalid, "invalid-schema-version", "This program knows the schemas 0 to %d, not %d.", target, version)
	}
	versions, err := database.NewStore(s.Dialect.Name, versionTable)
	if err != nil {
		return fmt.Errorf("open version table: %w", err)
	}
	for ; current > version; current-- {
		if err := versions.Delete(ctx, s.Writer, current); err != nil {
			return s.Dialect.Fault(fmt.Errorf("stamp schema: %w", err))
		}
	}
	for current++; current <= version; current++ {
		if err := versions.Insert(ctx, s.Writer, database.InsertRequest{Version: current}); err != nil {
			return s.Dialect.Fault(fmt.Errorf("stamp schema: %w", err))
		}
	}
	return nil
}

// History returns all migrations that this program knows, oldest first.
func (s *Schema) History(ctx context.Context) ([]Migration, error) {
	provider, err := s.migrations()
	if err != nil {
		return nil, err
	}
	states, err := provider.Status(ctx)
	if err != nil {
		return nil, s.Dialect.Fault(fmt.Errorf("read schema history: %w", err))
	}
	steps, err := knownMigrations()
	if err != nil {
		return nil, err
	}
	for i := range steps {
		steps[i].AppliedAt = states[i].AppliedAt
	}
	return steps, nil
}

const versionTable = "schema_versions"

// knownMigrations lists the files, whose names are "<version>_<name>.sql", in order
// of version, without gaps.
func knownMigrations() ([]Migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	steps := make([]Migration, len(files))
	for i, file := range files {
		number, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(file, "migrations/"), ".sql"), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version != int64(i+1) {
			return nil, fmt.Errorf("migration %s is not number %d", file, i+1)
		}
		steps[i] = Migration{Version: version, Name: name}
	}
	return steps, nil
}

func (s *Schema) migrations() (*goose.Provider, error) {
	known, err := knownMigrations()
	if err != nil {
		return nil, err
	}
	steps := make([]*goose.Migration, len(known))
	for i, m := range known {
		text, err := migrationFiles.ReadFile(fmt.Sprintf("migrations/%05d_%s.sql", m.Version, m.Name))
		if err != nil {
			return nil, fmt.Errorf("read migration %d: %w", m.Version, err)
		}
		steps[i] = goose.NewGoMigration(m.Version, &goose.GoFunc{RunTx: script(string(text), s.Dialect.Words)}, nil)
	}
	provider, err := goose.NewProvider(s.Dialect.Name, s.Writer, nil, goose.WithGoMigrations(steps...),
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(versionTable))
	if err != nil {
		return nil, fmt.Errorf("arrange migrations: %w", err)
	}
	return provider, nil
}

// script returns a migration that runs the statements of text in words.
func script(text string, words map[string]string) func(ctx context.Context, tx *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		spoken := os.Expand(text, func(word string) string { return words[word] })
		for statement := range strings.SplitSeq(spoken, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("run %.60q: %w", statement, err)
			}
		}
		return nil
	}
}
