package containers

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// stopGrace is how many seconds a container gets to end before it is removed.
const stopGrace = 10

// Delete accepts the end of a container in one transaction: whatever waits or runs
// is canceled, so a delete outruns a create. A container that no host ever saw goes
// straight to its release. An operator's force on a host that is down removes the
// row from view and leaves a tombstone for the host's return.
func (c *Containers) Delete(ctx context.Context, actor domain.Actor, ref control.Ref, how control.DeleteRequest) error {
	ref.AllProjects = ref.AllProjects || how.AllProjects
	return c.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		row, err := control.Find(ctx, t.Tx, actor, ref, domain.KindContainer)
		if err != nil {
			return err
		}
		if err := domain.CheckAllowed(deleteVerb(how), row.ID, row.Status); err != nil {
			return err
		}
		grace := stopGrace
		return t.Remove(ctx, &row, control.Order{Actor: actor, Args: domain.ActionArgs{
			Stop: how.Stop, Force: how.Force, TimeoutSeconds: &grace,
		}})
	})
}

// deleteVerb is the form whose statuses decide. Force and stop together are judged
// as force: who may force has shown it to the policy.
func deleteVerb(how control.DeleteRequest) domain.Verb {
	switch {
	case how.Force:
		return domain.VerbDeleteForce
	case how.Stop:
		return domain.VerbDeleteAfterStop
	default:
		return domain.VerbDelete
	}
}
