package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// TestStoredFormsStayReadable reads a container as former releases stored it. The
// names in the JSON columns are those of the nouns' fields: whoever renames a field
// meets this test and writes a migration.
func TestStoredFormsStayReadable(t *testing.T) {
	t.Parallel()
	stored, err := os.ReadFile("testdata/container.json")
	if err != nil {
		t.Fatal(err)
	}
	dsn := sqlite(t)
	store := storetest.Reopen(t, dsn)
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:///"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	_, err = raw.ExecContext(t.Context(), "INSERT INTO tombstones (container_uuid, host_uuid, revision, container) VALUES ('c', 'h', 1, ?)", string(stored))
	if err != nil {
		t.Fatal(err)
	}
	var found domain.Container
	err = store.Read(t.Context(), func(ctx context.Context, tx control.Tx) (err error) {
		found, err = tx.Containers().Tombstones().Get(ctx, "c")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, bytes.TrimSpace(stored)) {
		t.Errorf("read as\n%s\nstored was\n%s", again, stored)
	}
}

// What runs in the background waits for its turn, and no longer than its context.
func TestWritesOfBackgroundWorkComeThroughOrEndWithTheirContext(t *testing.T) {
	store := storetest.Open(t)
	var all sync.WaitGroup
	var came atomic.Int32
	for range 16 {
		all.Go(func() {
			err := store.Write(control.Patiently(t.Context()), func(context.Context, control.Tx) error {
				came.Add(1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if came.Load() != 16 {
		t.Errorf("%d of 16 came through", came.Load())
	}
	ended, end := context.WithCancel(control.Patiently(t.Context()))
	end()
	if err := store.Write(ended, func(context.Context, control.Tx) error { return nil }); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("canceled: %v", err)
	}
}
