package link_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

func batch(kinds ...domain.FollowKind) []domain.FollowRecord {
	var all []domain.FollowRecord
	for i, kind := range kinds {
		all = append(all, domain.FollowRecord{Kind: kind, Stream: domain.Stderr, Data: []byte("\xff\n"), Cursor: strconv.Itoa(i)})
	}
	return all
}

func TestAFollowedLogCrossesToItsEnd(t *testing.T) {
	_, _, m, calls := pair(t)
	asked := domain.FollowQuery{Stderr: true, Tail: 7, Cursor: "abc", Restarts: true}
	m.hands.follow = func(_ context.Context, q domain.FollowQuery, sink journal.Sink) error {
		if q != asked {
			t.Errorf("the host was asked %+v", q)
		}
		return errors.Join(sink(batch(domain.FollowBegin, domain.FollowLine)), sink(batch(domain.FollowEnd)))
	}
	var got []domain.FollowRecord
	err := calls.Output().Follow(t.Context(), "c1", asked, func(b []domain.FollowRecord) error {
		got = append(got, b...)
		return nil
	})
	if err != nil || len(got) != 3 || string(got[1].Data) != "\xff\n" || got[1].Cursor != "1" || got[2].Kind != domain.FollowEnd {
		t.Errorf("told %+v, %v", got, err)
	}
}

func TestAFollowedLogThatBreaksOff(t *testing.T) {
	_, _, m, calls := pair(t)
	for name, c := range map[string]struct {
		host error
		kind domain.FaultKind
	}{
		"without its end": {nil, domain.Unavailable},
		"a stopping host": {domain.NewFault(domain.Unavailable, "host-stopping", "stopping"), domain.Unavailable},
		"a bad cursor":    {domain.NewFault(domain.Invalid, "invalid-cursor", "bad"), domain.Invalid},
	} {
		m.hands.follow = func(_ context.Context, _ domain.FollowQuery, sink journal.Sink) error {
			return errors.Join(sink(batch(domain.FollowBegin)), c.host)
		}
		err := calls.Output().Follow(t.Context(), "c1", domain.FollowQuery{}, func([]domain.FollowRecord) error { return nil })
		if !domain.IsKind(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestASlowFollowerHoldsTheHostBack lets the host print without end to a sink that
// takes nothing: what is under way stays within the windows of the link.
func TestASlowFollowerHoldsTheHostBack(t *testing.T) {
	_, _, m, calls := pair(t)
	line := domain.FollowRecord{Kind: domain.FollowLine, Data: make([]byte, 32<<10)}
	sent, ended := make(chan int, 4096), make(chan struct{})
	m.hands.follow = func(ctx context.Context, _ domain.FollowQuery, sink journal.Sink) error {
		defer close(ended)
		for n := 1; ; n++ {
			if err := sink([]domain.FollowRecord{line}); err != nil {
				return err
			}
			select {
			case sent <- n:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	enough := errors.New("enough")
	first := true
	err := calls.Output().Follow(t.Context(), "c1", domain.FollowQuery{}, func([]domain.FollowRecord) error {
		if !first {
			return enough
		}
		first = false
		quiet(t, sent)
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	<-ended
}

// quiet waits until the host sends no more, and fails if that is after many MiB.
func quiet(t *testing.T, sent <-chan int) {
	t.Helper()
	const most = 128 // of 32 KiB
	for {
		select {
		case n := <-sent:
			if n > most {
				t.Errorf("%d records are under way to one who reads none", n)
				return
			}
		case <-time.After(500 * time.Millisecond):
			return
		}
	}
}
