package shelf_test

import (
	"sync"
	"testing"

	"github.com/go-zun/zun/internal/adapter/store/sql/shelf"
)

func TestWhatWasPutDownIsTakenUntilTheShelfIsFull(t *testing.T) {
	s := shelf.New[int, string](2 * 64 * 10)
	s.Put(1, "one", 10)
	if got, ok := s.Take(1); !ok || got != "one" {
		t.Errorf("took %q, %v", got, ok)
	}
	if _, ok := s.Take(2); ok {
		t.Error("took what was never put down")
	}
	for i := 2; i < 100; i++ {
		s.Put(i, "more", 10)
	}
	if _, ok := s.Take(1); !ok {
		t.Error("gone before the shelf was full")
	}
	for i := 100; i < 300; i++ {
		s.Put(i, "more", 10)
	}
	if _, ok := s.Take(1); ok {
		t.Error("kept beyond the bound")
	}
	if _, ok := s.Take(299); !ok {
		t.Error("the newest is gone")
	}
}

func TestTheHeavyIsNotKept(t *testing.T) {
	s := shelf.New[int, string](2 * 64 * 10)
	s.Put(1, "heavy", 11)
	if _, ok := s.Take(1); ok {
		t.Error("kept what would push all else away")
	}
}

func TestAShelfIsSharedSafely(t *testing.T) {
	s := shelf.New[int, int](2 * 64 * 10)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 1000 {
				s.Put(i, i, worker+1)
				if got, ok := s.Take(i); ok && got != i {
					t.Errorf("took %d for %d", got, i)
				}
			}
		})
	}
	all.Wait()
}
