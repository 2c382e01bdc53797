// Package porch lets plain and encrypted connections in at one port, and tells them
// apart by the first byte that a client sends.
package porch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// hello bounds how long a client may wait with its first byte.
const hello = 10 * time.Second

// The bounds of the pause after a connection that could not be let in for now.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

// tlsRecord is the first byte of a TLS handshake; no HTTP request begins with it.
const tlsRecord = 0x16

// Porch is one port with two doors behind it.
type Porch struct {
	listener         net.Listener
	plain, encrypted *lane
	settings         *tls.Config
}

// New returns a porch before l, which it owns. settings are those of the encrypted door.
func New(l net.Listener, settings *tls.Config) *Porch {
	return &Porch{listener: l, settings: settings, plain: newLane(l.Addr()), encrypted: newLane(l.Addr())}
}

// Plain is where connections without TLS arrive, and Encrypted those with it.
func (p *Porch) Plain() net.Listener { return p.plain }

// Encrypted is where connections arrive whose handshake is yet to be made.
func (p *Porch) Encrypted() net.Listener { return p.encrypted }

// Run lets connections in until ctx ends, then closes the port and both doors. It
// returns nil then, and when nobody waits on the porch any more.
func (p *Porch) Run(ctx context.Context) error {
	var waiting sync.WaitGroup
	defer waiting.Wait()
	ctx, cancel := context.WithCancel(ctx)
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = p.listener.Close()
		_ = p.plain.Close()
		_ = p.encrypted.Close()
	})
	defer func() { cancel(); <-closed }()
	for {
		conn, err := p.accept(ctx)
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("let connections in: %w", err)
		}
		waiting.Go(func() { p.usher(ctx, conn) })
	}
}

// accept lets the next connection in. A process that has no room for one more, or a client
// that left before it was met, is no reason to send those away who are inside.
func (p *Porch) accept(ctx context.Context) (net.Conn, error) {
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		conn, err := p.listener.Accept()
		var failed net.Error
		if !errors.As(err, &failed) || !failed.Temporary() { //nolint:staticcheck // net/http's server goes by the same
			return conn, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// usher looks at the first byte of conn and leads it to its door.
func (p *Porch) usher(ctx context.Context, conn net.Conn) {
	unhook := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unhook()
	first := make([]byte, 1)
	err := conn.SetReadDeadline(time.Now().Add(hello))
	if err == nil {
		_, err = conn.Read(first)
	}
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	if err != nil || !unhook() {
		_ = conn.Close()
		return
	}
	seen := &begun{Conn: conn, first: first}
	if first[0] == tlsRecord {
		p.encrypted.lead(tls.Server(seen, p.settings))
		return
	}
	p.plain.lead(seen)
}

// begun is a connection whose first byte was looked at.
type begun struct {
	net.Conn
	first []byte
}

// NetConn is the connection itself, for who looks for it beneath its layers.
func (b *begun) NetConn() net.Conn { return b.Conn }

// Read implements io.Reader.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) == 0 || len(p) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

// lane is the listener of one door.
type lane struct {
	address net.Addr
	coming  chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func newLane(address net.Addr) *lane {
	return &lane{address: address, coming: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *lane) lead(conn net.Conn) {
	select {
	case l.coming <- conn:
	case <-l.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (l *lane) Accept() (net.Conn, error) {
	select {
	case conn := <-l.coming:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *lane) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *lane) Addr() net.Addr { return l.address }
