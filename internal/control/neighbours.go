package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// Need is what row asks of a host, with its neighbours counted, and with what is held of
// the hosts already where it wants CPUs of its own. Only a container that asks for the one
// or the other costs a look at it.
func Need(ctx context.Context, tx Tx, row domain.Container, refused []string) (place.Need, error) {
	n := place.NeedOf(row.Spec, refused)
	for i := range n.Bonds {
		near, err := neighbours(ctx, tx, row, n.Bonds[i].Kin)
		if err != nil {
			return n, err
		}
		n.Bonds[i].Near = near
	}
	if !n.Dedicated {
		return n, nil
	}
	held, err := Holdings(ctx, tx, "")
	n.Held = held
	return n, err
}

// neighbours counts, by host, the kin of row in its own project; what other projects
// have where is not theirs to learn. One that left or has no host counts nowhere.
func neighbours(ctx context.Context, tx Tx, row domain.Container, kin place.Kin) (map[string]int, error) {
	found, err := kinOf(ctx, tx, Scope{ProjectID: row.ProjectID}, kin)
	if err != nil {
		return nil, err
	}
	near := map[string]int{}
	for i := range found {
		if c := &found[i]; c.HostID != "" && c.ID != row.ID && kin.Includes(c) {
			near[c.HostID]++
		}
	}
	return near, nil
}

func kinOf(ctx context.Context, tx Tx, scope Scope, kin place.Kin) (found []domain.Container, err error) {
	for _, id := range kin.Containers {
		c, err := tx.Containers().Get(ctx, scope, id)
		if domain.IsKind(err, domain.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look up neighbour %s: %w", id, err)
		}
		found = append(found, c)
	}
	if len(kin.Containers) > 0 {
		return found, nil
	}
	q := ContainerQuery{Scope: scope}
	if kin.Label != "" {
		q.Filters.Labels = map[string]string{kin.Label: kin.Value}
	}
	if found, err = tx.Containers().List(ctx, q); err != nil {
		return nil, fmt.Errorf("list neighbours: %w", err)
	}
	return found, nil
}

// keepBonds refuses host ("host-full") if the hard wishes of c about its neighbours do
// not hold there any more. The project's quota row is kept until the end of the
// transaction, so that of two that must not meet the second sees the first.
func (t *Turn) keepBonds(ctx context.Context, c domain.Container, host domain.Host) error {
	if len(place.NeedOf(c.Spec, nil).Bonds) == 0 {
		return nil
	}
	if err := t.Use(ctx, c.ProjectID, domain.Claim{}); err != nil {
		return err
	}
	n, err := Need(ctx, t.Tx, c, nil)
	if err != nil || n.BondsHold(&host) {
		return err
	}
	return domain.NewFault(domain.Conflict, "host-full", "Compute node %s has other neighbours than container %s wants.", host.Name, c.ID)
}
