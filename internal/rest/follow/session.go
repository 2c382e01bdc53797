// Package follow sends a followed log to one client: its records as server-sent events
// as fast as the client takes them, signs of life between them, and the end with its
// reason, whatever ends it.
package follow

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/stream"
	"github.com/go-zun/zun/internal/rest/view"
)

// The reasons of ends that this side tells. After each the client may follow on with
// its cursor, but for endFailed.
const (
	endLifetime     = "lifetime"     // the longest time of a stream is over
	endStopping     = "stopping"     // this process is being stopped
	endUnauthorized = "unauthorized" // the token or the right to follow was withdrawn or ran out
	endUnavailable  = "unavailable"  // the host broke off
	endFailed       = "failed"       // the host refused to go on
)

// Meter counts what sessions do.
type Meter interface {
	// Following tells that so many more sessions are open; negative: fewer.
	Following(more int)
	// Followed tells of records that were sent.
	Followed(records, bytes, gaps int)
	// FollowingEnded tells why a session ended.
	FollowingEnded(reason string)
}

// Session is one client that follows. Every field is required.
type Session struct {
	// Source tells sink the records until the end; an error says why it broke off.
	Source func(ctx context.Context, sink control.FollowSink) error
	// Allowed returns an error when the client may follow no longer.
	Allowed func(ctx context.Context) error
	// Stopping is closed when this process is being stopped.
	Stopping <-chan struct{}
	Timing   stream.Timing
	Meter    Meter
	// Times says that lines are sent with their times.
	Times bool
}

// Run serves w until the log or the session ends or the client leaves. An error is one
// from before the first record: nothing was sent yet.
func (s *Session) Run(ctx context.Context, w http.ResponseWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	batches, broken := make(chan []domain.FollowRecord), make(chan error, 1)
	work.Go(func() {
		broken <- s.Source(ctx, func(batch []domain.FollowRecord) error {
			select {
			case batches <- batch:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	var first []domain.FollowRecord
	select {
	case first = <-batches:
	case err := <-broken:
		return err
	}
	told := &teller{writer: stream.Open(w, s.Timing.Patience), meter: s.Meter, times: s.Times}
	defer told.writer.Close()
	s.Meter.Following(1)
	reason := s.hold(ctx, told, first, batches, broken)
	s.Meter.Following(-1)
	s.Meter.FollowingEnded(reason)
	return nil
}

// hold carries records to the client until something ends it, and says what.
func (s *Session) hold(ctx context.Context, told *teller, first []domain.FollowRecord, batches <-chan []domain.FollowRecord, broken <-chan error) string {
	alive, recheck, longest := time.NewTicker(s.Timing.Alive), time.NewTicker(s.Timing.Recheck), time.NewTimer(s.Timing.Longest)
	defer alive.Stop()
	defer recheck.Stop()
	defer longest.Stop()
	err := told.tell(first)
	for err == nil {
		select {
		case batch := <-batches:
			err = told.tell(batch)
		case cause := <-broken:
			return told.breakOff(cause)
		case <-alive.C:
			err = told.alive()
		case <-recheck.C:
			if s.Allowed(ctx) != nil {
				return told.end(endUnauthorized)
			}
		case <-longest.C:
			return told.end(endLifetime)
		case <-s.Stopping:
			return told.end(endStopping)
		case <-ctx.Done():
			return endLeft
		}
	}
	return endLeft
}

// endLeft is told to the meter alone: the client is gone.
const endLeft = "left"

// teller writes records as events.
type teller struct {
	writer *stream.Writer
	meter  Meter
	times  bool
	cursor string
	ended  string // the reason of the end, once it was told
}

func (t *teller) tell(batch []domain.FollowRecord) error {
	bytes, gaps := 0, 0
	for _, r := range batch {
		t.add(r)
		bytes += len(r.Data)
		if r.Kind == domain.FollowGap {
			gaps++
		}
	}
	t.meter.Followed(len(batch), bytes, gaps)
	return t.writer.Flush()
}

func (t *teller) add(r domain.FollowRecord) {
	t.cursor = r.Cursor
	if r.Kind == domain.FollowEnd {
		t.ended = r.Reason
	}
	t.event(string(r.Kind), view.LogRecord(r, t.times))
}

func (t *teller) event(name string, record api.LogRecord) {
	data, _ := json.Marshal(record) // a record always can be
	t.writer.Event(t.cursor, name, data)
}

func (t *teller) alive() error {
	t.writer.Comment("alive")
	return t.writer.Flush()
}

// end tells the client why nothing more comes and that it may come back.
func (t *teller) end(reason string) string {
	t.event(string(domain.FollowEnd), api.LogRecord{Reason: reason, Resume: reason != endFailed})
	_ = t.writer.Flush() // a client that is gone needs no reason
	return reason
}

// breakOff ends what the source ended. In order it told the reason itself.
func (t *teller) breakOff(cause error) string {
	switch {
	case t.ended != "":
		return t.ended
	case cause == nil, domain.IsKind(cause, domain.Unavailable), domain.IsKind(cause, domain.Timeout):
		return t.end(endUnavailable)
	default:
		return t.end(endFailed)
	}
}
