package plumb

import (
	"context"

	"github.com/vishvananda/netlink"

	"github.com/go-zun/zun/internal/domain"
)

// binding wires the host end of one kind of port. Every call may be repeated, and
// calls for different ports run at the same time.
type binding interface {
	// group is the link group that a host end is made with; zero for none.
	group() uint32
	// prepare makes what the port needs on the host before its link exists, so that a
	// refusal leaves nothing behind.
	prepare(ctx context.Context, host *netlink.Handle, nic domain.Nic) error
	// attach connects the host end, which may still be down, and brings it up.
	attach(ctx context.Context, host *netlink.Handle, tap netlink.Link, nic domain.Nic) error
	// detach removes what prepare and attach left beside the link itself, which is down or
	// gone by now. Of nic only the port's id may be known.
	detach(ctx context.Context, nic domain.Nic) error
}

// bindingOf returns the binding of nic; an empty type is taken as local, because a
// host end that is swept is known by its link alone.
func (p *Plumb) bindingOf(nic domain.Nic) (binding, error) {
	kind := nic.Binding.Type
	if kind == "" {
		kind = domain.BindingLocal
	}
	b, ok := p.bindings[kind]
	if !ok {
		return nil, domain.NewFault(domain.Unsupported, "port-binding-failed",
			"Binding failed for port %s: this host cannot plug ports of type %q.", nic.PortID, kind)
	}
	return b, nil
}
