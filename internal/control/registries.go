package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

func findRegistry(ctx context.Context, tx Tx, actor domain.Actor, ident string) (domain.Registry, error) {
	scope := Scope{ProjectID: actor.ProjectID, AllProjects: actor.IsAdmin}
	found, err := tx.Registries().Find(ctx, scope, ident)
	switch {
	case err != nil:
		return domain.Registry{}, fmt.Errorf("look up registry: %w", err)
	case len(found) == 0:
		return domain.Registry{}, domain.NewFault(domain.NotFound, "registry-not-found", "Registry %s could not be found.", ident)
	case len(found) > 1:
		return domain.Registry{}, domain.NewFault(domain.Conflict, "conflict",
			"Multiple registries exist with same name. Please use the registry uuid instead.")
	}
	return found[0], nil
}

// CreateRegistry stores a registry; its password is sealed before it is stored.
func (c *Control) CreateRegistry(ctx context.Context, actor domain.Actor, r domain.Registry, password string) (domain.Registry, error) {
	id, err := c.rand.UUID()
	if err != nil {
		return r, err
	}
	r.ID, r.ProjectID, r.UserID = id, actor.ProjectID, actor.UserID
	if r.SealedPassword, err = c.seal(password); err != nil {
		return r, err
	}
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error { return t.Registries().Insert(ctx, r) })
	return r, err
}

// seal seals a password; no password seals to nothing.
func (c *Control) seal(password string) ([]byte, error) {
	if password == "" {
		return nil, nil
	}
	sealed, err := c.secrets.Seal([]byte(password))
	if err != nil {
		return nil, fmt.Errorf("seal the registry's password: %w", err)
	}
	return sealed, nil
}

// Registry returns one registry by uuid or name.
func (c *Control) Registry(ctx context.Context, actor domain.Actor, ident string) (r domain.Registry, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		r, err = findRegistry(ctx, tx, actor, ident)
		return err
	})
	return r, err
}

// Registries returns a page of the actor's registries, or of everybody's.
func (c *Control) Registries(ctx context.Context, actor domain.Actor, allProjects bool, filters map[string]string, p Page) (all []domain.Registry, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		all, err = tx.Registries().List(ctx, Scope{ProjectID: actor.ProjectID, AllProjects: allProjects}, filters, p)
		return err
	})
	return all, err
}

// UpdateRegistry changes what is not nil of a registry.
func (c *Control) UpdateRegistry(ctx context.Context, actor domain.Actor, ident string, change RegistryChange) (r domain.Registry, err error) {
	var sealed []byte
	if change.Password != nil {
		if sealed, err = c.seal(*change.Password); err != nil {
			return r, err
		}
	}
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		if r, err = findRegistry(ctx, t.Tx, actor, ident); err != nil {
			return err
		}
		set(&r.Name, change.Name)
		set(&r.Domain, change.Domain)
		set(&r.Username, change.Username)
		if change.Password != nil {
			r.SealedPassword = sealed
		}
		return t.Registries().Update(ctx, r)
	})
	return r, err
}

func set(field *string, value *string) {
	if value != nil {
		*field = *value
	}
}

// DeleteRegistry removes a registry that no container refers to.
func (c *Control) DeleteRegistry(ctx context.Context, actor domain.Actor, ident string) error {
	return c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		r, err := findRegistry(ctx, t.Tx, actor, ident)
		if err != nil {
			return err
		}
		err = t.Registries().Delete(ctx, r.ID)
		if domain.IsKind(err, domain.Conflict) {
			return domain.WrapFault(err, domain.Conflict, "conflict", "Failed to delete registry %s since it is in use.", ident)
		}
		return err
	})
}
