// Package wiring holds the use cases that change what a container is joined to: the
// networks of its interfaces and its security groups.
package wiring

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what the use cases stand on. Every field but Groups is required.
type Deps struct {
	Control    *control.Control
	Networking control.Networking
	Groups     control.Groups // nil: the network service has no security groups
}

// Wiring are the use cases.
type Wiring struct {
	control    *control.Control
	networking control.Networking
	groups     control.Groups
}

// New returns the use cases over d.
func New(d Deps) *Wiring {
	return &Wiring{control: d.Control, networking: d.Networking, groups: d.Groups}
}

// Rewire queues one of network_attach, network_detach, add_security_group and
// remove_security_group.
func (w *Wiring) Rewire(ctx context.Context, actor domain.Actor, ref control.Ref, verb domain.Verb, args domain.ActionArgs) (domain.Container, error) {
	switch verb {
	case domain.VerbNetworkAttach:
		return w.attachNetwork(ctx, actor, ref, args)
	case domain.VerbNetworkDetach:
		return w.detachNetwork(ctx, actor, ref, args)
	case domain.VerbAddGroup, domain.VerbRemoveGroup:
		return w.regroup(ctx, actor, ref, verb, args)
	default:
		return domain.Container{}, domain.NewFault(domain.Invalid, "invalid", "%s changes no interface.", verb)
	}
}
