package channel

import (
	"net"
	"sync"

	"google.golang.org/grpc/credentials"

	"github.com/go-zun/zun/internal/link/trust"
)

// Lines are the open connections of the peers of a server that showed a certificate. To
// cut one ends every call on it, also those whose handlers wait for their peer. The zero
// value has none; it is safe for concurrent use.
type Lines struct {
	mu   sync.Mutex
	open map[net.Conn]trust.Identity
}

// Peers are those who have a connection, each once.
func (l *Lines) Peers() []trust.Identity {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := make(map[trust.Identity]bool, len(l.open))
	peers := make([]trust.Identity, 0, len(l.open))
	for _, who := range l.open {
		if !seen[who] {
			seen[who] = true
			peers = append(peers, who)
		}
	}
	return peers
}

// Cut closes the connections of who.
func (l *Lines) Cut(who trust.Identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for raw, holder := range l.open {
		if holder == who {
			_ = raw.Close() // below TLS, so that a peer that takes nothing holds nobody up
			delete(l.open, raw)
		}
	}
}

func (l *Lines) add(raw net.Conn, who trust.Identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[net.Conn]trust.Identity{}
	}
	l.open[raw] = who
}

func (l *Lines) drop(raw net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, raw)
}

// listed are credentials that list the connections they make as a server.
type listed struct {
	credentials.TransportCredentials
	lines *Lines
}

// ServerHandshake implements credentials.TransportCredentials. Who shows no certificate
// is not listed, and may not ask for much.
func (c listed) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	state, ok := info.(credentials.TLSInfo)
	if !ok || len(state.State.VerifiedChains) == 0 {
		return newStranger(conn, raw), info, nil
	}
	if who, err := trust.IdentityOf(state.State.VerifiedChains[0][0]); err == nil {
		c.lines.add(raw, who)
		conn = listedConn{conn, func() { c.lines.drop(raw) }}
	} // the calls of one that names nobody are refused with the reason
	return conn, info, nil
}

// Clone implements credentials.TransportCredentials.
func (c listed) Clone() credentials.TransportCredentials {
	return listed{c.TransportCredentials.Clone(), c.lines}
}

// listedConn takes itself off the list when it is closed.
type listedConn struct {
	net.Conn
	drop func()
}

// Close implements net.Conn.
func (c listedConn) Close() error {
	c.drop()
	return c.Conn.Close()
}
