// Package turnstile lets newcomers in a few at a time, so that those who are inside do
// not wait behind a crowd at the door for their turn on a processor.
package turnstile

import (
	"net"
	"sync"
	"time"
)

// Turnstile is a listener. Of the connections that it let in, at most as many as it has
// arms are fresh: not yet answered, not closed, and younger than its patience. Others
// wait with the operating system, where they cost nothing. Who says nothing is fresh
// for no longer than the patience, and so holds others up for a moment only.
type Turnstile struct {
	net.Listener
	patience time.Duration
	arms     chan struct{} // one for each fresh connection
	once     sync.Once
	closed   chan struct{}
}

// New returns a turnstile before l, which it owns.
func New(l net.Listener, arms int, patience time.Duration) *Turnstile {
	return &Turnstile{Listener: l, patience: patience, arms: make(chan struct{}, arms), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (t *Turnstile) Accept() (net.Conn, error) {
	select {
	case t.arms <- struct{}{}:
	case <-t.closed:
		return nil, net.ErrClosed
	}
	conn, err := t.Listener.Accept()
	if err != nil {
		<-t.arms
		return nil, err
	}
	n := &newcomer{Conn: conn, through: sync.OnceFunc(func() { <-t.arms })}
	n.late = time.AfterFunc(t.patience, n.through)
	return n, nil
}

// Close implements net.Listener.
func (t *Turnstile) Close() error {
	t.once.Do(func() { close(t.closed) })
	return t.Listener.Close()
}

// newcomer is a connection that gives its arm back once it is fresh no more.
type newcomer struct {
	net.Conn
	through func()
	late    *time.Timer
}

// Write implements io.Writer.
func (n *newcomer) Write(p []byte) (int, error) {
	written, err := n.Conn.Write(p)
	n.pass()
	return written, err
}

// Close implements io.Closer.
func (n *newcomer) Close() error {
	n.pass()
	return n.Conn.Close()
}

func (n *newcomer) pass() {
	n.late.Stop()
	n.through()
}
