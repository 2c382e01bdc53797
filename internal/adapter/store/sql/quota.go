package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type quotas struct{ *tx }

// limit is one explicit limit.
type limit struct {
	subject  control.QuotaSubject
	resource domain.Resource
	bound    int64
}

func limitFields(l *limit) []column.Field {
	return []column.Field{
		column.Flag("is_class", &l.subject.Class),
		column.Text("subject", &l.subject.Name),
		column.Text("resource", &l.resource),
		column.Number("hard_limit", &l.bound),
	}
}

// usage is what one project uses.
type usage struct {
	projectID string
	domain.Claim
}

func usageFields(u *usage) []column.Field {
	return []column.Field{
		column.Text("project_id", &u.projectID).As(column.Fixed),
		column.Number("containers", &u.Containers),
		column.CPUs("cpu", &u.CPU),
		column.Number("memory", &u.MemoryMB),
		column.Number("disk", &u.DiskGB),
	}
}

func (s quotas) Limits(ctx context.Context, subjects ...control.QuotaSubject) (map[domain.Resource]int64, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	of := make([]string, len(subjects))
	var args []any
	for i, subject := range subjects {
		of[i], args = "(subject = ? AND is_class = ?)", append(args, subject.Name, subject.Class)
	}
	found, err := rows(ctx, s.tx, limitFields, "FROM quota_limits WHERE "+strings.Join(of, " OR "), args...)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b limit) int {
		return cmp.Compare(slices.Index(subjects, a.subject), slices.Index(subjects, b.subject))
	})
	limits := make(map[domain.Resource]int64, len(found))
	for _, l := range found {
		limits[l.resource] = l.bound
	}
	return limits, nil
}

// SetLimits leaves the resources that limits does not name as they are.
func (s quotas) SetLimits(ctx context.Context, subject control.QuotaSubject, limits map[domain.Resource]int64) error {
	for _, resource := range slices.Sorted(maps.Keys(limits)) {
		matched, err := s.exec(ctx, "UPDATE quota_limits SET hard_limit = ? WHERE subject = ? AND is_class = ? AND resource = ?",
			limits[resource], subject.Name, subject.Class, string(resource))
		if err == nil && matched == 0 {
			l := limit{subject: subject, resource: resource, bound: limits[resource]}
			err = s.again(s.insert(ctx, "quota_limits", limitFields(&l)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s quotas) DeleteLimits(ctx context.Context, subject control.QuotaSubject) error {
	_, err := s.exec(ctx, "DELETE FROM quota_limits WHERE subject = ? AND is_class = ?", subject.Name, subject.Class)
	return err
}

var errNoUsage = errors.New("the project never used anything")

func (s quotas) Usage(ctx context.Context, projectID string) (domain.Claim, error) {
	used, err := s.usage(ctx, projectID)
	if errors.Is(err, errNoUsage) {
		err = nil
	}
	return used, err
}

func (s quotas) usage(ctx context.Context, projectID string) (domain.Claim, error) {
	found, err := one(ctx, s.tx, errNoUsage, usageFields, "FROM quota_usages WHERE project_id = ?", projectID)
	return found.Claim, err
}

func (s quotas) Use(ctx context.Context, projectID string, c domain.Claim, limits domain.Quota) ([]domain.Resource, error) {
	cpu, cpuLimit := column.Millionths(c.CPU), column.Millionths(float64(limits.CPU))
	matched, err := s.exec(ctx, `UPDATE quota_usages SET containers = containers + ?, cpu = cpu + ?, memory = memory + ?, disk = disk + ?
		WHERE project_id = ? AND containers <= ? AND cpu <= ? AND memory <= ? AND disk <= ?`,
		c.Containers, cpu, c.MemoryMB, c.DiskGB, projectID,
		room(c.Containers, limits.Containers), room(cpu, cpuLimit), room(c.MemoryMB, limits.MemoryMB), room(c.DiskGB, limits.DiskGB))
	if err != nil || matched > 0 {
		return nil, err
	}
	used, err := s.usage(ctx, projectID)
	first := errors.Is(err, errNoUsage)
	if err != nil && !first {
		return nil, err
	}
	if over := exceeded(used, c, limits); len(over) > 0 {
		return over, nil
	}
	if first {
		return nil, s.again(s.insert(ctx, "quota_usages", usageFields(&usage{projectID: projectID, Claim: c})))
	}
	return s.Use(ctx, projectID, c, limits) // room was made between the two statements
}

// exceeded returns the resources of which used and c together pass the limit.
func exceeded(used, c domain.Claim, limits domain.Quota) []domain.Resource {
	over := []domain.Resource{}
	check := func(resource domain.Resource, used, part, limit int64) {
		if used > room(part, limit) {
			over = append(over, resource)
		}
	}
	check(domain.ResourceContainers, used.Containers, c.Containers, limits.Containers)
	check(domain.ResourceCPU, column.Millionths(used.CPU), column.Millionths(c.CPU), column.Millionths(float64(limits.CPU)))
	check(domain.ResourceDisk, used.DiskGB, c.DiskGB, limits.DiskGB)
	check(domain.ResourceMemory, used.MemoryMB, c.MemoryMB, limits.MemoryMB)
	return over
}
