//go:build integration

package sqlstore_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/kit/road"
)

func TestPostgresOutage(t *testing.T) {
	t.Parallel()
	dsn := parse(t, postgres(t))
	way := road.New(t, "tcp", dsn.Host)
	dsn.Host = way.Addr().String()
	outage(t, dsn.String(), way)
}

func TestMariaDBOutage(t *testing.T) {
	t.Parallel()
	dsn := parse(t, mariadb(t))
	way := road.New(t, "unix", dsn.Query().Get("unix_socket"))
	dsn.RawQuery, dsn.Host = "", way.Addr().String()
	outage(t, dsn.String(), way)
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	dsn, err := url.Parse(text)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return dsn
}

// outage cuts the road to the server before, within and after a transaction.
func outage(t *testing.T, dsn string, way *road.Road) {
	t.Helper()
	store := storetest.Reopen(t, dsn)
	insert(t, store, "before")
	add := func(ctx context.Context, tx control.Tx) error {
		return tx.Registries().Insert(ctx, domain.Registry{ID: "within", Name: "within"})
	}
	unavailable := func(what string, err error) {
		t.Helper()
		if err == nil || !domain.IsKind(err, domain.Unavailable) {
			t.Errorf("%s: got %v, want an unavailable fault", what, err)
		}
	}
	unavailable("cut before the commit", store.Write(t.Context(), func(ctx context.Context, tx control.Tx) error {
		err := add(ctx, tx)
		way.Cut()
		return err
	}))
	unavailable("cut before a statement", store.Write(t.Context(), func(ctx context.Context, tx control.Tx) error {
		way.Cut()
		return add(ctx, tx)
	}))
	way.Shut(true)
	unavailable("read while closed", store.Read(t.Context(), nothing))
	unavailable("write while closed", store.Write(t.Context(), add))
	unavailable("ping while closed", store.Ping(t.Context()))
	way.Shut(false)
	if got := names(t, store); got != "before" {
		t.Errorf("after the outage: %q", got)
	}
	insert(t, store, "after")
}
