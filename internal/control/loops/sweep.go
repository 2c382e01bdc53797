package loops

import (
	"context"
	"errors"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Sweep finds what a crash left behind: ports of containers that nobody knows,
// expired tickets, usage that differs from its sum, and notices too old. One that fails does not
// keep the others from being swept.
func (l *Loops) Sweep(ctx context.Context) (int, error) {
	did := 0
	var failures []error
	for _, sweep := range []func(context.Context) (int, error){l.sweepPorts, l.sweepTickets, l.sweepQuota, l.sweepFeed} {
		n, err := sweep(ctx)
		did += n
		failures = append(failures, err)
	}
	return did, errors.Join(failures...)
}

func (l *Loops) sweepPorts(ctx context.Context) (int, error) {
	bound, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	// A container that cannot be looked up counts as known: nothing is swept on doubt.
	ids, err := l.networking.Leftovers(bound, func(id domain.ContainerID) bool {
		known, err := l.known(bound, id)
		return known || err != nil
	})
	if err != nil {
		return 0, wrap("look for leftover ports", err)
	}
	for i, id := range ids {
		if err := l.networking.Release(bound, id, nil); err != nil {
			return i, wrap("release the ports of "+string(id), err)
		}
		l.log.InfoContext(ctx, "swept leftover ports", "container", id)
	}
	return len(ids), nil
}

// known says whether a row or a tombstone of the container exists.
func (l *Loops) known(ctx context.Context, id domain.ContainerID) (bool, error) {
	err := l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Containers().Get(ctx, control.Everything(), id)
		if domain.IsKind(err, domain.NotFound) {
			_, err = tx.Containers().Tombstones().Get(ctx, id)
		}
		return err
	})
	if domain.IsKind(err, domain.NotFound) {
		return false, nil
	}
	return err == nil, err
}

func (l *Loops) sweepTickets(ctx context.Context) (purged int, err error) {
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		purged, err = t.Trust().Purge(ctx)
		return err
	})
	return purged, wrap("purge tickets", err)
}

// sweepQuota looks before it repairs, because to repair keeps every project from creating.
func (l *Loops) sweepQuota(ctx context.Context) (repaired int, err error) {
	var astray bool
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		astray, err = tx.Quotas().Astray(ctx)
		return err
	})
	if err != nil || !astray {
		return 0, wrap("compare usage with its sums", err)
	}
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		repaired, err = t.Quotas().Repair(ctx)
		return err
	})
	if repaired > 0 {
		l.log.WarnContext(ctx, "what projects or hosts use was counted wrong and is right again", "repaired", repaired)
	}
	return repaired, wrap("repair usage", err)
}

func (l *Loops) sweepFeed(ctx context.Context) (trimmed int, err error) {
	err = l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		trimmed, err = t.Actions().Events().Feed().Trim(ctx, control.FeedKept)
		return err
	})
	return trimmed, wrap("trim the feed", err)
}
