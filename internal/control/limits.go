package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// DefaultClass is the quota class whose limits hold for projects without own ones.
const DefaultClass = "default"

// LimitsOf resolves the limits of a project: its own, else the default class, else
// the configuration.
func LimitsOf(ctx context.Context, tx Tx, o Options, projectID string) (domain.Quota, error) {
	if o.QuotaOff {
		return domain.Unlimited(), nil
	}
	limits, err := tx.Quotas().Limits(ctx, QuotaSubject{Class: true, Name: DefaultClass}, QuotaSubject{Name: projectID})
	if err != nil {
		return domain.Quota{}, fmt.Errorf("read the limits of %s: %w", projectID, err)
	}
	return o.Quota.With(limits), nil
}

// ClassLimits resolves the limits of a quota class: its own, else the configuration.
func ClassLimits(ctx context.Context, tx Tx, o Options, class string) (domain.Quota, error) {
	if o.QuotaOff {
		return domain.Unlimited(), nil
	}
	limits, err := tx.Quotas().Limits(ctx, QuotaSubject{Class: true, Name: class})
	if err != nil {
		return domain.Quota{}, fmt.Errorf("read the limits of class %s: %w", class, err)
	}
	return o.Quota.With(limits), nil
}
