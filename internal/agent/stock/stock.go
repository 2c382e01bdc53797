// Package stock looks after the images of a host's engine beside the containers:
// the pulls, removals and searches that an administrator asks for.
package stock

import (
	"context"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Inspector is the optional capability of telling what an image is.
type Inspector interface {
	// InspectImage describes a present image; NotFound otherwise.
	InspectImage(ctx context.Context, reference string) (domain.LocalImage, error)
}

// Searcher is the optional capability of searching the engine's default registry.
type Searcher interface {
	// SearchImages returns what the registry finds for term; Unavailable if it cannot
	// be reached, Unsupported for a registry that cannot be searched.
	SearchImages(ctx context.Context, term string) ([]domain.FoundImage, error)
}

// Stock serves the calls on images.
type Stock struct {
	engine agent.Engine
}

// New returns the calls over engine.
func New(engine agent.Engine) *Stock { return &Stock{engine: engine} }

// Pull fetches reference and describes it. An engine that cannot describe images is
// answered for with the reference itself.
func (s *Stock) Pull(ctx context.Context, reference string, secret *domain.PullSecret, progress func(done, total int64)) (domain.LocalImage, error) {
	if err := s.engine.Images().Pull(ctx, reference, secret, progress); err != nil {
		return domain.LocalImage{}, err
	}
	inspector, able := s.engine.(Inspector)
	if !able {
		return domain.LocalImage{ID: reference}, nil
	}
	return inspector.InspectImage(ctx, reference)
}

// Remove drops reference; a missing image is no error.
func (s *Stock) Remove(ctx context.Context, reference string) error {
	return s.engine.Images().Remove(ctx, reference)
}

// Search asks the engine's default registry.
func (s *Stock) Search(ctx context.Context, term string) ([]domain.FoundImage, error) {
	searcher, able := s.engine.(Searcher)
	if !able {
		return nil, domain.NewFault(domain.Unsupported, "operation-not-supported", "This host's engine cannot search images.")
	}
	return searcher.SearchImages(ctx, term)
}
