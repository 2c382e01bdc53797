package fake

import (
	"context"
	"io"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// OpenJournal implements agent.Journaler.
func (e *Engine) OpenJournal(ctx context.Context, o agent.Object) (journal.Reader, error) {
	if err := e.cued(ctx, OpLogs, o.Container); err != nil {
		return nil, err
	}
	if _, err := e.find(o); err != nil {
		return nil, err
	}
	return &reader{engine: e, object: o}, nil
}

// reader reads what a member printed. Output follows from the program and the time, so
// it is worked out anew whenever the reader is at its end.
type reader struct {
	engine *Engine
	object agent.Object
	lines  []program.Output
	read   int
	kept   int // the oldest of lines that is kept
	lost   bool
}

// Next implements journal.Reader.
func (r *reader) Next() (journal.Entry, error) {
	if r.read >= len(r.lines) {
		if err := r.refresh(); err != nil {
			return journal.Entry{}, err
		}
	}
	if r.read < r.kept {
		r.read, r.lost = r.kept, true
	}
	if r.read >= len(r.lines) {
		return journal.Entry{}, io.EOF
	}
	line := r.lines[r.read]
	entry := journal.Entry{Stream: line.Stream, At: line.At, Data: line.Data, Lost: r.lost}
	r.read, r.lost = r.read+1, false
	return entry, nil
}

// refresh sees what was printed meanwhile. The log of a member that is gone is as it
// was last seen, as a file is that is still open.
func (r *reader) refresh() error {
	now, err := r.engine.find(r.object)
	if domain.IsKind(err, domain.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.lines = now.printed(r.engine.clock.Now())
	r.kept = keptFrom(r.lines, r.engine.options.LogMaxBytes)
	return nil
}

// keptFrom returns the oldest line that an engine keeps that has two files of size.
func keptFrom(lines []program.Output, size int64) int {
	if size <= 0 {
		return 0
	}
	former, present, written := 0, 0, int64(0)
	for i, line := range lines {
		if written >= size {
			former, present, written = present, i, 0
		}
		written += int64(len(line.Data))
	}
	return former
}

// Close implements journal.Reader.
func (r *reader) Close() error { return nil }
