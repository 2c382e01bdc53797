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
	switch path := repository(ref); {
	case strings.HasPrefix(path, "missing/"):
		return domain.NewFault(domain.NotFound, "image-not-found", "Image %s was not found in its registry", ref)
	case strings.HasPrefix(path, "unreachable/"):
		return domain.NewFault(domain.Unavailable, "registry-unavailable", "The registry of image %s could not be reached", ref)
	case strings.HasPrefix(path, "private/") && !opens(secret):
		return domain.NewFault(domain.Forbidden, "registry-forbidden", "The registry refused access to image %s: check the registry's user name and password", ref)
	}
	for done := int64(0); progress != nil && done <= imageSize; done += imageSize / 2 {
		progress(done, imageSize)
	}
	if err := os.WriteFile(i.imagePath(ref), nil, 0o644); err != nil {
		return fmt.Errorf("pull %s: %w", ref, err)
	}
	return nil
}

// Remove forgets a pulled image.
func (i images) Remove(ctx context.Context, ref string) error {
	if err := i.cued(ctx, OpImageRemove, ""); err != nil {
		return err
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
	known := append([]string{"busybox", "cirros"}, e.options.Images...)
	if slices.Contains(known, ref) || slices.Contains(known, strings.TrimSuffix(ref, ":latest")) {
		return true
	}
	_, err := os.Lstat(e.imagePath(ref))
	return err == nil
}

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

// InspectImage describes a present image; its id follows from its name.
func (e *Engine) InspectImage(_ context.Context, reference string) (domain.LocalImage, error) {
	if !e.present(reference) {
		return domain.LocalImage{}, domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on the host", reference)
	}
	sum := sha256.Sum256([]byte(reference))
	return domain.LocalImage{ID: "sha256:" + hex.EncodeToString(sum[:]), Size: imageSize}, nil
}

// SearchImages finds what it is asked for, and beside it one of the same name by
// somebody. The registry of terms under "unreachable" does not answer.
func (e *Engine) SearchImages(_ context.Context, term string) ([]domain.FoundImage, error) {
	if strings.HasPrefix(term, "unreachable") {
		return nil, domain.NewFault(domain.Unavailable, "registry-unreachable", "The registry cannot be searched from the host.")
	}
	return []domain.FoundImage{{Name: term, Description: "as asked", Official: true, Stars: 7}, {Name: "somebody/" + term}}, nil
}
