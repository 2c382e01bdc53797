// Package inproc carries the link inside one process: the all-in-one speaks the
// same contract with the same TLS as two processes do, over memory instead of a
// network.
package inproc

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc/test/bufconn"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/ctl"
	"github.com/go-zun/zun/internal/link/trust"
)

// bufferBytes is what one direction of a connection holds before a writer waits.
const bufferBytes = 256 << 10

// Network is a network of names inside this process. The zero value is not usable.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*bufconn.Listener
}

// NewNetwork returns a network on which nobody listens.
func NewNetwork() *Network { return &Network{listeners: map[string]*bufconn.Listener{}} }

// Listen takes the name address; one that listened there before is replaced.
func (n *Network) Listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	listener := bufconn.Listen(bufferBytes)
	n.listeners[address] = listener
	return listener
}

// Dial connects to the listener of that name; it is a channel.Dialer. Nobody
// listening is an Unavailable fault.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	listener := n.listeners[address]
	n.mu.Unlock()
	if listener == nil {
		return nil, domain.NewFault(domain.Unavailable, "nobody-listens", "nobody listens at %s", address)
	}
	return listener.DialContext(ctx)
}

// Vault keeps a host's credential in memory. It is used by one goroutine at a time.
type Vault struct{ kept *trust.Credential }

// Admit has authority admit the host of this process, so that an all-in-one needs
// no join token, and returns the vault that holds its credential.
func Admit(ctx context.Context, authority *ctl.Authority, host ctl.Admission) (*Vault, error) {
	c, err := authority.Admit(ctx, host)
	if err != nil {
		return nil, err
	}
	return &Vault{kept: c}, nil
}

// Load implements node.Vault.
func (v *Vault) Load() (*trust.Credential, error) { return v.kept, nil }

// Save implements node.Vault.
func (v *Vault) Save(c *trust.Credential) error {
	v.kept = c
	return nil
}
