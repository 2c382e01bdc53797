// Package road leads tests to a server over a road that they can cut.
package road

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Road leads to a server and can be cut.
type Road struct {
	net.Listener
	network, address string

	travels sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	conns   []net.Conn
}

// New opens a road to address that is closed when the test ends.
func New(t testing.TB, network, address string) *Road {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	r := &Road{Listener: listener, network: network, address: address}
	r.travels.Go(r.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		r.Cut()
		r.travels.Wait()
	})
	return r
}

func (r *Road) serve() {
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

// Cut breaks all connections; new ones may be made.
func (r *Road) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
}

// Shut cuts and refuses new connections, or lets them in again.
func (r *Road) Shut(closed bool) {
	r.mu.Lock()
	r.closed = closed
	r.mu.Unlock()
	r.Cut()
}
