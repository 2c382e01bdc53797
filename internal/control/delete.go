package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// Remove turns c into a container that is being deleted.
func (t *Turn) Remove(ctx context.Context, c *domain.Container, o Order) error {
	if err := t.Cancel(ctx, c, "The container was deleted."); err != nil {
		return err
	}
	seen, err := t.answerable(ctx, *c)
	if err != nil {
		return err
	}
	if o.Args.Force && seen {
		buried, err := t.bury(ctx, c)
		if err != nil || buried {
			return err
		}
	}
	o.Verb = domain.VerbDelete
	c.StatusReason = ""
	if seen {
		_, err := t.Accept(ctx, c, o)
		return err
	}
	return t.removeUnseen(ctx, c, o)
}

// answerable says whether a host may hold something of c and can be asked for its end:
// one that left the fleet answers no more.
func (t *Turn) answerable(ctx context.Context, c domain.Container) (bool, error) {
	if c.HostID == "" || c.Revision == 0 {
		return false, nil
	}
	_, err := t.Hosts().Get(ctx, c.HostID)
	if domain.IsKind(err, domain.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read host %s: %w", c.HostID, err)
	}
	return true, nil
}

// removeUnseen queues a delete that has no host to go through.
func (t *Turn) removeUnseen(ctx context.Context, c *domain.Container, o Order) error {
	now, err := t.Now(ctx)
	if err != nil {
		return err
	}
	a := domain.Action{
		Container: c.ID, Verb: o.Verb, Args: o.Args, State: domain.ActionReleased,
		RequestID: o.Actor.RequestID, UserID: o.Actor.UserID, ProjectID: c.ProjectID,
		Deadline: now.Add(t.options.ActionTotal),
	}
	c.Begin(a)
	if err := t.Tell(ctx, c, string(a.Verb)+".accepted", "", a.RequestID); err != nil {
		return err
	}
	if a, err = t.append(ctx, a); err != nil {
		return err
	}
	return t.settle(ctx, c, a, false)
}

// bury takes the row of c away if its host is down, and says whether it did. The
// ports stay leased and the host's claim stays taken until the host reports clean:
// something may still run there with those addresses.
func (t *Turn) bury(ctx context.Context, c *domain.Container) (bool, error) {
	_, up, err := LookAtHost(ctx, t.Tx, t.options, c.HostID)
	if err != nil || up {
		return false, err
	}
	counted, err := counted(ctx, t.Tx, *c)
	if err != nil {
		return false, err
	}
	// The project's books before the host's, as everywhere: the tombstone takes the row
	// of the host, and a release beside it would wait for the one while it holds the other.
	if err := t.giveQuota(ctx, c.ProjectID, counted); err != nil {
		return false, err
	}
	c.Want, c.Status = domain.Want{Absent: true}, domain.Deleting
	if err := t.Containers().Tombstones().Put(ctx, *c); err != nil {
		return false, fmt.Errorf("put the tombstone of %s: %w", c.ID, err)
	}
	return true, t.Erase(ctx, *c)
}
