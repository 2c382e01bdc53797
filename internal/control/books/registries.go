package books

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// CreateRegistry stores a registry; its password is sealed before it is stored.
func (b *Books) CreateRegistry(ctx context.Context, actor domain.Actor, r domain.Registry, password string) (domain.Registry, error) {
	id, err := b.control.Dice().UUID()
	if err != nil {
		return r, err
	}
	r.ID, r.ProjectID, r.UserID = id, actor.ProjectID, actor.UserID
	if r.SealedPassword, err = b.seal(password); err != nil {
		return r, err
	}
	err = b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error { return t.Registries().Insert(ctx, r) })
	return r, err
}

// seal seals a password; no password seals to nothing.
func (b *Books) seal(password string) ([]byte, error) {
	if password == "" {
		return nil, nil
	}
	sealed, err := b.secrets.Seal([]byte(password))
	if err != nil {
		return nil, fmt.Errorf("seal the registry's password: %w", err)
	}
	return sealed, nil
}

// Registry returns one registry by uuid or name.
func (b *Books) Registry(ctx context.Context, actor domain.Actor, ident string) (r domain.Registry, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		r, err = control.FindRegistry(ctx, tx, actor, ident)
		return err
	})
	return r, err
}

// Registries returns a page of the actor's registries, or of everybody's.
func (b *Books) Registries(ctx context.Context, actor domain.Actor, allProjects bool, filters map[string]string, p control.Page) (all []domain.Registry, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		all, err = tx.Registries().List(ctx, control.Scope{ProjectID: actor.ProjectID, AllProjects: allProjects}, filters, p)
		return err
	})
	return all, err
}

// UpdateRegistry changes what is not nil of a registry.
func (b *Books) UpdateRegistry(ctx context.Context, actor domain.Actor, ident string, change control.RegistryChange) (r domain.Registry, err error) {
	var sealed []byte
	if change.Password != nil {
		if sealed, err = b.seal(*change.Password); err != nil {
			return r, err
		}
	}
	err = b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if r, err = control.FindRegistry(ctx, t, actor, ident); err != nil {
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
func (b *Books) DeleteRegistry(ctx context.Context, actor domain.Actor, ident string) error {
	return b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		r, err := control.FindRegistry(ctx, t, actor, ident)
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
