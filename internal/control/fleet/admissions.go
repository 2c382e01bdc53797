package fleet

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Admissions lists who may speak on the link, and who might once; hosts first, by name.
func (f *Fleet) Admissions(ctx context.Context) (all []domain.Admission, err error) {
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		all, err = tx.Trust().Admissions().List(ctx)
		return err
	})
	return all, err
}

// Revoke makes every certificate of a host or a console door good no more, until it
// joins again. ident is its id, or its name where that is one's alone; Conflict
// otherwise. To revoke twice is no error.
func (f *Fleet) Revoke(ctx context.Context, ident string) error {
	return f.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		all, err := t.Trust().Admissions().List(ctx)
		if err != nil {
			return err
		}
		var named []domain.Admission
		for _, a := range all {
			if a.ID == ident {
				return t.Trust().Admissions().Revoke(ctx, a.ID)
			}
			if a.Name == ident {
				named = append(named, a)
			}
		}
		switch len(named) {
		case 0:
			return domain.NewFault(domain.NotFound, "admission-not-found", "Admission %s could not be found.", ident)
		case 1:
			return t.Trust().Admissions().Revoke(ctx, named[0].ID)
		default:
			return domain.NewFault(domain.Conflict, "conflict", "A host and a console door are called %s. Please use the uuid.", ident)
		}
	})
}
