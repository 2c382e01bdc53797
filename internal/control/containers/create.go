package containers

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/chance"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Create accepts a container: intent first, in one transaction of row, action,
// quota and claim; the loops make it true. Exceptions to intent first: when no host
// fits, the row is stored in status Error without an action and the request is
// answered as accepted; a requested host that is unknown stores nothing.
func (c *Containers) Create(ctx context.Context, actor domain.Actor, req control.CreateRequest) (domain.Container, error) {
	if err := domain.CheckTexts(req.Spec); err != nil {
		return domain.Container{}, err
	}
	row, err := c.draft(actor, req)
	if err != nil {
		return row, err
	}
	if row.Spec.SecurityGroups, err = c.findGroups(ctx, actor, row.Spec.SecurityGroups); err != nil {
		return row, err
	}
	grounds, err := c.survey(ctx, actor, req, row)
	if err != nil || grounds.known != nil {
		return first(grounds.known, row), err
	}
	// The order of the checks below is the contract's: it decides which error wins.
	if err := control.OverQuota(grounds.limits.Exceeded(grounds.used, domain.ClaimOf(row.Spec))); err != nil {
		return row, err
	}
	if row.Resolved, err = c.networking.Resolve(ctx, actor, row.Spec.Nets); err != nil {
		return row, err
	}
	if err := c.checkMounts(ctx, actor, row.Spec.Mounts, grounds); err != nil {
		return row, err
	}
	if err := grounds.registryErr; err != nil {
		return row, err
	}
	row.Spec.RegistryID = grounds.registry.ID
	if err := grounds.useOwn(&row.Spec); err != nil {
		return row, err
	}
	if err := c.judge(row.Spec, grounds.registryDomain(c.control.Options())); err != nil {
		return row, err
	}
	if !grounds.fleet.Knows(row.Spec.RequestedHost) {
		return row, domain.NewFault(domain.NotFound, "requested-host-not-found", "Requested host %s could not be found.", row.Spec.RequestedHost)
	}
	stored, err := c.commitCreate(ctx, actor, req, row, grounds.fleet)
	if req.IdempotencyKey != "" && domain.IsKind(err, domain.Conflict) {
		// The same create may have won a race; if it did not, the conflict stands.
		if known, lookErr := c.Get(ctx, actor, control.Ref{Ident: string(row.ID)}); lookErr == nil {
			return known, nil
		}
	}
	return stored, err
}

// draft makes the row of a request with every default applied, so that quota counts
// what is really used.
func (c *Containers) draft(actor domain.Actor, req control.CreateRequest) (domain.Container, error) {
	spec := req.Spec
	if spec.Name == "" {
		spec.Name = c.control.Dice().Name()
	}
	if !req.CPUAsked {
		spec.CPU = c.control.Options().DefaultCPU
	}
	if !req.MemoryAsked {
		spec.MemoryMB = c.control.Options().DefaultMemoryMB
	}
	if !req.DiskAsked {
		spec.DiskGB = 0
	}
	if spec.ImageDriver == "" {
		spec.ImageDriver = c.control.Options().DefaultImageDriver
	}
	if spec.PullPolicy == "" {
		spec.PullPolicy = domain.PullAlways
	}
	if spec.CPUPolicy == "" {
		spec.CPUPolicy = domain.CPUShared
	}
	if spec.Zone == "" {
		spec.Zone = c.control.Options().ScheduleZone
	}
	id, err := c.newID(actor.ProjectID, req.IdempotencyKey)
	if err != nil {
		return domain.Container{}, err
	}
	return domain.Container{
		ID: id, ProjectID: actor.ProjectID, UserID: actor.UserID,
		Spec: spec, Status: domain.Creating, Generation: 1,
	}, nil
}

// findGroups resolves the groups that a create names.
func (c *Containers) findGroups(ctx context.Context, actor domain.Actor, idents []string) ([]string, error) {
	switch {
	case len(idents) == 0:
		return nil, nil
	case c.groups == nil:
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "Security group %s not found.", idents[0])
	default:
		return c.groups.Find(ctx, actor, idents)
	}
}

// newID returns a random id, or with a key the one that belongs to the project's
// key: a repeated create then meets the row of the first.
func (c *Containers) newID(projectID, key string) (domain.ContainerID, error) {
	if key == "" {
		id, err := c.control.Dice().UUID()
		return domain.ContainerID(id), err
	}
	sum := sha256.Sum256([]byte("create\x00" + projectID + "\x00" + key))
	return domain.ContainerID(chance.UUIDOf(sum[:], 8)), nil
}

// commitCreate commits the intent. A host that was filled since the snapshot is
// left out and the choice made again; each round rules one host out, so it ends.
func (c *Containers) commitCreate(ctx context.Context, actor domain.Actor, req control.CreateRequest, row domain.Container, seen placing.Fleet) (domain.Container, error) {
	var full []string
	for {
		n, err := c.placing.Need(ctx, row, full)
		if err != nil {
			return row, err
		}
		host, reasons, fits := c.placing.Pick(seen, n)
		if !fits && seen.Remembered {
			if seen, err = c.placing.Now(ctx); err != nil {
				return row, err
			}
			full = nil
			continue
		}
		if !fits {
			c.log.WarnContext(ctx, "no valid host", "container", row.ID, "request", actor.RequestID, "reasons", reasons.String())
		}
		var stored domain.Container
		err = failpoint.Around(failpoint.CreateCommit, func() error {
			return c.control.Turn(ctx, func(ctx context.Context, t *control.Turn) (err error) {
				if seen.Remembered {
					if err := c.placing.Recheck(ctx, t, &host, n); err != nil {
						return err
					}
				}
				stored, err = c.insert(ctx, t, actor, req, row, hostIf(fits, host))
				return err
			})
		})
		if !control.IsHostFull(err) {
			return stored, err
		}
		full = append(full, host.ID)
	}
}

func hostIf(fits bool, host domain.Host) *domain.Host {
	if !fits {
		return nil
	}
	return &host
}

// insert stores row, placed on host or, without one, in status Error.
func (c *Containers) insert(ctx context.Context, t *control.Turn, actor domain.Actor, req control.CreateRequest, row domain.Container, host *domain.Host) (domain.Container, error) {
	if req.IdempotencyKey != "" {
		if known, err := earlier(ctx, t.Tx, row); err != nil || known != nil {
			return first(known, row), err
		}
	}
	if host != nil && host.Inventory.DiskQuota && !req.DiskAsked {
		row.Spec.DiskGB = t.Options().DefaultDiskGB
	}
	now, err := t.Now(ctx)
	if err != nil {
		return row, err
	}
	row.CreatedAt = now
	// The rows that all creates of a project or to a host want are written last, and so
	// are held shortest. Only where names must be unique the quota's row comes first: it
	// serialises the creates of one project and makes the check hold.
	unique := t.Options().NameScope != control.NamesFree
	if unique {
		if err := t.Use(ctx, row.ProjectID, domain.ClaimOf(row.Spec)); err != nil {
			return row, err
		}
		if err := checkName(ctx, t, row.ProjectID, row.Spec.Name); err != nil {
			return row, err
		}
	}
	if host != nil {
		row.HostID, row.HostName = host.ID, host.Name
	} else {
		row.Status, row.StatusReason = domain.Error, placing.NoValidHost
	}
	if err := t.Containers().Insert(ctx, row); err != nil {
		return row, fmt.Errorf("insert container: %w", err)
	}
	if err := begin(ctx, t, actor, req, row); err != nil {
		return row, err
	}
	if !unique {
		if err := t.Use(ctx, row.ProjectID, domain.ClaimOf(row.Spec)); err != nil {
			return row, err
		}
	}
	if host == nil {
		return row, nil
	}
	if err := t.Occupy(ctx, &row, *host); err != nil || row.CPUSet == (domain.CPUSet{}) {
		return row, err
	}
	return row, t.Save(ctx, &row)
}

// begin queues the create of a row that was just inserted; one that has no host has
// failed already.
func begin(ctx context.Context, t *control.Turn, actor domain.Actor, req control.CreateRequest, row domain.Container) error {
	if row.HostID == "" {
		return t.Tell(ctx, &row, "create.failed", placing.NoValidHost, actor.RequestID)
	}
	_, err := t.Accept(ctx, &row, control.Order{Verb: domain.VerbCreate, Args: domain.ActionArgs{Run: req.Run}, Actor: actor})
	return err
}

func first(known *domain.Container, row domain.Container) domain.Container {
	if known != nil {
		return *known
	}
	return row
}
