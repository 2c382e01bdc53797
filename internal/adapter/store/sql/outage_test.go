//go:build integration

package sqlstore_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestPostgresOutage(t *testing.T) {
	t.Parallel()
	dsn := parse(t, postgres(t))
	road := newRoad(t, "tcp", dsn.Host)
	dsn.Host = road.Addr().String()
	outage(t, dsn.String(), road)
}

func TestMariaDBOutage(t *testing.T) {
	t.Parallel()
	dsn := parse(t, mariadb(t))
	road := newRoad(t, "unix", dsn.Query().Get("unix_socket"))
	dsn.RawQuery, dsn.Host = "", road.Addr().String()
	outage(t, dsn.String(), road)
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
func outage(t *testing.T, dsn string, road *road) {
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
		road.cut()
		return err
	}))
	unavailable("cut before a statement", store.Write(t.Context(), func(ctx context.Context, tx control.Tx) error {
		road.cut()
		return add(ctx, tx)
	}))
	road.close(true)
	unavailable("read while closed", store.Read(t.Context(), nothing))
	unavailable("write while closed", store.Write(t.Context(), add))
	unavailable("ping while closed", store.Ping(t.Context()))
	road.close(false)
	if got := names(t, store); got != "before" {
		t.Errorf("after the outage: %q", got)
	}
	insert(t, store, "after")
}

// road leads to a server and can be cut.
type road struct {
	net.Listener
	network, address string

	travels sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	conns   []net.Conn
}

func newRoad(t *testing.T, network, address string) *road {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	r := &road{Listener: listener, network: network, address: address}
	r.travels.Go(r.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		r.cut()
		r.travels.Wait()
	})
	return r
}

func (r *road) serve() {
	for {
		near, err := r.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial(r.network, r.address)
		r.mu.Lock()
		if err != nil || r.closed {
			_ = near.Close()
		}
		if err != nil {
			r.mu.Unlock()
			continue
		}
		r.conns = append(r.conns, near, far)
		r.mu.Unlock()
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			r.travels.Go(func() {
				_, _ = io.Copy(way[0], way[1])
				_, _ = way[0].Close(), way[1].Close()
			})
		}
	}
}

// cut breaks all connections; new ones may be made.
func (r *road) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
}

// close cuts and refuses new connections, or lets them in again.
func (r *road) close(closed bool) {
	r.mu.Lock()
	r.closed = closed
	r.mu.Unlock()
	r.cut()
}
