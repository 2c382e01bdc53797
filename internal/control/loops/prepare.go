package loops

import (
	"context"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Prepare leases the actions whose resources are to be made, makes them outside any
// transaction, and lets the hosts see the result.
func (l *Loops) Prepare(ctx context.Context) (int, error) {
	mandates, err := l.lease(ctx, domain.ActionQueued)
	if err != nil {
		return 0, err
	}
	return each(mandates, func(m mandate) (bool, error) {
		return true, wrap("prepare "+string(m.Verb)+" of "+string(m.Container), l.prepare(ctx, m.Action, m.row))
	})
}

func (l *Loops) prepare(ctx context.Context, a domain.Action, row domain.Container) (err error) {
	if row.HostID == "" {
		var ours bool
		if row, ours, err = l.placed(ctx, a); err != nil || !ours {
			return err
		}
	}
	switch a.Verb {
	case domain.VerbNetworkDetach:
		row.Part(a)
	case domain.VerbNetworkAttach:
		if a.Undoing() {
			break // its host only unplugs
		}
		row.Resolved = append(slices.Clone(row.Resolved), *a.Args.Choice)
		err = l.makePorts(ctx, &row)
	case domain.VerbAddGroup, domain.VerbRemoveGroup:
		row.Regroup(a)
		err = l.makePorts(ctx, &row)
	case domain.VerbCreate, domain.VerbRebuild:
		if err = l.makePorts(ctx, &row); err == nil {
			err = l.makeVolumes(ctx, &row)
		}
	}
	if err != nil {
		return l.hold(ctx, a, err)
	}
	return l.show(ctx, a, row)
}

// makePorts gives row its interfaces. A repetition finds the ports that it made.
func (l *Loops) makePorts(ctx context.Context, row *domain.Container) error {
	return failpoint.Around(failpoint.PreparePorts, func() error {
		bound, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		nics, err := l.networking.Prepare(bound, *row, row.HostName)
		if err == nil {
			row.Nics = domain.Number(row.Nics, nics)
		}
		return err
	})
}

// makeVolumes gives row its volumes. A repetition finds those that it made.
func (l *Loops) makeVolumes(ctx context.Context, row *domain.Container) error {
	if l.volumes == nil || len(row.Spec.Mounts) == 0 {
		return nil
	}
	bound, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	volumes, err := l.volumes.Prepare(bound, *row, row.HostName)
	if err == nil {
		row.Volumes = volumes
	}
	return err
}

// placed returns the container of a with a host. One without a host (a refused
// create, a rebuild of what never had one) is placed here; each round of the loop
// rules out a host that was filled meanwhile.
func (l *Loops) placed(ctx context.Context, a domain.Action) (row domain.Container, ours bool, err error) {
	refused := slices.Clone(a.Args.Refused)
	for {
		err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
			row, ours, err = held(ctx, tx, a)
			return err
		})
		if err != nil || !ours || row.HostID != "" {
			return row, ours, err
		}
		host, fits, err := l.placing.Choose(ctx, row, refused)
		if err != nil {
			return row, false, err
		}
		if !fits {
			return row, false, l.fail(ctx, a, nowhere(a))
		}
		refused = append(refused, host.ID)
		row, ours, err = l.occupy(ctx, a, host)
		if !control.IsHostFull(err) {
			return row, ours, err
		}
	}
}

func nowhere(a domain.Action) string {
	if a.Reason != "" {
		return placing.NoValidHost + " Last: " + a.Reason
	}
	return placing.NoValidHost
}

func (l *Loops) occupy(ctx context.Context, a domain.Action, host domain.Host) (row domain.Container, ours bool, err error) {
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if row, ours, err = held(ctx, t, a); err != nil || !ours {
			return err
		}
		if err := t.Occupy(ctx, &row, host); err != nil {
			return err
		}
		return t.Containers().Update(ctx, row)
	})
	return row, ours, err
}

// show makes the prepared action visible to its host. An action that was canceled
// while its ports were made leaves them to the release of its container, or, if that
// is over already, gives them back here.
func (l *Loops) show(ctx context.Context, a domain.Action, made domain.Container) error {
	var ours bool
	err := failpoint.Around(failpoint.PrepareVisible, func() error {
		return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
			var row domain.Container
			var err error
			if row, ours, err = held(ctx, t, a); err != nil || !ours {
				return err
			}
			if domain.NeedsPreparing(a.Verb) {
				row.Nics, row.Resolved, row.Spec.SecurityGroups = made.Nics, made.Resolved, made.Spec.SecurityGroups
				row.Volumes = made.Volumes
			}
			return visible(ctx, t, row, a)
		})
	})
	if err != nil || ours || len(made.Nics) == 0 {
		return err
	}
	return l.disown(ctx, a.Container, made.Nics)
}

func visible(ctx context.Context, t *control.Turn, row domain.Container, a domain.Action) error {
	if a.Verb == domain.VerbRebuild {
		history, err := t.Actions().History(ctx, row.ID)
		if err != nil {
			return err
		}
		row.Renew(&a, history)
	}
	row.Wish(a)
	a.State, a.Owner, a.LeaseUntil, a.ProgressAt = domain.ActionPrepared, "", time.Time{}, time.Time{}
	if err := t.Actions().Update(ctx, a); err != nil {
		return err
	}
	return t.Show(ctx, &row)
}

// disown gives ports back that were made for a container whose row is gone.
func (l *Loops) disown(ctx context.Context, id domain.ContainerID, nics []domain.Nic) error {
	known, err := l.known(ctx, id)
	if err != nil || known {
		return err
	}
	bound, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return l.networking.Release(bound, id, nics)
}

// hold puts the action off when trying again may help, and fails it otherwise.
func (l *Loops) hold(ctx context.Context, a domain.Action, cause error) error {
	fault := domain.AsFault(cause)
	switch fault.Kind {
	case domain.Unavailable, domain.Timeout, domain.Internal:
	default:
		return l.fail(ctx, a, fault.Message)
	}
	l.log.WarnContext(ctx, "resources not ready, trying again later", "container", a.Container, "error", cause.Error())
	return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		if _, ours, err := held(ctx, t, a); err != nil || !ours {
			return err
		}
		return t.Retry(ctx, a, domain.ActionQueued, fault.Message)
	})
}

func (l *Loops) fail(ctx context.Context, a domain.Action, reason string) error {
	return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		row, ours, err := held(ctx, t, a)
		if err != nil || !ours {
			return err
		}
		return t.Close(ctx, &row, a, control.Outcome{Reason: reason})
	})
}
