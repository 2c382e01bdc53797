// Package lobby bounds how many wait inside of a port who have not yet got what they
// came for. Once it is full, a newcomer takes the place of one who takes his time.
package lobby

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/go-zun/zun/internal/domain"
)

// Lobby is a listener. Each connection that it let in holds one of its places until it
// is closed or upgraded. When all are held, somebody who has not finished his request,
// or was answered and does not leave, is hung up on for the next one: of those from
// where most of them come, who has waited longest. So a crowd from one place pays for
// itself, and one from everywhere holds a newcomer's place for him until all of its
// others were hung up on. While all places are held by requests that are being dealt
// with, others wait with the operating system, where they cost nothing.
type Lobby struct {
	net.Listener
	places int

	mu      sync.Mutex
	free    *sync.Cond // a place, or somebody who may be hung up on
	held    int
	waiting list.List          // of *guest, who may be hung up on; the longest wait first
	from    map[netip.Addr]int // how many of waiting come from where
	closed  bool
}

// New returns a lobby before l, which it owns. The servers behind it must have Note, or
// NoteLasting, told how their connections fare.
func New(l net.Listener, places int) *Lobby {
	lobby := &Lobby{Listener: l, places: places, from: map[netip.Addr]int{}}
	lobby.free = sync.NewCond(&lobby.mu)
	return lobby
}

// Accept implements net.Listener.
func (l *Lobby) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &guest{Conn: conn, lobby: l, from: sourceOf(conn)}
	left, ok := l.seat(g)
	if left != nil {
		_ = left.Conn.Close()
	}
	if !ok {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	return g, nil
}

// Close implements net.Listener.
func (l *Lobby) Close() error {
	l.mu.Lock()
	l.closed = true
	l.free.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// Note is told what becomes of connections, as ConnState of the servers behind the lobby.
func (l *Lobby) Note(conn net.Conn, state http.ConnState) {
	g := guestOf(conn)
	if g == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateActive: // net/http says so once the header is read
		l.rise(g)
	case http.StateIdle:
		l.wait(g)
	case http.StateHijacked, http.StateClosed:
		l.leave(g)
	case http.StateNew:
	}
}

// NoteLasting is Note for servers whose requests may last as long as they like: one that
// is being dealt with holds no place, and its connection takes one again behind it.
func (l *Lobby) NoteLasting(conn net.Conn, state http.ConnState) {
	g := guestOf(conn)
	switch {
	case g == nil:
	case state == http.StateActive:
		l.Note(g, http.StateHijacked)
	case state == http.StateIdle:
		if left := l.comeBack(g); left != nil {
			_ = left.Conn.Close()
		}
	default:
		l.Note(g, state)
	}
}

// comeBack has g take a place without waiting for one: each that is held is of somebody
// who may be hung up on.
func (l *Lobby) comeBack(g *guest) (left *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g.inside.Load() || g.closed {
		return nil
	}
	if l.held >= l.places {
		if left = l.slowest(); left != nil {
			l.leave(left)
		}
	}
	l.enter(g)
	return left
}

// seat gives g a place, which may be that of another who has left then.
func (l *Lobby) seat(g *guest) (left *guest, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held >= l.places && !l.closed {
		if left = l.slowest(); left != nil {
			l.leave(left)
			break
		}
		l.free.Wait()
	}
	if l.closed {
		return left, false
	}
	l.enter(g)
	return left, true
}

func (l *Lobby) enter(g *guest) {
	l.held++
	g.inside.Store(true)
	l.wait(g)
}

// slowest is who is hung up on next; nil if nobody may be.
func (l *Lobby) slowest() (found *guest) {
	most := 0
	for at := l.waiting.Front(); at != nil; at = at.Next() {
		if g, ok := at.Value.(*guest); ok && l.from[g.from] > most {
			found, most = g, l.from[g.from]
		}
	}
	return found
}

// wait has g be one who may be hung up on, after all others.
func (l *Lobby) wait(g *guest) {
	if g.inside.Load() && g.at == nil {
		g.at = l.waiting.PushBack(g)
		l.from[g.from]++
		l.free.Signal()
	}
}

// rise has g keep his place, however long he takes.
func (l *Lobby) rise(g *guest) {
	if g.at == nil {
		return
	}
	l.waiting.Remove(g.at)
	g.at = nil
	if l.from[g.from]--; l.from[g.from] == 0 {
		delete(l.from, g.from)
	}
}

func (l *Lobby) leave(g *guest) {
	l.rise(g)
	if g.inside.Load() {
		g.inside.Store(false)
		l.held--
		l.free.Signal()
	}
}

// guest is a connection that may hold a place.
type guest struct {
	net.Conn
	lobby *Lobby
	from  netip.Addr

	inside atomic.Bool   // whether he holds a place; changed by the lobby only
	at     *list.Element // the lobby's: among those who may be hung up on; nil while he may not
	closed bool          // the lobby's: he comes back no more
}

// Write implements io.Writer. Who is answered has got what he came for.
func (g *guest) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	if g.inside.Load() { // consoles do not meet here
		g.lobby.mu.Lock()
		defer g.lobby.mu.Unlock()
		g.lobby.wait(g)
	}
	return n, err
}

// Close implements io.Closer.
func (g *guest) Close() error {
	g.lobby.mu.Lock()
	g.closed = true
	g.lobby.leave(g)
	g.lobby.mu.Unlock()
	return g.Conn.Close()
}

// guestOf finds the guest within the layers that were put around him; nil if there is none.
func guestOf(conn net.Conn) *guest {
	for {
		switch c := conn.(type) {
		case *guest:
			return c
		case interface{ NetConn() net.Conn }: // as of tls.Conn
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// sourceOf is what stands for whoever holds the far end.
func sourceOf(conn net.Conn) netip.Addr {
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return domain.Origin(peer.Addr())
}
