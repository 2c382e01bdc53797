package replica

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// Deps are what a Set stands on.
type Deps struct {
	Addresses []string     // host:port of each replica
	Source    trust.Source // the caller's certificate in force
	Clock     trust.Clock
	Dial      channel.Dialer
	Timing    channel.Timing
}

// Set is the replicas of one control: one connection each, and the one that answered
// last is asked first. It is safe for concurrent use.
type Set struct {
	deps Deps

	mu     sync.Mutex
	closed bool
	first  int
	conns  map[string]*grpc.ClientConn
}

// New returns a set that has not connected yet.
func New(d Deps) *Set { return &Set{deps: d, conns: map[string]*grpc.ClientConn{}} }

// Close closes every connection; later calls are Unavailable.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Reconnect()
}

// Reconnect closes every connection, so that the next call shows the certificate in
// force. A call under way ends as Unavailable, which its caller repeats.
func (s *Set) Reconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, conn := range s.conns {
		_ = conn.Close()
		delete(s.conns, address)
	}
}

// order lists the replicas, the one that answered last first.
func (s *Set) order() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	all := s.deps.Addresses
	return append(append([]string{}, all[s.first:]...), all[:s.first]...)
}

// begin sets at which replica the next call begins: past places after address.
func (s *Set) begin(address string, past int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.deps.Addresses, address); i >= 0 {
		s.first = (i + past) % len(s.deps.Addresses)
	}
}

func (s *Set) line(address string) (*grpc.ClientConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if conn, ok := s.conns[address]; ok {
		return conn, nil
	}
	if s.closed {
		return nil, domain.NewFault(domain.Unavailable, "stopping", "the service is stopping")
	}
	config, err := trust.Client(s.deps.Source, trust.Peer{ServerName: trust.ControlName(), Role: trust.RoleControl}, s.deps.Clock)
	if err != nil {
		return nil, err
	}
	conn, err := channel.Connect(address, config, s.deps.Dial, s.deps.Timing)
	if err != nil {
		return nil, err
	}
	s.conns[address] = conn
	return conn, nil
}

// Call is one call of the contract over the connection it is given.
type Call[T any] func(ctx context.Context, conn grpc.ClientConnInterface) (T, error)

// Ask makes call at one replica after the other until one answers. Only a replica
// that did not answer is passed over; its refusal is an answer.
func Ask[T any](ctx context.Context, s *Set, call Call[T]) (T, error) {
	return inTurn(ctx, s, func(ctx context.Context, address string) (T, error) {
		conn, err := s.line(address)
		if err != nil {
			var none T
			return none, err
		}
		return call(ctx, conn)
	})
}

// Meet is Ask before the caller has a certificate: over connections that trust the
// authority with this hash alone and show no certificate.
func Meet[T any](ctx context.Context, s *Set, authority [sha256.Size]byte, call Call[T]) (T, error) {
	return inTurn(ctx, s, func(ctx context.Context, address string) (T, error) {
		conn, err := channel.Connect(address, trust.FirstContact(authority, s.deps.Clock), s.deps.Dial, s.deps.Timing)
		if err != nil {
			var none T
			return none, err
		}
		defer func() { _ = conn.Close() }()
		return call(ctx, conn)
	})
}

func inTurn[T any](ctx context.Context, s *Set, at func(ctx context.Context, address string) (T, error)) (T, error) {
	var none T
	failed := error(domain.NewFault(domain.Unavailable, "control-unavailable", "no address of a control is known"))
	for _, address := range s.order() {
		bound, cancel := s.deps.Timing.Bounded(ctx)
		reply, err := at(bound, address)
		cancel()
		if err == nil {
			s.begin(address, 0)
			return reply, nil
		}
		failed = wire.ToError(err, "control at "+address)
		if !Silent(failed) {
			break
		}
		s.begin(address, 1) // also for the next call, if this one has no time left
		if ctx.Err() != nil {
			break
		}
	}
	return none, failed
}

// Silent says whether err tells of silence rather than of an answer. Control's own
// Unavailable faults (its database is away, it cannot dial back) carry no transport
// cause; the first is worth another replica, the second is not.
func Silent(err error) bool {
	var fault *domain.Fault
	if !errors.As(err, &fault) {
		return false
	}
	switch fault.Kind {
	case domain.Timeout:
		return true
	case domain.Unavailable:
		return fault.Code != "host-unreachable"
	default:
		return false
	}
}
