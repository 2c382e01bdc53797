package sqlstore_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) control.Store {
		t.Helper()
		return storetest.Open(t)
	})
	reopening(t, sqlite)
}

// sqlite returns the DSN of a file of this test's own.
func sqlite(t *testing.T) string {
	t.Helper()
	return "sqlite:///" + filepath.Join(t.TempDir(), "zun.sqlite")
}

// open opens dsn without migrating it.
func open(t *testing.T, dsn string) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// reopening runs the cases about a database that is opened more than once.
func reopening(t *testing.T, fresh func(*testing.T) string) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, string){
		"Reopen/StateStays": stateStays, "Reopen/Schema": schemaSteps, "Reopen/TwoStores": twoStores,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, fresh(t))
		})
	}
}

func stateStays(t *testing.T, dsn string) {
	t.Helper()
	before := storetest.Reopen(t, dsn)
	insert(t, before, "one")
	if err := before.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if err := before.Read(t.Context(), nothing); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("a closed store says %v", err)
	}
	after := storetest.Reopen(t, dsn)
	if got := names(t, after); got != "one" {
		t.Errorf("after reopening: %q", got)
	}
}

func twoStores(t *testing.T, dsn string) {
	t.Helper()
	left, right := storetest.Reopen(t, dsn), storetest.Reopen(t, dsn)
	insert(t, left, "left")
	insert(t, right, "right")
	if got := names(t, left) + " " + names(t, right); got != "left,right left,right" {
		t.Errorf("the two see %q", got)
	}
}

func schemaSteps(t *testing.T, dsn string) {
	t.Helper()
	ctx, store := t.Context(), open(t, dsn)
	version := func(want int64, fault string) {
		t.Helper()
		got, err := store.Version(ctx)
		if err != nil || got != want {
			t.Fatalf("version %d, %v; want %d", got, err, want)
		}
		code := ""
		if err := store.Check(ctx); err != nil {
			code = domain.AsFault(err).Code
		}
		if code != fault {
			t.Fatalf("check at version %d says %q, want %q", want, code, fault)
		}
	}
	history, err := store.History(ctx)
	if err != nil || len(history) == 0 || history[0].Name != "first_light" || !history[0].AppliedAt.IsZero() {
		t.Fatalf("history %+v, %v", history, err)
	}
	newest := history[len(history)-1].Version
	version(0, "schema-too-old")
	for _, to := range []int64{newest, sqlstore.Latest} { // the second finds nothing to do
		if err := store.Migrate(ctx, to); err != nil {
			t.Fatalf("migrate: %v", err)
		}
	}
	version(newest, "")
	for _, to := range []int64{0, newest + 1} {
		if err := store.Migrate(ctx, to); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("migrate to %d: %v", to, err)
		}
	}
	if err := store.Stamp(ctx, newest+1); !domain.IsKind(err, domain.Invalid) {
		t.Errorf("stamp unknown: %v", err)
	}
	if history, err = store.History(ctx); err != nil || history[0].AppliedAt.IsZero() {
		t.Errorf("history %+v, %v", history, err)
	}
	for _, step := range []struct {
		stamp, version int64
		fault          string
	}{{0, 0, "schema-too-old"}, {sqlstore.Latest, newest, ""}} {
		if err := store.Stamp(ctx, step.stamp); err != nil {
			t.Fatalf("stamp: %v", err)
		}
		version(step.version, step.fault)
	}
	insert(t, store, "still there")
}

// TestHostsOfBeforeAreAdmitted holds that an upgrade turns no host away.
func TestHostsOfBeforeAreAdmitted(t *testing.T) {
	t.Parallel()
	upgraded(t, "sqlite:///"+filepath.Join(t.TempDir(), "zun.sqlite"))
}

// upgraded brings a database with a host from the schema that knew of no admissions to
// the newest.
func upgraded(t *testing.T, dsn string) {
	t.Helper()
	const before, host = 10, "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	store, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	_, err = store.Writer.ExecContext(t.Context(), `INSERT INTO hosts (uuid, hostname, service_binary, address, availability_zone, disabled,
		disabled_reason, forced_down, last_seen_up, report_count, created_at, updated_at, boot_id, revision, cpus, mem_total, disk_total,
		architecture, os_type, os, kernel_version, labels, runtimes, disk_quota_supported, enable_cpu_pinning, engine_name, engine_version,
		engine_up, engine_reason, total_containers, cpu_used, mem_used, disk_used, volume_limit, volume_reason)
		VALUES ('`+host+`', 'node', '', '', '', FALSE, '', FALSE, 1, 0, 1, 1, '', 0, 0, 0, 0, '', '', '', '', 'null', 'null', FALSE, FALSE,
		'', '', FALSE, '', 0, 0, 0, 0, '', '')`)
	if err := errors.Join(err, store.Migrate(t.Context(), sqlstore.Latest)); err != nil {
		t.Fatal(err)
	}
	var all []domain.Admission
	err = store.Read(t.Context(), func(ctx context.Context, tx control.Tx) (err error) {
		all, err = tx.Trust().Admissions().List(ctx)
		return err
	})
	if err != nil || len(all) != 1 || all[0].Role != domain.PeerHost || all[0].Name != "node" || all[0].ID != host || all[0].Epoch != 1 || all[0].Revoked() || all[0].Since.IsZero() {
		t.Errorf("admitted are %+v, %v", all, err)
	}
}

func nothing(context.Context, control.Tx) error { return nil }

func insert(t *testing.T, store *sqlstore.Store, name string) {
	t.Helper()
	err := store.Write(t.Context(), func(ctx context.Context, tx control.Tx) error {
		return tx.Registries().Insert(ctx, domain.Registry{ID: name, Name: name})
	})
	if err != nil {
		t.Fatalf("insert: %v", err)
	}
}

func names(t *testing.T, store *sqlstore.Store) string {
	t.Helper()
	var found []string
	err := store.Read(t.Context(), func(ctx context.Context, tx control.Tx) error {
		all, err := tx.Registries().List(ctx, control.Scope{AllProjects: true}, nil, control.Page{})
		for _, r := range all {
			found = append(found, r.Name)
		}
		return err
	})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return strings.Join(found, ",")
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?.sqlite")
	store := storetest.Reopen(t, "sqlite:///"+strings.NewReplacer(" ", "%20", "?", "%3F").Replace(path))
	insert(t, store, "so that there is a log file")
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}

func TestOpenRefusals(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]domain.FaultKind{
		"":                                     domain.Invalid,
		"oracle://u:secret@h/d":                domain.Invalid,
		"mysql://u:secret@h/%zz":               domain.Invalid,
		"mysql://u:secret@h/d?x=1":             domain.Invalid,
		"postgresql://u:secret@h:x":            domain.Invalid,
		"sqlite://":                            domain.Invalid,
		"sqlite:////nowhere/at/all/zun.sqlite": domain.Unavailable,
		"mysql+pymysql://u:secret@127.0.0.1:1/zun?charset=utf8":            domain.Unavailable,
		"postgresql+psycopg2://u:secret@127.0.0.1:1/zun?connect_timeout=2": domain.Unavailable,
	} {
		_, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
		if err == nil || domain.KindOf(err) != want {
			t.Errorf("%s: got %v, want kind %d", dsn, err, want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the fault tells the password: %v", dsn, err)
		}
	}
}
