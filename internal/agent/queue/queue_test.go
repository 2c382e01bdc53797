package queue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zun/zun/internal/agent/queue"
	"github.com/go-zun/zun/internal/domain"
)

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// bench runs a queue inside a bubble of fake time.
type bench struct {
	queue *queue.Queue
	mu    sync.Mutex
	begun []domain.ContainerID
	at    []time.Duration
	once  time.Time
}

func play(t *testing.T, slots int, work func(ctx context.Context, b *bench, key domain.ContainerID), script func(b *bench)) *bench {
	t.Helper()
	b := &bench{}
	synctest.Test(t, func(t *testing.T) {
		b.queue, b.once = queue.New(clock{}, slots), time.Now()
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			b.queue.Run(ctx, ctx, func(ctx context.Context, key domain.ContainerID) {
				b.mu.Lock()
				b.begun, b.at = append(b.begun, key), append(b.at, time.Since(b.once))
				b.mu.Unlock()
				work(ctx, b, key)
			})
		})
		script(b)
		synctest.Wait()
		end()
		running.Wait()
	})
	return b
}

// busy works for a second.
func busy(context.Context, *bench, domain.ContainerID) { <-time.After(time.Second) }

func TestAKeyWaitsOnceAndRunsAlone(t *testing.T) {
	t.Parallel()
	b := play(t, 4, busy, func(b *bench) {
		for range 3 {
			b.queue.Add("a") // waits once
		}
		synctest.Wait()
		for range 3 {
			b.queue.Add("a") // comes again once, after
		}
		<-time.After(5 * time.Second)
	})
	if len(b.begun) != 2 || b.at[1] < time.Second {
		t.Errorf("a was begun at %v", b.at)
	}
}

func TestSlotsBoundTheWork(t *testing.T) {
	t.Parallel()
	b := play(t, 2, busy, func(b *bench) {
		for _, key := range []domain.ContainerID{"a", "b", "c"} {
			b.queue.Add(key)
		}
		<-time.After(5 * time.Second)
	})
	if len(b.at) != 3 || b.at[1] != 0 || b.at[2] != time.Second {
		t.Errorf("work began at %v", b.at)
	}
}

func TestLaterKeepsTheSoonest(t *testing.T) {
	t.Parallel()
	first := true
	b := play(t, 1, func(ctx context.Context, b *bench, key domain.ContainerID) {
		if first {
			first = false
			b.queue.Later(ctx, key, 5*time.Second)
			b.queue.Later(ctx, key, 2*time.Second)
			b.queue.Later(ctx, key, 9*time.Second)
		}
	}, func(b *bench) {
		b.queue.Add("a")
		<-time.After(20 * time.Second)
	})
	if len(b.at) != 2 || b.at[1] != 2*time.Second {
		t.Errorf("work began at %v", b.at)
	}
}

func TestTheEndCancelsDelays(t *testing.T) {
	t.Parallel()
	b := play(t, 1, func(ctx context.Context, b *bench, key domain.ContainerID) {
		b.queue.Later(ctx, key, time.Hour)
	}, func(b *bench) { b.queue.Add("a") })
	if len(b.begun) != 1 {
		t.Errorf("begun %v", b.begun)
	}
}

// TestTheEndOutrunsDelays has work's own context go on, as the agent's does while
// steps are finished: what waits for later must not hold the end up.
func TestTheEndOutrunsDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, begun := queue.New(clock{}, 1), time.Now()
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			q.Run(ctx, t.Context(), func(ctx context.Context, key domain.ContainerID) { q.Later(ctx, key, time.Hour) })
		})
		q.Add("a")
		synctest.Wait()
		end()
		running.Wait()
		if took := time.Since(begun); took > 0 {
			t.Errorf("the end took %s", took)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := queue.Backoff{First: time.Second, Longest: 5 * time.Second}
	for _, want := range []time.Duration{1, 2, 4, 5, 5} {
		if got := b.Next(); got != want*time.Second {
			t.Errorf("the wait is %s, want %d s", got, want)
		}
	}
	b.Reset()
	if got := b.Next(); got != time.Second {
		t.Errorf("after a success the wait is %s", got)
	}
}
