package errand_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-zun/zun/internal/control/errand"
)

// office is an errand whose runs, which are numbered, end on word.
type office struct {
	*errand.Errand[int]
	runs int // read and written by one run at a time
	end  chan struct{}
	all  sync.WaitGroup
}

func newOffice() *office { return &office{Errand: errand.New[int](), end: make(chan struct{})} }

func (o *office) run(ctx context.Context) (int, error) {
	o.runs++
	n := o.runs
	select {
	case <-o.end:
		return n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// ask asks in the background, and is wrong about everything but want and, where that
// is not nil, its error.
func (o *office) ask(ctx context.Context, t *testing.T, want int, fault error) {
	t.Helper()
	o.all.Go(func() {
		if got, err := o.Ask(ctx, o.run); got != want || !errors.Is(err, fault) {
			t.Errorf("answered %d, %v, wanted %d, %v", got, err, want, fault)
		}
	})
	synctest.Wait()
}

func TestWhoeverAsksMeanwhileIsAnsweredByOneRunThatBeginsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		o.ask(t.Context(), t, 1, nil)
		for range 20 {
			o.ask(t.Context(), t, 2, nil)
		}
		o.end <- struct{}{}
		synctest.Wait()
		o.ask(t.Context(), t, 3, nil)
		close(o.end)
		o.all.Wait()
		if o.runs != 3 {
			t.Errorf("%d runs for 22 questions", o.runs)
		}
	})
}

func TestARunThatIsGivenUpIsNoAnswerForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		first, leave := context.WithCancel(t.Context())
		o.ask(t.Context(), t, 1, nil)
		o.ask(first, t, 0, context.Canceled) // goes, or waits for the next; leaves either way
		o.ask(t.Context(), t, 2, nil)
		o.ask(t.Context(), t, 2, nil)
		leave()
		synctest.Wait()
		close(o.end)
		o.all.Wait()
	})
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		first, leave := context.WithCancel(t.Context())
		o.ask(first, t, 0, context.Canceled) // is the one under way
		o.ask(t.Context(), t, 2, nil)
		leave()
		synctest.Wait()
		close(o.end)
		o.all.Wait()
	})
}

func TestAFailureIsTheAnswerOfAllWhoShareIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, broken := newOffice(), errors.New("broken")
		o.ask(t.Context(), t, 1, nil)
		for range 2 {
			o.all.Go(func() {
				_, err := o.Ask(t.Context(), func(context.Context) (int, error) { return 0, broken })
				if !errors.Is(err, broken) {
					t.Errorf("answered %v", err)
				}
			})
		}
		synctest.Wait()
		close(o.end)
		o.all.Wait()
	})
}
