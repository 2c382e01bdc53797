package books

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Quota returns the limits that hold for a project.
func (b *Books) Quota(ctx context.Context, projectID string) (q domain.Quota, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		q, err = control.LimitsOf(ctx, tx, b.control.Options(), projectID)
		return err
	})
	return q, err
}

// Usage returns what a project uses.
func (b *Books) Usage(ctx context.Context, projectID string) (used domain.Claim, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		used, err = tx.Quotas().Usage(ctx, projectID)
		return err
	})
	return used, err
}

// Defaults returns the limits of projects that have no own ones.
func (b *Books) Defaults(ctx context.Context) (domain.Quota, error) {
	return b.Class(ctx, control.DefaultClass)
}

// SetQuota sets the named limits of a project and returns all that hold.
func (b *Books) SetQuota(ctx context.Context, projectID string, limits map[domain.Resource]int64) (q domain.Quota, err error) {
	err = b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if err := setLimits(ctx, t, control.QuotaSubject{Name: projectID}, limits); err != nil {
			return err
		}
		q, err = control.LimitsOf(ctx, t, b.control.Options(), projectID)
		return err
	})
	return q, err
}

// DeleteQuota returns a project to the defaults.
func (b *Books) DeleteQuota(ctx context.Context, projectID string) error {
	return b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		return t.Quotas().DeleteLimits(ctx, control.QuotaSubject{Name: projectID})
	})
}

// Class returns the limits of a quota class; an unknown class has the configured ones.
func (b *Books) Class(ctx context.Context, name string) (q domain.Quota, err error) {
	err = b.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		q, err = control.ClassLimits(ctx, tx, b.control.Options(), name)
		return err
	})
	return q, err
}

// SetClass sets the named limits of a quota class and returns all that hold.
func (b *Books) SetClass(ctx context.Context, name string, limits map[domain.Resource]int64) (q domain.Quota, err error) {
	err = b.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if err := setLimits(ctx, t, control.QuotaSubject{Class: true, Name: name}, limits); err != nil {
			return err
		}
		q, err = control.ClassLimits(ctx, t, b.control.Options(), name)
		return err
	})
	return q, err
}

// setLimits keeps the limits of s that are not named.
func setLimits(ctx context.Context, t *control.Turn, s control.QuotaSubject, limits map[domain.Resource]int64) error {
	all, err := t.Quotas().Limits(ctx, s)
	if err != nil {
		return fmt.Errorf("read the limits of %s: %w", s.Name, err)
	}
	merged := map[domain.Resource]int64{}
	for _, named := range []map[domain.Resource]int64{all, limits} {
		for resource, limit := range named {
			if limit < -1 {
				return domain.NewFault(domain.Invalid, "invalid-value", "The limit of %s must be -1 (no limit) or more.", resource)
			}
			merged[resource] = limit
		}
	}
	return t.Quotas().SetLimits(ctx, s, merged)
}
