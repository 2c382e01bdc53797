package sqlstore

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/domain"
)

type admissions struct{ *tx }

// revokedFor is how long it is remembered who was revoked: long after the last of their
// certificates ran out.
const revokedFor = 30 * 24 * time.Hour

func admissionFields(a *domain.Admission) []column.Field {
	return []column.Field{
		column.Text("role", &a.Role), column.Text("name", &a.Name), column.Text("uuid", &a.ID), column.Number("epoch", &a.Epoch),
		column.Moment("since", &a.Since).As(column.Created), column.Moment("revoked_at", &a.RevokedAt),
	}
}

func (s admissions) Admit(ctx context.Context, a domain.Admission) (domain.Admission, error) {
	const ofName = "role = ? AND name = ?"
	again, err := s.exec(ctx, "UPDATE admissions SET uuid = ?, epoch = epoch + 1, since = @now, revoked_at = 0 WHERE "+ofName, a.ID, string(a.Role), a.Name)
	if err == nil && again == 0 {
		a.Epoch = 1
		err = s.again(s.insert(ctx, "admissions", admissionFields(&a)))
	}
	if err != nil {
		return domain.Admission{}, err
	}
	return one(ctx, s.tx, admissionNotFound(a.ID), admissionFields, "FROM admissions WHERE "+ofName, string(a.Role), a.Name)
}

func (s admissions) List(ctx context.Context) ([]domain.Admission, error) {
	return rows(ctx, s.tx, admissionFields, "FROM admissions ORDER BY role DESC, name")
}

func (s admissions) Revoke(ctx context.Context, id string) error {
	matched, err := s.exec(ctx, "UPDATE admissions SET epoch = epoch + 1, revoked_at = @now WHERE uuid = ? AND revoked_at = 0", id)
	if err != nil || matched > 0 {
		return err
	}
	_, err = one(ctx, s.tx, admissionNotFound(id), admissionFields, "FROM admissions WHERE uuid = ?", id)
	return err
}

func admissionNotFound(id string) error { return notFound("admission-not-found", "Admission", id) }
