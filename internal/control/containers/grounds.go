package containers

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
)

// grounds are what a create is judged on. What must hold is looked at again in the
// transaction that accepts it.
type grounds struct {
	known       *domain.Container // the container of the same idempotency key
	limits      domain.Quota
	used        domain.Claim
	registry    domain.Registry
	registryErr error
	own         domain.Image // the project's own image that is asked for, if it is one
	fleet       placing.Fleet
}

// registryDomain is put before an image name that has none.
func (g grounds) registryDomain(o control.Options) string {
	if g.registry.ID != "" {
		return g.registry.Domain
	}
	return o.DefaultRegistry.Domain
}

func (c *Containers) survey(ctx context.Context, actor domain.Actor, req control.CreateRequest, row domain.Container) (g grounds, err error) {
	err = c.control.Glance(ctx, func(ctx context.Context, tx control.Tx) error {
		g = grounds{}
		if req.IdempotencyKey != "" {
			if g.known, err = earlier(ctx, tx, row); err != nil || g.known != nil {
				return err
			}
		}
		if err := g.budget(ctx, tx, c.control.Options(), row.ProjectID); err != nil {
			return err
		}
		if err := checkKin(ctx, tx, row); err != nil {
			return err
		}
		if g.own, _, err = control.OwnImage(ctx, tx, row.ProjectID, row.Spec.Image); err != nil {
			return err
		}
		if req.Registry != "" {
			g.registry, g.registryErr = control.FindRegistry(ctx, tx, actor, req.Registry)
		}
		return nil
	})
	if err != nil || g.known != nil {
		return g, err
	}
	g.fleet, err = c.placing.Fleet(ctx)
	if err == nil && g.fleet.Remembered && !g.fleet.Knows(row.Spec.RequestedHost) {
		g.fleet, err = c.placing.Now(ctx)
	}
	return g, err
}

// budget reads what the project may use and what it uses; where nothing is limited, what
// it uses says nothing.
func (g *grounds) budget(ctx context.Context, tx control.Tx, o control.Options, projectID string) (err error) {
	if g.limits, err = control.LimitsOf(ctx, tx, o, projectID); err != nil || o.QuotaOff {
		return err
	}
	if g.used, err = tx.Quotas().Usage(ctx, projectID); err != nil {
		return fmt.Errorf("read the usage of %s: %w", projectID, err)
	}
	return nil
}

// earlier returns the container that a create of the same idempotency key made. One
// that a silent host may still run is a Conflict: a second of its id would be taken
// for the one that the host must remove.
func earlier(ctx context.Context, tx control.Tx, row domain.Container) (*domain.Container, error) {
	known, err := tx.Containers().Get(ctx, control.Scope{ProjectID: row.ProjectID}, row.ID)
	if domain.IsKind(err, domain.NotFound) {
		if _, err = tx.Containers().Tombstones().Get(ctx, row.ID); err == nil {
			return nil, domain.NewFault(domain.Conflict, "conflict", "The container of this Idempotency-Key is still being removed from its host.")
		}
	}
	if domain.IsKind(err, domain.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the idempotency key: %w", err)
	}
	return &known, nil
}

// checkKin refuses hints that name containers which the project does not have.
func checkKin(ctx context.Context, tx control.Tx, row domain.Container) error {
	wishes, err := place.ReadHints(row.Spec.Hints)
	if err != nil {
		return err
	}
	for _, b := range wishes.Bonds {
		for _, id := range b.Kin.Containers {
			_, err := tx.Containers().Get(ctx, control.Scope{ProjectID: row.ProjectID}, id)
			if domain.IsKind(err, domain.NotFound) {
				return domain.NewFault(domain.Invalid, "invalid-value", "The hint %s names the container %s, which could not be found.", b.Hint, id)
			}
			if err != nil {
				return fmt.Errorf("look up neighbour %s: %w", id, err)
			}
		}
	}
	return nil
}
