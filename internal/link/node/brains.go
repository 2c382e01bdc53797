package node

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
	"github.com/go-zun/zun/internal/link/channel"
	"github.com/go-zun/zun/internal/link/trust"
	"github.com/go-zun/zun/internal/link/wire"
)

// brains are the control replicas: one connection each, and the one that answered
// last is asked first.
type brains struct {
	addresses []string
	source    trust.Source
	now       trust.Clock
	dial      channel.Dialer
	timing    channel.Timing

	mu    sync.Mutex
	first int
	conns map[string]*grpc.ClientConn
}

func newBrains(d Deps, source trust.Source) *brains {
	return &brains{
		addresses: d.Controls, source: source, now: d.Clock, dial: d.Dial, timing: d.Timing,
		conns: map[string]*grpc.ClientConn{},
	}
}

func (b *brains) close() {
	b.reconnect()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addresses = nil
}

func (b *brains) reconnect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for address, conn := range b.conns {
		_ = conn.Close()
		delete(b.conns, address)
	}
}

// order lists the replicas, the one that answered last first.
func (b *brains) order() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.addresses) == 0 {
		return nil
	}
	at := b.first % len(b.addresses)
	return append(append([]string{}, b.addresses[at:]...), b.addresses[:at]...)
}

func (b *brains) prefer(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, a := range b.addresses {
		if a == address {
			b.first = i
		}
	}
}

func (b *brains) client(address string) (linkv1.ControlClient, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if conn, ok := b.conns[address]; ok {
		return linkv1.NewControlClient(conn), nil
	}
	config, err := trust.Client(b.source, trust.ControlName(), trust.RoleControl, b.now)
	if err != nil {
		return nil, err
	}
	conn, err := channel.Connect(address, config, b.dial, b.timing)
	if err != nil {
		return nil, err
	}
	b.conns[address] = conn
	return linkv1.NewControlClient(conn), nil
}

// tryEach makes call at one replica after the other until one answers. Only a
// replica that did not answer is passed over; its refusal is an answer.
func tryEach[T any](ctx context.Context, b *brains, call func(context.Context, linkv1.ControlClient) (T, error)) (T, error) {
	var none T
	failed := error(domain.NewFault(domain.Unavailable, "control-unavailable", "no address of a control is known"))
	for _, address := range b.order() {
		client, err := b.client(address)
		if err != nil {
			return none, err
		}
		reply, err := once(ctx, b.timing, address, client, call)
		if err == nil {
			b.prefer(address)
			return reply, nil
		}
		failed = err
		if !noAnswer(err) || ctx.Err() != nil {
			break
		}
	}
	return none, failed
}

func once[T any](ctx context.Context, timing channel.Timing, address string, client linkv1.ControlClient, call func(context.Context, linkv1.ControlClient) (T, error)) (T, error) {
	ctx, cancel := timing.Bounded(ctx)
	defer cancel()
	reply, err := call(ctx, client)
	return reply, wire.ToError(err, "control at "+address)
}

// joinAny asks the replicas in turn over connections that trust the token's
// authority alone and carry no certificate.
func (b *brains) joinAny(ctx context.Context, token trust.Token, req *linkv1.JoinRequest) (*linkv1.JoinReply, error) {
	failed := error(domain.NewFault(domain.Unavailable, "control-unavailable", "no address of a control is known"))
	for _, address := range b.order() {
		conn, err := channel.Connect(address, trust.FirstContact(token.Authority, b.now), b.dial, b.timing)
		if err != nil {
			return nil, err
		}
		reply, err := once(ctx, b.timing, address, linkv1.NewControlClient(conn),
			func(ctx context.Context, c linkv1.ControlClient) (*linkv1.JoinReply, error) { return c.Join(ctx, req) })
		_ = conn.Close()
		if err == nil {
			b.prefer(address)
			return reply, nil
		}
		failed = err
		if !noAnswer(err) || ctx.Err() != nil {
			break
		}
	}
	return nil, failed
}

// noAnswer says whether err tells of silence rather than of an answer. Control's own
// Unavailable faults (its database is away, it cannot dial back) carry no transport
// cause; the first is worth another replica, the second is not.
func noAnswer(err error) bool {
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
