package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// Members returns what belongs to the capsules, in the order in which it was
// stored: init containers and members alike.
func Members(ctx context.Context, tx Tx, capsules ...domain.ContainerID) ([]domain.Container, error) {
	scope := Scope{AllProjects: true, Kinds: []domain.ContainerKind{domain.KindMember, domain.KindInit}}
	rows, err := tx.Containers().List(ctx, ContainerQuery{Scope: scope, Capsules: capsules})
	if err != nil {
		return nil, fmt.Errorf("list the members of capsules: %w", err)
	}
	return rows, nil
}

// counted is what c counts against the quota of its project: a container itself, a
// capsule by its members.
func counted(ctx context.Context, tx Tx, c domain.Container) (domain.Claim, error) {
	if c.Kind != domain.KindCapsule {
		return domain.ClaimOf(c.Spec), nil
	}
	rows, err := Members(ctx, tx, c.ID)
	return domain.NewCapsule(c, rows).Claim(), err
}

// Erase deletes the row of c, after those of its members if it is a capsule.
func (t *Turn) Erase(ctx context.Context, c domain.Container) error {
	var gone []domain.Container
	if c.Kind == domain.KindCapsule {
		var err error
		if gone, err = Members(ctx, t.Tx, c.ID); err != nil {
			return err
		}
	}
	gone = append(gone, c)
	for _, row := range gone {
		if err := t.Containers().Delete(ctx, row.ID); err != nil {
			return fmt.Errorf("delete container %s: %w", row.ID, err)
		}
	}
	c.Status = domain.Deleted
	return t.Tell(ctx, &c, noticeDeleted, "", "")
}
