package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// defaultClass is the quota class whose limits hold for projects without own ones.
const defaultClass = "default"

// limitsOf resolves the limits of a project: its own, else the default class, else
// the configuration.
func limitsOf(ctx context.Context, tx Tx, o Options, projectID string) (domain.Quota, error) {
	if o.QuotaOff {
		return domain.Unlimited(), nil
	}
	limits, err := classLimits(ctx, tx, o, defaultClass)
	if err != nil {
		return limits, err
	}
	own, err := tx.Quotas().Limits(ctx, QuotaSubject{Name: projectID})
	if err != nil {
		return limits, fmt.Errorf("read the limits of %s: %w", projectID, err)
	}
	return limits.With(own), nil
}

func classLimits(ctx context.Context, tx Tx, o Options, class string) (domain.Quota, error) {
	if o.QuotaOff {
		return domain.Unlimited(), nil
	}
	limits, err := tx.Quotas().Limits(ctx, QuotaSubject{Class: true, Name: class})
	if err != nil {
		return domain.Quota{}, fmt.Errorf("read the limits of class %s: %w", class, err)
	}
	return o.Quota.With(limits), nil
}

// Quota returns the limits that hold for a project.
func (c *Control) Quota(ctx context.Context, projectID string) (q domain.Quota, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		q, err = limitsOf(ctx, tx, c.options, projectID)
		return err
	})
	return q, err
}

// Usage returns what a project uses.
func (c *Control) Usage(ctx context.Context, projectID string) (used domain.Claim, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		used, err = tx.Quotas().Usage(ctx, projectID)
		return err
	})
	return used, err
}

// Defaults returns the limits of projects that have no own ones.
func (c *Control) Defaults(ctx context.Context) (domain.Quota, error) {
	return c.Class(ctx, defaultClass)
}

// SetQuota sets the named limits of a project and returns all that hold.
func (c *Control) SetQuota(ctx context.Context, projectID string, limits map[domain.Resource]int64) (q domain.Quota, err error) {
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		if err := setLimits(ctx, t, QuotaSubject{Name: projectID}, limits); err != nil {
			return err
		}
		q, err = limitsOf(ctx, t.Tx, c.options, projectID)
		return err
	})
	return q, err
}

// DeleteQuota returns a project to the defaults.
func (c *Control) DeleteQuota(ctx context.Context, projectID string) error {
	return c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		return t.Quotas().DeleteLimits(ctx, QuotaSubject{Name: projectID})
	})
}

// Class returns the limits of a quota class; an unknown class has the configured ones.
func (c *Control) Class(ctx context.Context, name string) (q domain.Quota, err error) {
	err = c.store.Read(ctx, func(ctx context.Context, tx Tx) error {
		q, err = classLimits(ctx, tx, c.options, name)
		return err
	})
	return q, err
}

// SetClass sets the named limits of a quota class and returns all that hold.
func (c *Control) SetClass(ctx context.Context, name string, limits map[domain.Resource]int64) (q domain.Quota, err error) {
	err = c.Turn(ctx, func(ctx context.Context, t *Turn) error {
		if err := setLimits(ctx, t, QuotaSubject{Class: true, Name: name}, limits); err != nil {
			return err
		}
		q, err = classLimits(ctx, t.Tx, c.options, name)
		return err
	})
	return q, err
}

// setLimits keeps the limits of s that are not named.
func setLimits(ctx context.Context, t *Turn, s QuotaSubject, limits map[domain.Resource]int64) error {
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
