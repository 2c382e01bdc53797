package fake

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Logs gives what the member printed, in all its runs.
func (e *Engine) Logs(ctx context.Context, o agent.Object, q domain.LogQuery, sink func(domain.LogStream, []byte) error) error {
	if err := e.cued(ctx, OpLogs, o.Container); err != nil {
		return err
	}
	r, err := e.find(o)
	if err != nil {
		return err
	}
	lines := r.printed(e.clock.Now())
	if q.Tail >= 0 && q.Tail < len(lines) {
		lines = lines[len(lines)-q.Tail:]
	}
	return deliver(lines, q, sink)
}

func deliver(lines []program.Output, q domain.LogQuery, sink func(domain.LogStream, []byte) error) error {
	for _, line := range lines {
		if line.Stream == domain.Stdout && !q.Stdout || line.Stream == domain.Stderr && !q.Stderr || line.At.Before(q.Since) {
			continue
		}
		data := line.Data
		if q.Timestamps {
			data = append([]byte(line.At.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")+" "), data...)
		}
		if err := sink(line.Stream, data); err != nil {
			return err
		}
	}
	return nil
}

// find reads the very object o.
func (e *Engine) find(o agent.Object) (record, error) {
	r, err := e.store.read(roleMember, o.Container)
	if err == nil && r.EngineID != o.EngineID {
		err = domain.NewFault(domain.NotFound, "engine-object-not-found", "No such container: %s", o.EngineID)
	}
	return r, err
}

// printed returns every line that the member printed until now, oldest first. A
// terminal knows one stream and ends its lines as terminals do.
func (r *record) printed(now time.Time) []program.Output {
	var lines []program.Output
	for i := range r.Runs {
		for _, o := range r.Runs[i].printed(r, now) {
			for _, line := range bytes.SplitAfter(o.Data, []byte("\n")) {
				if len(line) == 0 {
					continue
				}
				if r.Spec.TTY {
					o.Stream, line = domain.Stdout, bytes.ReplaceAll(line, []byte("\n"), []byte("\r\n"))
				}
				lines = append(lines, program.Output{At: o.At, Stream: o.Stream, Data: line})
			}
		}
	}
	return lines
}

func (u *run) printed(r *record, now time.Time) []program.Output {
	until := now
	if !r.PausedAt.IsZero() && u == r.last() {
		until = r.PausedAt
	}
	if u.over(until) {
		until = u.EndsAt
	}
	printed := program.Recite(r.machine(nil, nil), r.argv(), u.StartedAt, until.Add(-u.Idle))
	printed = append(printed, u.Extra...)
	slices.SortStableFunc(printed, func(a, b program.Output) int { return a.At.Compare(b.At) })
	return printed
}
