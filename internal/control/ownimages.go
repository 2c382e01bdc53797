package control

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// OwnImage finds the project's own image that reference names: by its uuid, or the
// newest of that repository and tag. Faults: Invalid ("image-not-found") for the name by
// which an engine knows such images, since who may use one is not for the name to say;
// Conflict for one that is not ready yet.
func OwnImage(ctx context.Context, tx Tx, projectID, reference string) (image domain.Image, found bool, err error) {
	if strings.HasPrefix(strings.ToLower(reference), domain.OwnDomain) {
		return image, false, domain.NewFault(domain.Invalid, "image-not-found", "Image %s could not be found.", reference)
	}
	repo, tag, named := domain.SplitReference(reference)
	if !named {
		return image, false, nil
	}
	if looksLikeUUID(reference) {
		image, err = tx.Images().Get(ctx, reference)
		found = err == nil && image.Source != "" && image.ProjectID == projectID && image.Task != domain.ImageDelete
		if err != nil && !domain.IsKind(err, domain.Invalid) {
			return image, false, fmt.Errorf("look for image %s: %w", reference, err)
		}
	}
	if !found {
		named, err := tx.Images().List(ctx, ImageQuery{OwnOf: projectID, Repo: repo, Tag: tag, Page: Page{SortKey: "id", Desc: true, Limit: 1}})
		if err != nil || len(named) == 0 {
			return image, false, err
		}
		image = named[0]
	}
	if image.Task == domain.ImageCommit {
		return image, true, domain.NewFault(domain.Conflict, "conflict", "Image %s is still being committed.", reference)
	}
	return image, true, nil
}

// commitRest is how long an engine may still bring forth an image whose commit is known
// to have failed: a host that died in the middle had asked for it.
const commitRest = 10 * time.Second

// settleImage keeps what the ended commit a made; what may be left of one that failed
// is discarded, so that it is on the way out as soon as its user reads of it.
func (t *Turn) settleImage(ctx context.Context, a domain.Action, begun bool, made *domain.LocalImage) error {
	if a.Verb != domain.VerbCommit {
		return nil
	}
	image, err := t.Images().Get(ctx, a.Args.ImageID)
	if domain.IsKind(err, domain.Invalid) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read image %s: %w", a.Args.ImageID, err)
	}
	if a.State == domain.ActionDone && made != nil {
		image.Task, image.ImageID, image.Size = "", made.ID, strconv.FormatInt(made.Size, 10)
	} else if err := t.discard(ctx, &image, begun); err != nil {
		return err
	}
	if err := t.Images().Update(ctx, image); err != nil {
		return fmt.Errorf("settle image %s: %w", image.ID, err)
	}
	return nil
}

func (t *Turn) discard(ctx context.Context, image *domain.Image, begun bool) error {
	image.Task = domain.ImageDelete
	t.Ring(t.bells.Fetch)
	if !begun {
		return nil
	}
	now, err := t.Now(ctx)
	image.LeaseUntil = now.Add(commitRest)
	return err
}
