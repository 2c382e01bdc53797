package feed_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/kit/clock"
	"github.com/go-zun/zun/internal/rest/feed"
)

// book is a source that counts how often it is asked.
type book struct {
	mu    sync.Mutex
	last  int64
	looks int
	down  error
}

func (b *book) Notices(_ context.Context, after int64, limit int) ([]domain.Notice, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looks++
	var all []domain.Notice
	for id := after + 1; id <= b.last && len(all) < limit; id++ {
		all = append(all, domain.Notice{ID: id})
	}
	return all, b.down
}

func (b *book) NoticeBounds(context.Context) (oldest, newest int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return 1, b.last, b.down
}

func (b *book) write(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last += n
}

const every = 250 * time.Millisecond

// follower notes what it read and fails the test on a miss.
type follower struct {
	t    *testing.T
	hub  *feed.Hub
	last int64
}

func (f *follower) read() {
	f.t.Helper()
	found, err := f.hub.After(context.Background(), f.last)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, n := range found {
		if n.ID != f.last+1 {
			f.t.Fatalf("%d follows %d", n.ID, f.last)
		}
		f.last = n.ID
	}
}

func TestManyFollowersCostOneLookAnInterval(t *testing.T) {
	source, now := &book{last: 100}, clock.At(time.Unix(1_000_000, 0))
	hub := feed.NewHub(source, every, now.Now)
	followers := make([]*follower, 50)
	for i := range followers {
		followers[i] = &follower{t: t, hub: hub, last: 100}
	}
	const rounds = 30
	for range rounds {
		source.write(3)
		now.Step(every)
		for _, f := range followers {
			f.read()
		}
	}
	for i, f := range followers {
		if f.last != 100+3*rounds {
			t.Errorf("follower %d is at %d", i, f.last)
		}
	}
	if source.looks > rounds+1 {
		t.Errorf("%d looks for %d followers in %d intervals", source.looks, len(followers), rounds)
	}
}

func TestAFollowerThatIsFarBehindCatchesUp(t *testing.T) {
	source, now := &book{last: 10_000}, clock.At(time.Unix(1_000_000, 0))
	hub := feed.NewHub(source, every, now.Now)
	behind, ahead := &follower{t: t, hub: hub, last: 3}, &follower{t: t, hub: hub, last: 10_000}
	for range 60 {
		source.write(100)
		now.Step(every)
		ahead.read()
		behind.read()
	}
	if behind.last != source.last || ahead.last != source.last {
		t.Errorf("at %d and %d of %d", behind.last, ahead.last, source.last)
	}
}

func TestAfterAPauseNothingIsMissed(t *testing.T) {
	source, now := &book{last: 5}, clock.At(time.Unix(1_000_000, 0))
	hub := feed.NewHub(source, every, now.Now)
	f := &follower{t: t, hub: hub, last: 5}
	f.read()
	source.write(7_000) // while nobody follows
	now.Step(time.Hour)
	late := &follower{t: t, hub: hub, last: 7_005}
	source.write(1)
	for range 40 {
		now.Step(every)
		late.read()
		f.read()
	}
	if late.last != 7_006 || f.last != 7_006 {
		t.Errorf("at %d and %d", late.last, f.last)
	}
}

func TestASourceThatIsDownIsAskedAgain(t *testing.T) {
	source, now := &book{last: 5, down: errors.New("down")}, clock.At(time.Unix(1_000_000, 0))
	hub := feed.NewHub(source, every, now.Now)
	if _, err := hub.After(t.Context(), 5); err == nil {
		t.Error("nothing is said")
	}
	source.down = nil
	source.write(1)
	now.Step(every)
	f := &follower{t: t, hub: hub, last: 5}
	if f.read(); f.last != 6 {
		t.Errorf("at %d", f.last)
	}
}
