package fake

import (
	"context"
	"strconv"
	"strings"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Top shows the member's one process, whatever psArgs ask for but long options.
func (e *Engine) Top(ctx context.Context, o agent.Object, psArgs string) (domain.ProcessTable, error) {
	if err := e.cued(ctx, OpTop, o.Container); err != nil {
		return domain.ProcessTable{}, err
	}
	r, err := e.running(o)
	if err != nil {
		return domain.ProcessTable{}, err
	}
	if strings.HasPrefix(psArgs, "--") {
		return domain.ProcessTable{}, domain.NewFault(domain.Invalid, "invalid", "ps of the host does not take %q.", psArgs)
	}
	last := r.last()
	return domain.ProcessTable{
		Titles: []string{"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"},
		Processes: [][]string{{
			"root", strconv.Itoa(last.PID), "1", "0", last.StartedAt.Format("15:04"), "?", "00:00:00", strings.Join(r.argv(), " "),
		}},
	}, nil
}

// Stats shows a process that uses little and never the same.
func (e *Engine) Stats(ctx context.Context, o agent.Object) (domain.Stats, error) {
	if err := e.cued(ctx, OpStats, o.Container); err != nil {
		return domain.Stats{}, err
	}
	r, err := e.running(o)
	if err != nil {
		return domain.Stats{}, err
	}
	now := e.clock.Now()
	seconds := uint64(max(0, now.Sub(r.last().StartedAt).Seconds()))
	limit := uint64(r.Spec.MemoryMB) << 20
	if limit == 0 {
		limit = 262144 << 20
	}
	return domain.Stats{
		CPUPercent: 0.5, MemoryUsage: 1 << 20, MemoryLimit: limit, PIDs: 1, At: now,
		BlockRead: 4096, BlockWrite: 512 * seconds, NetRecv: 640 * seconds, NetSent: 320 * seconds,
	}, nil
}

func (e *Engine) running(o agent.Object) (record, error) {
	r, err := e.find(o)
	if err == nil && !r.alive(e.clock.Now()) {
		err = notRunning(o)
	}
	return r, err
}
