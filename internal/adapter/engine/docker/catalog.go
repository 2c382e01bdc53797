package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/domain"
)

// maxFound is the most that a search brings; the registry gives no more in a page.
const maxFound = 100

// InspectImage tells what a present image is; whether it is used is left out.
func (e *Engine) InspectImage(ctx context.Context, reference string) (domain.StoredImage, error) {
	image, err := e.api.ImageInspect(ctx, reference)
	if err != nil {
		return domain.StoredImage{}, fault(err)
	}
	return domain.StoredImage{LocalImage: domain.LocalImage{ID: image.ID, Size: image.Size}, Names: image.RepoTags, Digests: image.RepoDigests}, nil
}

// StoredImages lists every image of the engine. One is used if any container, running
// or not, is made of it.
func (e *Engine) StoredImages(ctx context.Context) ([]domain.StoredImage, error) {
	images, err := e.api.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, fault(err)
	}
	containers, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, fault(err)
	}
	used := map[string]bool{}
	for _, c := range containers.Items {
		used[c.ImageID] = true
	}
	stored := make([]domain.StoredImage, 0, len(images.Items))
	for _, i := range images.Items {
		stored = append(stored, domain.StoredImage{
			LocalImage: domain.LocalImage{ID: i.ID, Size: i.Size}, Names: i.RepoTags, Digests: i.RepoDigests, Used: used[i.ID],
		})
	}
	return stored, nil
}

// ImageDisk measures the file system of the engine's directory.
func (e *Engine) ImageDisk(ctx context.Context) (free, total int64, err error) {
	info, err := e.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return 0, 0, fault(err)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(info.Info.DockerRootDir, &fs); err != nil {
		return 0, 0, fmt.Errorf("measure the disk of images: %w", err)
	}
	return int64(fs.Bavail) * fs.Bsize, int64(fs.Blocks) * fs.Bsize, nil
}

// ResolveImage has the engine ask the registry, as it would for a pull: with its own
// mirrors, certificates and idea of which registries speak no TLS.
func (e *Engine) ResolveImage(ctx context.Context, reference string, secret *domain.PullSecret) (string, error) {
	auth, err := registryAuth(secret)
	if err != nil {
		return "", err
	}
	found, err := e.api.DistributionInspect(ctx, reference, client.DistributionInspectOptions{EncodedRegistryAuth: auth})
	if err != nil {
		return "", pullFault(err, reference)
	}
	return found.Descriptor.Digest.String(), nil
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
