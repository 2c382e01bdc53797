package loops

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Settle asks the hosts that are back for the truth of their Unknown containers. A
// host that was only cut off has nothing new to report by itself.
func (l *Loops) Settle(ctx context.Context) (int, error) {
	rows, err := l.list(ctx, control.ContainerQuery{}, domain.Unknown)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	hosts, err := l.upHosts(ctx)
	if err != nil {
		return 0, err
	}
	did := 0
	for _, row := range rows {
		host, up := hosts[row.HostID]
		if !up {
			continue
		}
		told, err := l.settle(ctx, host, row)
		if err != nil {
			return did, wrap("settle "+string(row.ID), err)
		}
		if told {
			did++
		}
	}
	return did, nil
}

func (l *Loops) settle(ctx context.Context, host domain.Host, row domain.Container) (bool, error) {
	bound, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	report := domain.Report{Container: row.ID, Generation: row.Generation, Phase: domain.PhaseObserved}
	seen, err := l.nodes.Calls(host).Observe(bound, row.ID)
	switch {
	case err == nil:
		report.Seen = &seen
	case domain.IsKind(err, domain.NotFound):
		report.Phase = domain.PhaseMissing
	default:
		l.log.InfoContext(ctx, "host does not tell yet", "host", host.Name, "container", row.ID, "error", err.Error())
		return false, nil
	}
	stale, err := l.control.Answer(ctx, host.ID, report)
	return !stale, err
}

func (l *Loops) upHosts(ctx context.Context) (up map[string]domain.Host, err error) {
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		hosts, err := tx.Hosts().List(ctx, control.Page{})
		if err != nil {
			return err
		}
		now, err := tx.Hosts().Now(ctx)
		up = map[string]domain.Host{}
		for _, h := range hosts {
			if h.Up(now, l.control.Options().ServiceDownTime) {
				up[h.ID] = h
			}
		}
		return err
	})
	return up, wrap("look for hosts that are up", err)
}
