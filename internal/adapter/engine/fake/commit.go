package fake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Commit copies the member's files into an image. The tree is put in its place as a
// whole, so that an image exists or does not.
func (e *Engine) Commit(ctx context.Context, o agent.Object, s agent.Snapshot) (domain.LocalImage, error) {
	made, err := e.Committed(ctx, s.Image)
	if err == nil || !domain.IsKind(err, domain.NotFound) {
		return made, err
	}
	if err := e.cued(ctx, OpCommit, o.Container); err != nil {
		return domain.LocalImage{}, err
	}
	r, err := e.find(o)
	if err != nil {
		return domain.LocalImage{}, err
	}
	root, err := e.rootOf(r)
	if err != nil {
		return domain.LocalImage{}, fmt.Errorf("open files: %w", err)
	}
	defer func() { _ = root.Close() }()
	draft, err := os.MkdirTemp(filepath.Join(e.store.dir, "trees"), ".new-*")
	if err == nil {
		err = os.CopyFS(draft, root.FS())
	}
	if err == nil {
		err = os.Rename(draft, e.tree(s.Image))
	}
	if err != nil {
		return domain.LocalImage{}, errors.Join(fmt.Errorf("commit %s: %w", o.Container, err), os.RemoveAll(draft))
	}
	return e.Committed(ctx, s.Image)
}

// Committed describes the image of uuid id.
func (e *Engine) Committed(_ context.Context, id string) (domain.LocalImage, error) {
	image := domain.LocalImage{}
	err := filepath.WalkDir(e.tree(id), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		image.Size += info.Size()
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return image, domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on this host", id)
	}
	if err != nil {
		return image, fmt.Errorf("look into image %s: %w", id, err)
	}
	sum := sha256.Sum256([]byte(id))
	image.ID, image.Size = "sha256:"+hex.EncodeToString(sum[:]), image.Size+imageSize
	return image, nil
}

// tree is the directory of a committed image's files.
func (e *Engine) tree(id string) string {
	return filepath.Join(e.store.dir, "trees", filepath.Base(id))
}

// committedAs returns the uuid of the committed image that ref names.
func committedAs(ref string) (id string, ok bool) {
	image, tag, _ := domain.SplitReference(ref)
	id, ok = cutDomain(image)
	return id, ok && tag == "latest"
}

func cutDomain(repository string) (rest string, ok bool) {
	prefix := domain.OwnDomain + "/"
	if len(repository) <= len(prefix) || repository[:len(prefix)] != prefix {
		return "", false
	}
	return repository[len(prefix):], true
}

// furnish gives a new member the files of the committed image that it is made from.
func (e *Engine) furnish(r record) error {
	id, own := committedAs(r.Spec.Image)
	if !own {
		return nil
	}
	if err := os.CopyFS(filepath.Join(e.store.dir, "roots", r.EngineID), os.DirFS(e.tree(id))); err != nil {
		return fmt.Errorf("copy the files of image %s: %w", id, err)
	}
	return nil
}
