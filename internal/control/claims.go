package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

// unbounded is a limit that nothing reaches and every database can hold.
const unbounded = int64(1) << 40

func noLimit() domain.Claim {
	return domain.Claim{Containers: unbounded, CPU: float64(unbounded), MemoryMB: unbounded, DiskGB: unbounded}
}

// Occupy places c on host: the claim is taken and the host written into c. A
// Conflict ("host-full") says that the host was filled or disabled meanwhile, or got
// neighbours that c must not have.
func (t *Turn) Occupy(ctx context.Context, c *domain.Container, host domain.Host) error {
	if err := t.keepBonds(ctx, *c, host); err != nil {
		return err
	}
	limit := t.options.Ratios.Capacity(&host)
	err := t.Hosts().Claim(ctx, host.ID, domain.ClaimOf(c.Spec), limit)
	if domain.IsKind(err, domain.NotFound) { // it left the fleet since it was chosen
		err = domain.WrapFault(err, domain.Conflict, "host-full", "Compute node %s is no more.", host.Name)
	}
	if err != nil {
		return fmt.Errorf("claim host %s: %w", host.ID, err)
	}
	c.HostID, c.HostName = host.ID, host.Name
	if c.Spec.CPUPolicy == domain.CPUDedicated {
		return t.dedicate(ctx, c, host)
	}
	return nil
}

// dedicate gives c CPUs of host for itself. The claim holds the row of the host, so that
// nobody else chooses there until the end of the transaction.
func (t *Turn) dedicate(ctx context.Context, c *domain.Container, host domain.Host) error {
	held, err := Holdings(ctx, t.Tx, host.ID)
	if err != nil {
		return err
	}
	graves, err := t.Containers().Tombstones().Since(ctx, host.ID, 0)
	if err != nil {
		return fmt.Errorf("list the tombstones of %s: %w", host.ID, err)
	}
	for _, grave := range graves {
		held[host.ID] = append(held[host.ID], holding(grave))
	}
	cpus, fits := place.Dedicate(&host, held[host.ID], domain.ClaimOf(c.Spec))
	if !fits {
		return domain.NewFault(domain.Conflict, "host-full", "Compute node %s has not enough CPUs left to dedicate.", host.Name)
	}
	c.CPUSet = cpus
	return nil
}

// Holdings returns by host what containers with dedicated CPUs have, on one host or, if
// hostID is empty, on all.
func Holdings(ctx context.Context, tx Tx, hostID string) (map[string][]place.Holding, error) {
	rows, err := tx.Containers().List(ctx, ContainerQuery{Scope: Everything(), HostID: hostID, Dedicated: true})
	if err != nil {
		return nil, fmt.Errorf("list the containers with dedicated CPUs: %w", err)
	}
	held := map[string][]place.Holding{}
	for _, row := range rows {
		held[row.HostID] = append(held[row.HostID], holding(row))
	}
	return held, nil
}

func holding(c domain.Container) place.Holding {
	return place.Holding{CPUSet: c.CPUSet, MemoryMB: c.Spec.MemoryMB}
}

// IsHostFull says whether err tells that a host was filled since it was chosen.
func IsHostFull(err error) bool {
	return err != nil && domain.AsFault(err).Code == "host-full"
}

// Vacate gives the claim of c on its host back and takes the host and its CPUs out of c.
// The claim is held exactly as long as c names a host.
func (t *Turn) Vacate(ctx context.Context, c *domain.Container) error {
	err := t.GiveHost(ctx, c.HostID, domain.ClaimOf(c.Spec))
	c.HostID, c.HostName, c.CPUSet = "", "", domain.CPUSet{}
	return err
}

// GiveHost gives claim on a host back; a host that left the fleet took it along.
func (t *Turn) GiveHost(ctx context.Context, hostID string, claim domain.Claim) error {
	if hostID == "" || claim == (domain.Claim{}) {
		return nil
	}
	err := t.Hosts().Claim(ctx, hostID, claim.Negative(), noLimit())
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		return fmt.Errorf("give back the claim on host %s: %w", hostID, err)
	}
	return nil
}

// Use counts claim for the project and returns the OverQuota fault if it does not fit.
func (t *Turn) Use(ctx context.Context, projectID string, claim domain.Claim) error {
	limits, err := LimitsOf(ctx, t.Tx, t.options, projectID)
	if err != nil {
		return err
	}
	over, err := t.Quotas().Use(ctx, projectID, claim, limits)
	if err != nil {
		return fmt.Errorf("count the quota of %s: %w", projectID, err)
	}
	return OverQuota(over)
}

// giveQuota gives claim back to the project.
func (t *Turn) giveQuota(ctx context.Context, projectID string, claim domain.Claim) error {
	if claim == (domain.Claim{}) {
		return nil
	}
	if _, err := t.Quotas().Use(ctx, projectID, claim.Negative(), domain.Unlimited()); err != nil {
		return fmt.Errorf("give back the quota of %s: %w", projectID, err)
	}
	return nil
}

// OverQuota is the contract's fault for the resources over, nil if there are none.
func OverQuota(over []domain.Resource) error {
	if len(over) == 0 {
		return nil
	}
	names := make([]string, len(over))
	for i, r := range over {
		names[i] = "'" + string(r) + "'"
	}
	slices.Sort(names)
	return domain.NewFault(domain.Forbidden, "over-quota", "Quota exceeded for resources: [%s]", strings.Join(names, ", "))
}

// GiveBack gives back all that c holds in the books: its quota and its claim.
func (t *Turn) GiveBack(ctx context.Context, c *domain.Container) error {
	counted, err := counted(ctx, t.Tx, *c)
	if err != nil {
		return err
	}
	if err := t.giveQuota(ctx, c.ProjectID, counted); err != nil {
		return err
	}
	return t.Vacate(ctx, c)
}

// Grow claims what an update of c by args needs more. Growth is claimed when the
// update is accepted, so that it cannot fail for it later; what shrinks is given
// back when it is done, so that a failed update needs nothing again.
func (t *Turn) Grow(ctx context.Context, c *domain.Container, args domain.ActionArgs) error {
	more := domain.Growth(c.Spec, c.Spec.Updated(args))
	if more == (domain.Claim{}) {
		return nil
	}
	if err := t.Use(ctx, c.ProjectID, more); err != nil {
		return err
	}
	if c.HostID == "" {
		return nil
	}
	host, err := t.Hosts().Get(ctx, c.HostID)
	if err != nil {
		return fmt.Errorf("read host %s: %w", c.HostID, err)
	}
	err = t.Hosts().Claim(ctx, host.ID, more, t.options.Ratios.Capacity(&host))
	if domain.IsKind(err, domain.Conflict) {
		return domain.WrapFault(err, domain.Conflict, "conflict", "The host of container %s has not enough free resources.", c.ID)
	}
	return err
}

// settleClaims gives back what the ended action a on c no longer needs. before is
// the spec that c had until then.
func (t *Turn) settleClaims(ctx context.Context, c *domain.Container, a domain.Action, before domain.Spec) error {
	if a.Verb != domain.VerbUpdate {
		return nil
	}
	excess := domain.Growth(before, before.Updated(a.Args))
	if a.State == domain.ActionDone {
		excess = domain.Growth(before.Updated(a.Args), before)
	}
	if err := t.giveQuota(ctx, c.ProjectID, excess); err != nil {
		return err
	}
	return t.GiveHost(ctx, c.HostID, excess)
}
