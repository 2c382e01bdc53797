package loops

import (
	"context"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Settle asks the hosts that are back for the truth of their Unknown containers. A
// host that was only cut off has nothing new to report by itself. Many are asked side by
// side: one that beats and takes no calls would have those of other hosts wait for the
// whole time of a call for each of its own.
func (l *Loops) Settle(ctx context.Context) (int, error) {
	rows, err := l.list(ctx, control.ContainerQuery{}, domain.Unknown)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	up, err := l.fleet.UpHosts(ctx)
	if err != nil {
		return 0, err
	}
	hosts := make(map[string]domain.Host, len(up))
	for _, h := range up {
		hosts[h.ID] = h
	}
	rows = slices.DeleteFunc(rows, func(row domain.Container) bool { return hosts[row.HostID].ID == "" })
	did := 0
	for some := range slices.Chunk(rows, batch) {
		n, err := each(some, func(row domain.Container) (bool, error) {
			told, err := l.settle(ctx, hosts[row.HostID], row)
			return told, wrap("settle "+string(row.ID), err)
		})
		did += n
		if err != nil {
			return did, err
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
	stale, err := l.fleet.Answer(ctx, host.ID, report)
	return !stale, err
}
