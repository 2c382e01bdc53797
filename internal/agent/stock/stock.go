// Package stock looks after the images of a host's engine: it fetches them for
// containers and for an administrator, lets a project use only what it may pull, and
// removes what nobody uses any more.
package stock

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// Inspector is the optional capability of telling what an image is.
type Inspector interface {
	// InspectImage describes a present image; NotFound otherwise.
	InspectImage(ctx context.Context, reference string) (domain.StoredImage, error)
}

// Keeper is the optional capability of telling what an engine keeps, and for whom a
// registry would give it. Without it no image is removed, and a project that did not
// pull an image itself pulls it again.
type Keeper interface {
	// StoredImages lists every image of the engine, whoever brought it.
	StoredImages(ctx context.Context) ([]domain.StoredImage, error)
	// ImageDisk returns the bytes of the file system that images lie on.
	ImageDisk(ctx context.Context) (free, total int64, err error)
	// ResolveImage asks the registry which digest reference has, with a project's
	// credential. Faults as those of a pull.
	ResolveImage(ctx context.Context, reference string, secret *domain.PullSecret) (digest string, err error)
}

// Searcher is the optional capability of searching the engine's default registry.
type Searcher interface {
	// SearchImages returns what the registry finds for term; Unavailable if it cannot
	// be reached, Unsupported for a registry that cannot be searched.
	SearchImages(ctx context.Context, term string) ([]domain.FoundImage, error)
}

// Notary verifies that somebody whom the operator trusts signed an image.
type Notary interface {
	// Verify returns nil if the manifest digest in reference's repository bears a
	// signature by one of keys (PEM). Faults: Forbidden (no such signature),
	// Unavailable (the registry does not answer).
	Verify(ctx context.Context, reference, digest string, secret *domain.PullSecret, keys []string) error
}

// Deps are what a stock stands on.
type Deps struct {
	Engine agent.Engine
	Notary Notary // nil: what must be signed is refused
	// Path is the file in which is kept what was pulled and who may use it.
	Path  string
	Rules Rules
	Meter Meter // nil: nothing is counted
	Clock func() time.Time
	Log   *slog.Logger
}

// Stock serves the calls on images and the steps of containers that need one. It is
// safe for concurrent use.
type Stock struct {
	engine agent.Engine
	notary Notary
	rules  Rules
	meter  Meter
	clock  func() time.Time
	log    *slog.Logger

	book     *book
	doors    doors
	removals atomic.Int64 // by which one who looked sees that something went meanwhile
	busy     busy
	making   busy
	arrivals arrivals

	settling sync.Mutex
	settled  bool // what was being pulled, by the agent's former run or to an unknown end, is known to be here or not
}

// New returns the stock over d.
func New(d Deps) (*Stock, error) {
	kept, err := openBook(d.Path)
	if err != nil {
		return nil, err
	}
	s := &Stock{engine: d.Engine, notary: d.Notary, rules: d.Rules, meter: d.Meter, clock: d.Clock, log: d.Log, book: kept}
	if s.meter == nil {
		s.meter = silent{}
	}
	return s, nil
}

// Pull fetches an image for an administrator's project and describes it. An engine
// that cannot describe images is answered for with the reference itself.
func (s *Stock) Pull(ctx context.Context, order domain.ImageOrder, progress func(done, total int64)) (domain.LocalImage, error) {
	image, err := s.fetch(ctx, order, progress)
	if err != nil {
		return domain.LocalImage{}, err
	}
	return image.LocalImage, s.attest(ctx, order, image)
}

// Making notes that an image of that name is made on this host, until made is called.
func (s *Stock) Making(reference string) (made func()) { return s.making.hold(canonical(reference)) }

// Remove drops reference; a missing image is no error, one in use or still being made a
// Conflict. The engine would take a name off an image in use as long as it has another.
func (s *Stock) Remove(ctx context.Context, reference string) error {
	if s.making.has(canonical(reference)) {
		return domain.NewFault(domain.Conflict, "image-in-use", "Image %s is still being made on its host.", reference)
	}
	if keeper, able := s.engine.(Keeper); able {
		all, err := keeper.StoredImages(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(i domain.StoredImage) bool { return i.Used && bears(i, reference) }) {
			return domain.NewFault(domain.Conflict, "image-in-use", "Image %s is in use on its host.", reference)
		}
	}
	err := failpoint.Around(failpoint.ImageRemove, func() error { return s.engine.Images().Remove(ctx, reference) })
	if err != nil {
		return err
	}
	s.removals.Add(1)
	return s.book.change(func(p *page) { delete(p.Pulls, canonical(reference)) })
}

// Search asks the engine's default registry.
func (s *Stock) Search(ctx context.Context, term string) ([]domain.FoundImage, error) {
	searcher, able := s.engine.(Searcher)
	if !able {
		return nil, domain.NewFault(domain.Unsupported, "operation-not-supported", "This host's engine cannot search images.")
	}
	return searcher.SearchImages(ctx, term)
}
