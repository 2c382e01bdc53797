package loops

import (
	"context"
	"errors"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// settledStatuses are those that a host's silence puts in doubt. What is being made
// or deleted has an action whose deadline speaks; an error stays an error.
func settledStatuses() []domain.Status {
	return []domain.Status{domain.Created, domain.Running, domain.Stopped, domain.Paused}
}

// Expire writes Unknown on the containers of silent hosts, once, keeping what they
// were. It does nothing before this control plane has itself heard beats for one
// down-time: its own outage is no proof of anybody's death. An operator's forced
// down is none either.
func (l *Loops) Expire(ctx context.Context) (int, error) {
	silent, err := l.silentHosts(ctx)
	if err != nil {
		l.fleet.Deaf()
		return 0, err
	}
	if !l.fleet.Hears() {
		return 0, nil
	}
	did := 0
	for _, host := range silent {
		n, err := l.expire(ctx, host)
		did += n
		if err != nil {
			return did, wrap("expire host "+host.Name, err)
		}
	}
	return did, nil
}

func (l *Loops) silentHosts(ctx context.Context) (silent []domain.Host, err error) {
	downAfter := l.control.Options().ServiceDownTime
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		hosts, err := tx.Hosts().List(ctx, control.Page{})
		if err != nil {
			return err
		}
		now, err := tx.Hosts().Now(ctx)
		if err != nil {
			return err
		}
		silent = slices.DeleteFunc(hosts, func(h domain.Host) bool {
			h.ForcedDown = false
			return h.Up(now, downAfter)
		})
		return nil
	})
	return silent, wrap("look for silent hosts", err)
}

// expire marks the containers of one host in one transaction, in which the host is
// still silent.
func (l *Loops) expire(ctx context.Context, host domain.Host) (did int, err error) {
	rows, err := l.list(ctx, control.ContainerQuery{HostID: host.ID}, settledStatuses()...)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		did = 0
		now, err := t.Hosts().Get(ctx, host.ID)
		if err != nil || !now.LastSeenUp.Equal(host.LastSeenUp) {
			return err // it beat meanwhile
		}
		for _, row := range rows {
			row, err := t.Containers().Get(ctx, control.Everything(), row.ID)
			if domain.IsKind(err, domain.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if !slices.Contains(settledStatuses(), row.Status) {
				continue
			}
			row.FormerStatus, row.Status = row.Status, domain.Unknown
			row.StatusReason = "The host does not answer."
			if err := errors.Join(t.Containers().Update(ctx, row), t.Tell(ctx, &row, "status", row.StatusReason, "")); err != nil {
				return err
			}
			did++
		}
		return nil
	})
	return did, err
}
