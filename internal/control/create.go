package control

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/go-zun/zun/internal/control/chance"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// NoValidHost is the reason shown on a container that no host can take.
const NoValidHost = "There are not enough hosts available."

// Create accepts a container: intent first, in one transaction of row, action,
// quota and claim; the loops make it true. Exceptions to intent first: when no host
// fits, the row is stored in status Error without an action and the request is
// answered as accepted; a requested host that is unknown stores nothing.
func (c *Control) Create(ctx context.Context, actor domain.Actor, req CreateRequest) (domain.Container, error) {
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
	if err := overQuota(grounds.limits.Exceeded(grounds.used, domain.ClaimOf(row.Spec))); err != nil {
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
	if err := c.judge(row.Spec, grounds.registryDomain(c.options)); err != nil {
		return row, err
	}
	if !grounds.knowsHost(row.Spec.RequestedHost) {
		return row, domain.NewFault(domain.NotFound, "requested-host-not-found", "Requested host %s could not be found.", row.Spec.RequestedHost)
	}
	stored, err := c.commitCreate(ctx, actor, req, row, grounds.fleet)
	if req.IdempotencyKey != "" && domain.IsKind(err, domain.Conflict) {
		// The same create may have won a race; if it did not, the conflict stands.
		if known, lookErr := c.Get(ctx, actor, Ref{Ident: string(row.ID)}); lookErr == nil {
			return known, nil
		}
	}
	return stored, err
}

// draft makes the row of a request with every default applied, so that quota counts
// what is really used.
func (c *Control) draft(actor domain.Actor, req CreateRequest) (domain.Container, error) {
	spec := req.Spec
	if spec.Name == "" {
		spec.Name = c.rand.Name()
	}
	if !req.CPUAsked {
		spec.CPU = c.options.DefaultCPU
	}
	if !req.MemoryAsked {
		spec.MemoryMB = c.options.DefaultMemoryMB
	}
	if !req.DiskAsked {
		spec.DiskGB = 0
	}
	if spec.ImageDriver == "" {
		spec.ImageDriver = c.options.DefaultImageDriver
	}
	if spec.PullPolicy == "" {
		spec.PullPolicy = domain.PullAlways
	}
	if spec.CPUPolicy == "" {
		spec.CPUPolicy = "shared"
	}
	if spec.Zone == "" {
		spec.Zone = c.options.ScheduleZone
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
func (c *Control) findGroups(ctx context.Context, actor domain.Actor, idents []string) ([]string, error) {
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
func (c *Control) newID(projectID, key string) (domain.ContainerID, error) {
	if key == "" {
		id, err := c.rand.UUID()
		return domain.ContainerID(id), err
	}
	sum := sha256.Sum256([]byte("create\x00" + projectID + "\x00" + key))
	return domain.ContainerID(chance.UUIDOf(sum[:], 8)), nil
}

// grounds are what a create is judged on. What must hold is looked at again in the
// transaction that accepts it.
type grounds struct {
	known       *domain.Container // the container of the same idempotency key
	limits      domain.Quota
	used        domain.Claim
	registry    domain.Registry
	registryErr error
	own         domain.Image // the project's own image that is asked for, if it is one
	fleet       fleet
}

// registryDomain is put before an image name that has none.
func (g grounds) registryDomain(o Options) string {
	if g.registry.ID != "" {
		return g.registry.Domain
	}
	return o.DefaultRegistry.Domain
}

func (g grounds) knowsHost(name string) bool {
	if name == "" {
		return true
	}
	for i := range g.fleet.Hosts {
		if g.fleet.Hosts[i].Name == name {
			return true
		}
	}
	return false
}

func (c *Control) survey(ctx context.Context, actor domain.Actor, req CreateRequest, row domain.Container) (g grounds, err error) {
	err = c.store.Glance(ctx, func(ctx context.Context, tx Tx) error {
		g = grounds{}
		if req.IdempotencyKey != "" {
			if g.known, err = earlier(ctx, tx, row); err != nil || g.known != nil {
				return err
			}
		}
		if g.limits, err = LimitsOf(ctx, tx, c.options, row.ProjectID); err != nil {
			return err
		}
		if g.used, err = tx.Quotas().Usage(ctx, row.ProjectID); err != nil {
			return fmt.Errorf("read the usage of %s: %w", row.ProjectID, err)
		}
		if err := checkKin(ctx, tx, row); err != nil {
			return err
		}
		if g.own, _, err = OwnImage(ctx, tx, row.ProjectID, row.Spec.Image); err != nil {
			return err
		}
		if req.Registry != "" {
			g.registry, g.registryErr = FindRegistry(ctx, tx, actor, req.Registry)
		}
		g.fleet, err = c.fleet(ctx, tx)
		if err == nil && g.fleet.remembered && !g.knowsHost(row.Spec.RequestedHost) {
			g.fleet, err = c.readFleet(ctx, tx)
		}
		return err
	})
	return g, err
}

// earlier returns the container that a create of the same idempotency key made. One
// that a silent host may still run is a Conflict: a second of its id would be taken
// for the one that the host must remove.
func earlier(ctx context.Context, tx Tx, row domain.Container) (*domain.Container, error) {
	known, err := tx.Containers().Get(ctx, Scope{ProjectID: row.ProjectID}, row.ID)
	if domain.IsKind(err, domain.NotFound) {
		if _, err = tx.Containers().Tombstones().Get(ctx, row.ID); err == nil {
			return nil, domain.NewFault(domain.Conflict, "conflict", "The container of this Idempotency-Key is still being removed from its host.")
		}
	}
	if domain.IsKind(err, domain.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up the idempotency key: %w", err)
	}
	return &known, nil
}

// commitCreate commits the intent. A host that was filled since the snapshot is
// left out and the choice made again; each round rules one host out, so it ends.
func (c *Control) commitCreate(ctx context.Context, actor domain.Actor, req CreateRequest, row domain.Container, seen fleet) (domain.Container, error) {
	var full []string
	for {
		n, err := c.needNow(ctx, row, full)
		if err != nil {
			return row, err
		}
		host, reasons, fits := c.picker.Pick(seen.Snapshot, n)
		if !fits && seen.remembered {
			if seen, err = c.fleetNow(ctx); err != nil {
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
			return c.Turn(ctx, func(ctx context.Context, t *Turn) (err error) {
				if seen.remembered {
					if err := c.recheck(ctx, t, &host, n); err != nil {
						return err
					}
				}
				stored, err = t.insert(ctx, actor, req, row, hostIf(fits, host))
				return err
			})
		})
		if !IsHostFull(err) {
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
func (t *Turn) insert(ctx context.Context, actor domain.Actor, req CreateRequest, row domain.Container, host *domain.Host) (domain.Container, error) {
	if req.IdempotencyKey != "" {
		if known, err := earlier(ctx, t.Tx, row); err != nil || known != nil {
			return first(known, row), err
		}
	}
	if host != nil && host.Inventory.DiskQuota && !req.DiskAsked {
		row.Spec.DiskGB = t.options.DefaultDiskGB
	}
	now, err := t.Now(ctx)
	if err != nil {
		return row, err
	}
	row.CreatedAt = now
	// The rows that all creates of a project or to a host want are written last, and so
	// are held shortest. Only where names must be unique the quota's row comes first: it
	// serialises the creates of one project and makes the check hold.
	unique := t.options.NameScope != NamesFree
	if unique {
		if err := t.Use(ctx, row.ProjectID, domain.ClaimOf(row.Spec)); err != nil {
			return row, err
		}
		if err := t.checkName(ctx, row.ProjectID, row.Spec.Name); err != nil {
			return row, err
		}
	}
	if host != nil {
		row.HostID, row.HostName = host.ID, host.Name
	} else {
		row.Status, row.StatusReason = domain.Error, NoValidHost
	}
	if err := t.Containers().Insert(ctx, row); err != nil {
		return row, fmt.Errorf("insert container: %w", err)
	}
	if err := t.begin(ctx, actor, req, row); err != nil {
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
	return row, t.Occupy(ctx, &row, *host)
}

// begin queues the create of a row that was just inserted; one that has no host has
// failed already.
func (t *Turn) begin(ctx context.Context, actor domain.Actor, req CreateRequest, row domain.Container) error {
	if row.HostID == "" {
		return t.Tell(ctx, &row, "create.failed", NoValidHost, actor.RequestID)
	}
	_, err := t.Accept(ctx, &row, Order{Verb: domain.VerbCreate, Args: domain.ActionArgs{Run: req.Run}, Actor: actor})
	return err
}

func first(known *domain.Container, row domain.Container) domain.Container {
	if known != nil {
		return *known
	}
	return row
}
