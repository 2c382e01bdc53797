package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

const (
	readEvery = 50 * time.Millisecond  // how late a record may be
	lookEvery = 250 * time.Millisecond // how late the end of a container may be told

	// batchRecords and batchBytes bound what is told at once: little for memory, enough
	// that the way of a record costs less than the record.
	batchRecords = 128
	batchBytes   = 32 << 10
)

// Pause waits for d; false when ctx or the follower's host ended first.
type Pause func(ctx context.Context, d time.Duration) bool

// Sink takes records in their order, as many as there are at the moment within bounds.
type Sink func([]domain.FollowRecord) error

// Follow tells sink what q asks for until the container ends, and returns nil then.
// Faults: Invalid (the cursor), NotFound (no such container), those of source, and what
// sink returned. While sink does not return nothing is read, so a slow follower costs
// no memory.
func Follow(ctx context.Context, source Source, q domain.FollowQuery, pause Pause, sink Sink) error {
	f := &follower{source: source, q: q, pause: pause, sink: sink}
	if q.Cursor != "" {
		want, err := parsePlace(q.Cursor)
		if err != nil {
			return err
		}
		f.want, f.owed, f.q.Since = &want, true, time.Time{}
	}
	member, err := source.Look(ctx)
	if err != nil {
		return err
	}
	defer f.leave()
	if err := f.enter(ctx, member); err != nil {
		return err
	}
	return f.run(ctx)
}

// follower is one run of Follow.
type follower struct {
	source Source
	q      domain.FollowQuery
	pause  Pause
	sink   Sink

	batch  []domain.FollowRecord // not told yet
	weight int                   // bytes in batch

	want   *place // where the follower left, until it is found
	member Member
	reader Reader
	place  place
	sought *search // under way; nil once the place is found
	skip   int     // entries of the follower's choice that its tail leaves out
	begun  bool
	owed   bool // the follower was here before: output that is gone already is missing to it
}

// enter opens the log of member where the follower belongs in it.
func (f *follower) enter(ctx context.Context, member Member) error {
	f.leave()
	f.member, f.place, f.sought, f.skip = member, place{log: logSum(member.Log)}, nil, 0
	fresh := f.want == nil && !f.begun
	if fresh && f.q.Tail >= 0 {
		if err := f.measure(ctx); err != nil {
			return err
		}
	}
	if err := f.open(ctx); err != nil {
		return err
	}
	switch {
	case fresh:
		return f.passOver(ctx)
	case f.want == nil: // made anew while it was followed: its former log was read to the end
		f.owed = true
		return nil
	}
	want := *f.want
	f.want = nil
	if want.log == logSum("") { // nothing was missed before the first start
		return f.begin(want)
	}
	if want.log != f.place.log {
		return errors.Join(f.begin(want), f.gap(domain.GapReplaced))
	}
	if want.count > 0 {
		f.sought = &search{want: want}
	}
	return f.begin(want)
}

func (f *follower) open(ctx context.Context) error {
	if f.member.Log == "" {
		f.reader = nothing{}
		return nil
	}
	reader, err := f.source.Open(ctx)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	f.reader = reader
	return nil
}

func (f *follower) leave() {
	if f.reader != nil {
		_ = f.reader.Close() // it was only read
		f.reader = nil
	}
}

// measure counts what there is, so that a second reading knows where the tail begins.
// Twice, because the place of the tail is told by all that lies before it.
func (f *follower) measure(ctx context.Context) error {
	if err := f.open(ctx); err != nil {
		return err
	}
	defer f.leave()
	total := 0
	for {
		e, err := f.next(ctx)
		if errors.Is(err, io.EOF) {
			f.skip = max(total-f.q.Tail, 0)
			return nil
		}
		if err != nil {
			return err
		}
		if f.chosen(e) {
			total++
		}
	}
}

// passOver goes behind what the tail leaves out and begins there.
func (f *follower) passOver(ctx context.Context) error {
	for f.skip > 0 {
		e, err := f.next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		f.place.pass(e)
		if f.chosen(e) {
			f.skip--
		}
	}
	return f.begin(f.place)
}

func (f *follower) begin(at place) error {
	f.begun = true
	return f.put(domain.FollowRecord{Kind: domain.FollowBegin, Cursor: at.cursor()})
}

func (f *follower) gap(reason string) error {
	return f.put(domain.FollowRecord{Kind: domain.FollowGap, Reason: reason, Cursor: f.place.cursor()})
}

func (f *follower) end(reason string, code *int) error {
	return errors.Join(f.put(domain.FollowRecord{Kind: domain.FollowEnd, Reason: reason, ExitCode: code, Cursor: f.place.cursor()}), f.flush())
}

// run tells what comes until the end. The member is looked at before its log is read,
// so that what a process printed last is told before its end.
func (f *follower) run(ctx context.Context) error {
	quiet := time.Duration(0)
	for {
		if err := f.drain(ctx); err != nil {
			return err
		}
		if !f.member.Alive && f.member.Log != "" && !f.q.Restarts {
			return f.end(domain.EndExited, f.member.ExitCode)
		}
		if !f.pause(ctx, readEvery) {
			return stopped(ctx)
		}
		if quiet += readEvery; quiet < lookEvery {
			continue
		}
		quiet = 0
		gone, err := f.look(ctx)
		if err != nil || gone {
			return err
		}
	}
}

func stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return domain.NewFault(domain.Unavailable, "host-stopping", "the agent of the container's host is stopping")
}

// look sees what became of the member; gone says that the end was told.
func (f *follower) look(ctx context.Context) (gone bool, err error) {
	member, err := f.source.Look(ctx)
	if domain.IsKind(err, domain.NotFound) {
		if err := f.drain(ctx); err != nil {
			return false, err
		}
		return true, f.end(domain.EndDeleted, nil)
	}
	if err != nil {
		return false, err
	}
	if member.Log == f.member.Log {
		f.member = member
		return false, nil
	}
	if err := f.drain(ctx); err != nil {
		return false, err
	}
	if !f.q.Restarts && f.member.Log != "" {
		return true, f.end(domain.EndExited, nil)
	}
	return false, f.enter(ctx, member)
}

// drain tells all that is recorded now.
func (f *follower) drain(ctx context.Context) error {
	for {
		e, err := f.next(ctx)
		if errors.Is(err, io.EOF) {
			if f.sought == nil {
				return f.flush()
			}
			// The place is not in the log and cannot come into it any more: what is there is
			// told from its beginning, because it is not known how much of it was seen.
			if err := f.afresh(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := f.tell(e); err != nil {
			return err
		}
	}
}

func (f *follower) afresh(ctx context.Context) error {
	f.leave()
	f.sought, f.owed, f.place = nil, false, place{log: f.place.log}
	if err := f.open(ctx); err != nil {
		return err
	}
	return f.gap(domain.GapRotated)
}

// tell passes e and tells it unless the follower has it or does not want it.
func (f *follower) tell(e Entry) error {
	lost := e.Lost && (f.owed || f.place.count > 0)
	if f.sought != nil {
		lost = false
		switch f.sought.meet(e) {
		case before:
			f.place.pass(e)
			return nil
		case last:
			f.place.pass(e)
			f.sought = nil
			return nil
		case beyond:
			f.sought, lost = nil, true
		}
	}
	if lost {
		if err := f.gap(domain.GapRotated); err != nil {
			return err
		}
	}
	f.place.pass(e)
	if !f.chosen(e) {
		return nil
	}
	return f.put(domain.FollowRecord{Kind: domain.FollowLine, Stream: e.Stream, At: e.At, Data: bytes.Clone(e.Data), Cursor: f.place.cursor()})
}

// chosen says whether e is of what the follower asked for.
func (f *follower) chosen(e Entry) bool {
	if e.Stream == domain.Stdout && !f.q.Stdout || e.Stream == domain.Stderr && !f.q.Stderr {
		return false
	}
	return !e.At.Before(f.q.Since)
}

func (f *follower) put(r domain.FollowRecord) error {
	f.batch = append(f.batch, r)
	if f.weight += len(r.Data); f.weight < batchBytes && len(f.batch) < batchRecords {
		return nil
	}
	return f.flush()
}

func (f *follower) flush() error {
	if len(f.batch) == 0 {
		return nil
	}
	batch := f.batch
	f.batch, f.weight = nil, 0
	return f.sink(batch)
}

// next reads on while ctx lasts: a long log is left in its middle.
func (f *follower) next(ctx context.Context) (Entry, error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, err
	}
	e, err := f.reader.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return e, fmt.Errorf("read the log: %w", err)
	}
	return e, err
}
