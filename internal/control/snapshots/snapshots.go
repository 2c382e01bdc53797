// Package snapshots holds the use cases on the images that projects make of their own
// containers. Such an image lies in the engine of the host where it was made, and
// belongs to the project: who may see, use and delete it is told by its row alone.
package snapshots

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Snapshots are the use cases.
type Snapshots struct {
	control *control.Control
	most    int64 // images of one project; negative: any number
}

// New returns the use cases. A project may have most images; -1 is any number.
func New(c *control.Control, most int64) *Snapshots { return &Snapshots{control: c, most: most} }

// Commit accepts the snapshot of a container and returns the uuid that its image has
// from now on. The image's row is the intent's other half: both are committed together,
// and the row goes again if the commit fails. Forbidden ("over-quota") when the project
// has its number of images.
func (s *Snapshots) Commit(ctx context.Context, actor domain.Actor, ref control.Ref, repository, tag string) (string, error) {
	id, err := s.control.Dice().UUID()
	if err != nil {
		return "", err
	}
	repo, named, err := nameOf(repository, tag)
	if err != nil {
		return "", err
	}
	err = s.control.Accept(ctx, func(ctx context.Context, t *control.Turn) error {
		row, err := control.Find(ctx, t, actor, ref, domain.KindContainer)
		if err != nil {
			return err
		}
		if _, err := t.MayQueue(ctx, row, domain.VerbCommit); err != nil {
			return err
		}
		if err := s.room(ctx, t, row.ProjectID); err != nil {
			return err
		}
		err = t.Images().Insert(ctx, domain.Image{
			ID: id, ProjectID: row.ProjectID, UserID: actor.UserID, Repo: repo, Tag: named,
			HostName: row.HostName, Source: row.ID, Task: domain.ImageCommit,
		})
		if err != nil {
			return fmt.Errorf("insert image: %w", err)
		}
		args := domain.ActionArgs{Repository: repo, Tag: named, ImageID: id}
		_, err = t.Accept(ctx, &row, control.Order{Verb: domain.VerbCommit, Args: args, Actor: actor})
		return err
	})
	return id, err
}

// nameOf reads what an image is to be called. A tag may also stand in the repository,
// as clients that do not split it send it.
func nameOf(repository, tag string) (repo, named string, err error) {
	reference := repository
	if tag != "" {
		reference += ":" + tag
	}
	repo, named, ok := domain.SplitReference(reference)
	if !ok || domain.ImageDomain(reference) == domain.OwnDomain {
		return "", "", domain.NewFault(domain.Invalid, "invalid-value", "%s is no name for an image.", reference)
	}
	return repo, named, nil
}

// room refuses one image more than the project may have. The project's quota row is kept
// until the end of the transaction, so that of two commits the second counts the first.
func (s *Snapshots) room(ctx context.Context, t *control.Turn, projectID string) error {
	if s.most < 0 {
		return nil
	}
	if err := t.Use(ctx, projectID, domain.Claim{}); err != nil {
		return err
	}
	own, err := t.Images().List(ctx, control.ImageQuery{OwnOf: projectID})
	if err != nil {
		return fmt.Errorf("count the images of %s: %w", projectID, err)
	}
	if int64(len(own)) >= s.most {
		return domain.NewFault(domain.Forbidden, "over-quota", "Quota exceeded for resources: ['images']")
	}
	return nil
}

// Discard deletes an image of the project's own. It is out of sight at once, and gone
// from its host when that host is up. Faults: Invalid ("image-not-found"), Conflict for
// one that a container is made from or that is still being committed.
func (s *Snapshots) Discard(ctx context.Context, projectID, id string) error {
	return s.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		image, err := t.Images().Get(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case image.Source == "" || image.ProjectID != projectID || image.Task == domain.ImageDelete:
			return domain.NewFault(domain.Invalid, "image-not-found", "Image %s could not be found.", id)
		case image.Task == domain.ImageCommit:
			return domain.NewFault(domain.Conflict, "conflict", "Image %s is still being committed.", id)
		}
		users, err := t.Containers().List(ctx, control.ContainerQuery{Scope: control.Everything(), OwnImage: id, Page: control.Page{Limit: 1}})
		if err != nil {
			return fmt.Errorf("look for containers of image %s: %w", id, err)
		}
		if len(users) > 0 {
			return domain.NewFault(domain.Conflict, "conflict", "Image %s is in use by container %s.", id, users[0].ID)
		}
		image.Task = domain.ImageDelete
		if err := t.Images().Update(ctx, image); err != nil {
			return fmt.Errorf("discard image %s: %w", id, err)
		}
		t.Ring(s.control.Bells().Fetch)
		return nil
	})
}
