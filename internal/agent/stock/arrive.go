package stock

import (
	"context"
	"slices"
	"sync"

	"github.com/go-zun/zun/internal/domain"
)

// arrivals are the pulls under way. What one brings is in the engine before the book
// tells whom it is for, and until then it is nobody's.
type arrivals struct {
	mu    sync.Mutex
	pulls map[*arrival]bool
}

// arrival is one pull, with what the engine held before it.
type arrival struct {
	repository string
	before     had
}

// await notes a pull of reference that is about to begin, until it is released.
func (a *arrivals) await(reference string, before had) (release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pulls == nil {
		a.pulls = map[*arrival]bool{}
	}
	pull := &arrival{repository: repository(reference), before: before}
	a.pulls[pull] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.pulls, pull)
	}
}

// bring says whether image may have come by a pull that has not ended. It may have its
// digest before it has its tag, so that the repository counts.
func (a *arrivals) bring(image domain.StoredImage) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for pull := range a.pulls {
		from := func(name string) bool { return repository(name) == pull.repository }
		if !pull.before.holds(image.ID) && slices.ContainsFunc(slices.Concat(image.Names, image.Digests), from) {
			return true
		}
	}
	return false
}

func (h had) holds(id string) bool { return h.id == id || slices.Contains(h.all, id) }

// giveUp ends a pull that failed. It may have brought its image all the same, as when it
// was called off at its end: then that is guarded like what a crash left.
func (s *Stock) giveUp(ctx context.Context, reference string, before had) {
	image, err := s.brought(ctx, reference)
	switch {
	case err != nil && !domain.IsKind(err, domain.NotFound):
		s.unsettle() // the engine does not tell: whoever comes next asks again
		return
	case err == nil && bears(image, reference) && !before.holds(image.ID):
		err = s.book.settle(canonical(reference), image.ID, s.clock())
	default:
		err = s.book.abandon(reference)
	}
	if err != nil {
		s.log.WarnContext(ctx, "book of images not written", "error", err)
	}
}

// unsettle has the next look find out what a pull brought whose end is not known.
func (s *Stock) unsettle() {
	s.settling.Lock()
	defer s.settling.Unlock()
	s.settled = false
}
