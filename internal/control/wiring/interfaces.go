package wiring

import (
	"context"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// attachNetwork queues one more interface. The network is chosen with the user's
// token before the transaction; the prepare loop makes the port.
func (w *Wiring) attachNetwork(ctx context.Context, actor domain.Actor, ref control.Ref, args domain.ActionArgs) (domain.Container, error) {
	var asked []domain.NetRequest
	if args.Net != (domain.NetRequest{}) {
		asked = append(asked, args.Net)
	}
	choices, err := w.networking.Resolve(ctx, actor, asked)
	if err != nil {
		return domain.Container{}, err
	}
	args.Choice = &choices[0]
	var row domain.Container
	err = w.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		if row, err = control.Find(ctx, t, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		if err := mayRewire(ctx, t, row, domain.VerbNetworkAttach); err != nil {
			return err
		}
		if err := checkUnattached(row, *args.Choice, args.Net); err != nil {
			return err
		}
		_, err = t.Accept(ctx, &row, control.Order{Verb: domain.VerbNetworkAttach, Args: args, Actor: actor})
		return err
	})
	return row, err
}

func checkUnattached(row domain.Container, choice domain.NetChoice, asked domain.NetRequest) error {
	for _, known := range row.Resolved {
		if known.NetworkID != choice.NetworkID {
			continue
		}
		if choice.PortID != "" {
			return domain.NewFault(domain.Invalid, "invalid", "Cannot attach port '%s' to container '%s' because another port "+
				"on the same network is already attached to this container.", asked.Port, row.ID)
		}
		name := asked.Network
		if name == "" {
			name = choice.NetworkID
		}
		return domain.NewFault(domain.Invalid, "invalid", "Network '%s' is already connected to container '%s'.", name, row.ID)
	}
	return nil
}

// mayRewire returns a Conflict for a container whose interfaces cannot change: one
// that is being deleted, or whose earlier change has not ended.
func mayRewire(ctx context.Context, t *control.Turn, row domain.Container, verb domain.Verb) error {
	queue, err := t.MayQueue(ctx, row, verb)
	if err != nil {
		return err
	}
	rewires := func(q domain.Queued) bool {
		return q.Verb == domain.VerbNetworkAttach || q.Verb == domain.VerbNetworkDetach ||
			q.Verb == domain.VerbAddGroup || q.Verb == domain.VerbRemoveGroup
	}
	if row.Want.Absent || slices.ContainsFunc(queue, rewires) {
		return domain.NewFault(domain.Conflict, "invalid-state-exception", "Cannot %s container %s in %s state", verb, row.ID, row.Status)
	}
	return nil
}

// detachNetwork queues the loss of one interface, named by its network or its port.
func (w *Wiring) detachNetwork(ctx context.Context, actor domain.Actor, ref control.Ref, args domain.ActionArgs) (row domain.Container, err error) {
	network := ""
	if args.Net.Port == "" {
		choices, err := w.networking.Resolve(ctx, actor, []domain.NetRequest{{Network: args.Net.Network}})
		if err != nil {
			return row, err
		}
		network = choices[0].NetworkID
	}
	err = w.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		if row, err = control.Find(ctx, t, actor, ref, domain.KindContainer); err != nil {
			return err
		}
		if err := mayRewire(ctx, t, row, domain.VerbNetworkDetach); err != nil {
			return err
		}
		if args.Gone, args.Choice = attached(row, network, args.Net.Port); args.Gone == nil {
			return notAttached(row, args.Net)
		}
		_, err = t.Accept(ctx, &row, control.Order{Verb: domain.VerbNetworkDetach, Args: args, Actor: actor})
		return err
	})
	return row, err
}

// attached returns the interface of row on network or port, and the choice that it
// was made from; nil if there is none.
func attached(row domain.Container, network, port string) (*domain.Nic, *domain.NetChoice) {
	for _, nic := range row.Nics {
		if nic.NetworkID != network && nic.PortID != port {
			continue
		}
		for _, choice := range row.Resolved {
			if choice.NetworkID == nic.NetworkID {
				return &nic, &choice
			}
		}
	}
	return nil, nil
}

func notAttached(row domain.Container, asked domain.NetRequest) error {
	if asked.Port != "" {
		return domain.NewFault(domain.Invalid, "invalid", "Port '%s' is not attached to container '%s'.", asked.Port, row.ID)
	}
	return domain.NewFault(domain.Invalid, "invalid", "Network '%s' is not attached to container '%s'.", asked.Network, row.ID)
}
