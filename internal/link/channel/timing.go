package channel

import (
	"context"
	"net"
	"time"
)

// Timing bounds waiting on the link. The zero value is not usable; see DefaultTiming.
type Timing struct {
	// Ping is how long a connection with open calls may be silent before the peer is
	// asked for a sign of life, and PingTimeout how long that sign may take. gRPC
	// raises a client's Ping to ten seconds at least.
	Ping, PingTimeout time.Duration
	// Connect bounds one try to connect, TLS included.
	Connect time.Duration
	// Call bounds one call that does not stream, where its caller set no earlier end.
	Call time.Duration
	// MaxAge is when a server asks a client to connect anew, so that connections
	// never outlive certificates by much. Open streams go on.
	MaxAge time.Duration
	// Recheck is how often the peers of open connections are judged anew.
	Recheck time.Duration
	// Drain bounds how long a stopping server waits for its open calls.
	Drain time.Duration
}

// DefaultTiming is what production uses.
func DefaultTiming() Timing {
	return Timing{
		Ping: 15 * time.Second, PingTimeout: 10 * time.Second,
		Connect: 5 * time.Second, Call: 30 * time.Second,
		MaxAge: time.Hour, Recheck: 5 * time.Second, Drain: 5 * time.Second,
	}
}

// Dialer opens the raw connection to an address, before TLS.
type Dialer func(ctx context.Context, address string) (net.Conn, error)

// TCP is the Dialer of the network.
func TCP() Dialer {
	var d net.Dialer
	return func(ctx context.Context, address string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", address)
	}
}
