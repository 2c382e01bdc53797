package docker

import (
	"context"
	"errors"
	"strings"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/domain"
)

// maxFound is the most that a search brings; the registry gives no more in a page.
const maxFound = 100

// InspectImage tells the id and the size of a present image.
func (e *Engine) InspectImage(ctx context.Context, reference string) (domain.LocalImage, error) {
	image, err := e.api.ImageInspect(ctx, reference)
	if err != nil {
		return domain.LocalImage{}, fault(err)
	}
	return domain.LocalImage{ID: image.ID, Size: image.Size}, nil
}

// SearchImages asks the public registry through the engine, which can search no
// other.
func (e *Engine) SearchImages(ctx context.Context, term string) ([]domain.FoundImage, error) {
	result, err := e.api.ImageSearch(ctx, term, client.ImageSearchOptions{Limit: maxFound})
	if err != nil {
		return nil, searchFault(err)
	}
	found := make([]domain.FoundImage, 0, len(result.Items))
	for _, i := range result.Items {
		found = append(found, domain.FoundImage{
			Name: i.Name, Description: i.Description, Official: i.IsOfficial, Stars: i.StarCount,
		})
	}
	return found, nil
}

// searchFault words a search that failed. That the registry does not answer is the
// usual reason, and engines tell it in many ways.
func searchFault(err error) error {
	f := fault(err)
	switch {
	case f.Code == "engine-down" || f.Code == "engine-call-ended", errors.Is(err, context.Canceled):
		return f
	case f.Kind == domain.Invalid && strings.Contains(strings.ToLower(plain(err)), "invalid"):
		return domain.WrapFault(err, domain.Invalid, "invalid-value", "The engine refused the search: %s", plain(err))
	default:
		return domain.WrapFault(err, domain.Unavailable, "registry-unreachable", "The registry cannot be searched from the host.")
	}
}
