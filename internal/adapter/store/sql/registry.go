package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type registries struct{ *tx }

func registryFields(r *domain.Registry) []column.Field {
	return []column.Field{
		column.Text("uuid", &r.ID).As(column.Fixed),
		column.Text("project_id", &r.ProjectID).As(column.Fixed),
		column.Text("user_id", &r.UserID).As(column.Fixed),
		column.Text("name", &r.Name),
		column.Text("domain", &r.Domain),
		column.Text("username", &r.Username),
		column.Blob("sealed_password", &r.SealedPassword),
	}
}

func registryListing() clause.Listing {
	return clause.Listing{
		Table: "registries", DefaultKey: "id", Missing: registryNotFound,
		Keys: []string{"id", "uuid", "name", "domain", "username", "project_id", "user_id"},
	}
}

func registryNotFound(ident string) error { return notFound("registry-not-found", "Registry", ident) }

func (s registries) Insert(ctx context.Context, r domain.Registry) error {
	return s.insert(ctx, "registries", registryFields(&r))
}

// owned is the condition that a scope sets on what has no kind.
func owned(scope control.Scope) clause.Where {
	var where clause.Where
	if !scope.AllProjects {
		where.Add("project_id = ?", scope.ProjectID)
	}
	return where
}

func (s registries) Find(ctx context.Context, scope control.Scope, ident string) ([]domain.Registry, error) {
	where := owned(scope)
	where.Add("(uuid = ? OR name = ?)", ident, ident)
	return rows(ctx, s.tx, registryFields, "FROM registries"+where.String()+" ORDER BY id LIMIT 2"+s.locks, where.Args...)
}

// List knows the filters name, domain, username, project_id and user_id; another one is an Invalid fault.
func (s registries) List(ctx context.Context, scope control.Scope, filters map[string]string, p control.Page) ([]domain.Registry, error) {
	where := owned(scope)
	for _, column := range slices.Sorted(maps.Keys(filters)) {
		switch column {
		case "name", "domain", "username", "project_id", "user_id":
			where.Add(column+" = ?", filters[column])
		default:
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "The filter %q is not known.", column)
		}
	}
	tail, args, err := s.page(ctx, registryListing(), where, p)
	if err != nil {
		return nil, err
	}
	return rows(ctx, s.tx, registryFields, tail, args...)
}

func (s registries) Update(ctx context.Context, r domain.Registry) error {
	matched, err := s.update(ctx, "registries", registryFields(&r), "uuid = ?", r.ID)
	if err == nil && matched == 0 {
		err = registryNotFound(r.ID)
	}
	return err
}

func (s registries) Delete(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM registries WHERE uuid = ?", id)
	if s.meant(err, dialect.Referred) {
		return domain.WrapFault(err, domain.Conflict, "conflict", "Failed to delete registry %s since it is in use.", id)
	}
	return err
}
