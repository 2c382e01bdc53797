package fake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

type images struct{ *Engine }

// imageSize is what every image weighs, in bytes.
const imageSize = 2 << 20

// Private is the credential that images under "private/" ask for.
func Private() domain.PullSecret {
	return domain.PullSecret{Domain: "registry.example", Username: "user", Password: "secret"}
}

// Present says whether ref is known from the start or was pulled.
func (i images) Present(ctx context.Context, ref string) (bool, error) {
	if err := i.cued(ctx, OpImagePresent, ""); err != nil {
		return false, err
	}
	return i.present(ref), nil
}

// Pull "fetches" any image but three kinds: "missing/..." does not exist,
// "unreachable/..." has no registry, "private/..." needs the credential of Private.
func (i images) Pull(ctx context.Context, ref string, secret *domain.PullSecret, progress func(done, total int64)) error {
	if err := i.cued(ctx, OpImagePull, ""); err != nil {
		return err
	}
	if err := refused(ref, secret); err != nil {
		return err
	}
	for done := int64(0); progress != nil && done <= imageSize; done += imageSize / 2 {
		progress(done, imageSize)
	}
	if err := os.WriteFile(i.imagePath(ref), nil, 0o644); err != nil {
		return fmt.Errorf("pull %s: %w", ref, err)
	}
	return nil
}

// refused says why a registry does not give ref away.
func refused(ref string, secret *domain.PullSecret) error {
	switch path := repository(ref); {
	case strings.HasPrefix(path, "missing/"):
		return domain.NewFault(domain.NotFound, "image-not-found", "Image %s was not found in its registry", ref)
	case strings.HasPrefix(path, "unreachable/"), strings.HasPrefix(ref, domain.OwnDomain+"/"):
		return domain.NewFault(domain.Unavailable, "registry-unavailable", "The registry of image %s could not be reached", ref)
	case strings.HasPrefix(path, "private/") && !opens(secret):
		return domain.NewFault(domain.Forbidden, "registry-forbidden", "The registry refused access to image %s: check the registry's user name and password", ref)
	}
	return nil
}

// Remove forgets a pulled image. One that a container is made of stays: a Conflict.
func (i images) Remove(ctx context.Context, ref string) error {
	if err := i.cued(ctx, OpImageRemove, ""); err != nil {
		return err
	}
	records, err := i.store.all()
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Role == roleMember && stored(r.Spec.Image).ID == stored(ref).ID {
			return domain.NewFault(domain.Conflict, "image-in-use", "Image %s is in use on its host.", ref)
		}
	}
	if id, own := committedAs(ref); own {
		return os.RemoveAll(i.tree(id))
	}
	if err := os.Remove(i.imagePath(ref)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove image %s: %w", ref, err)
	}
	return nil
}

func opens(secret *domain.PullSecret) bool {
	want := Private()
	return secret != nil && secret.Username == want.Username && secret.Password == want.Password
}

func (e *Engine) present(ref string) bool {
	if id, own := committedAs(ref); own {
		_, err := os.Lstat(e.tree(id))
		return err == nil
	}
	if known := e.known(); slices.Contains(known, ref) || slices.Contains(known, strings.TrimSuffix(ref, ":latest")) {
		return true
	}
	_, err := os.Lstat(e.imagePath(ref))
	return err == nil
}

// known are the references that are present from the start.
func (e *Engine) known() []string { return append([]string{"busybox", "cirros"}, e.options.Images...) }

func (e *Engine) imagePath(ref string) string {
	if !strings.Contains(repositoryAndTag(ref), ":") {
		ref += ":latest"
	}
	return filepath.Join(e.store.dir, "images", url.QueryEscape(ref))
}

// repository is ref without a registry's domain, which has a dot, a port or is localhost.
func repository(ref string) string {
	first, rest, found := strings.Cut(ref, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return rest
	}
	return ref
}

func repositoryAndTag(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// InspectImage describes a present image; id and digest follow from its name.
func (e *Engine) InspectImage(_ context.Context, reference string) (domain.StoredImage, error) {
	if !e.present(reference) {
		return domain.StoredImage{}, domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on the host", reference)
	}
	return stored(reference), nil
}

// StoredImages lists what was pulled and what was there from the start.
func (e *Engine) StoredImages(ctx context.Context) ([]domain.StoredImage, error) {
	if err := e.cued(ctx, OpImageList, ""); err != nil {
		return nil, err
	}
	records, err := e.store.all()
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, r := range records {
		used[stored(r.Spec.Image).ID] = true
	}
	all := make([]domain.StoredImage, 0, len(e.known()))
	for _, reference := range e.known() {
		all = append(all, stored(reference))
	}
	files, err := os.ReadDir(filepath.Join(e.store.dir, "images"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list images: %w", err)
	}
	for _, f := range files {
		if reference, err := url.QueryUnescape(f.Name()); err == nil {
			all = append(all, stored(reference))
		}
	}
	for i := range all {
		all[i].Used = used[all[i].ID]
	}
	return all, nil
}

// ImageDisk is a disk that a hundred images fill, besides what is half of it.
func (e *Engine) ImageDisk(ctx context.Context) (free, total int64, err error) {
	all, err := e.StoredImages(ctx)
	const room = 100 * imageSize
	return max(0, room-int64(len(all))*imageSize), 2 * room, err
}

// ResolveImage answers as Pull does, with the digest that an image of the name has.
func (e *Engine) ResolveImage(ctx context.Context, reference string, secret *domain.PullSecret) (string, error) {
	if err := e.cued(ctx, OpImageResolve, ""); err != nil {
		return "", err
	}
	if err := refused(reference, secret); err != nil {
		return "", err
	}
	_, digest, _ := strings.Cut(stored(reference).Digests[0], "@")
	return digest, nil
}

// stored is the image of a name. Its digest is the one that the name is pinned to, if
// it is.
func stored(reference string) domain.StoredImage {
	repo, tag, _ := domain.SplitReference(reference)
	sum := sha256.Sum256([]byte(repo + ":" + tag))
	id := "sha256:" + hex.EncodeToString(sum[:])
	digest, pinned := id, strings.Contains(tag, ":")
	image := domain.StoredImage{LocalImage: domain.LocalImage{ID: id, Size: imageSize}}
	if pinned {
		digest = tag
	} else {
		image.Names = []string{repo + ":" + tag}
	}
	image.Digests = []string{repo + "@" + digest}
	return image
}

// SearchImages finds what it is asked for, and beside it one of the same name by
// somebody. The registry of terms under "unreachable" does not answer.
func (e *Engine) SearchImages(_ context.Context, term string) ([]domain.FoundImage, error) {
	if strings.HasPrefix(term, "unreachable") {
		return nil, domain.NewFault(domain.Unavailable, "registry-unreachable", "The registry cannot be searched from the host.")
	}
	return []domain.FoundImage{{Name: term, Description: "as asked", Official: true, Stars: 7}, {Name: "somebody/" + term}}, nil
}
