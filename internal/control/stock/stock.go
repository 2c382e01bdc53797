// Package stock holds an administrator's use cases on the images of hosts: pulls to
// a named host, their records, and searches.
package stock

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/fleet"
	"github.com/go-zun/zun/internal/domain"
)

// Deps are what the use cases stand on. Every field is required.
type Deps struct {
	Control *control.Control
	Fleet   *fleet.Fleet
	Nodes   control.Nodes
	Log     *slog.Logger
}

// Stock are the use cases.
type Stock struct {
	control *control.Control
	fleet   *fleet.Fleet
	nodes   control.Nodes
	log     *slog.Logger
}

// New returns the use cases over d.
func New(d Deps) *Stock {
	return &Stock{control: d.Control, fleet: d.Fleet, nodes: d.Nodes, log: d.Log}
}

// PullImage accepts a pull: the record is the intent, a loop carries it out. Faults:
// Invalid for an unknown host or what is no reference, Forbidden for an image that the
// operator's rules do not allow, Conflict for a known record.
func (s *Stock) PullImage(ctx context.Context, actor domain.Actor, reference, host string) (domain.Image, error) {
	standard := s.control.Options().DefaultRegistry.Domain
	repo, tag, ok := domain.SplitReference(domain.Spec{Image: reference}.QualifiedImage(standard))
	if !ok {
		return domain.Image{}, domain.NewFault(domain.Invalid, "invalid-value", "%s is not the reference of an image.", reference)
	}
	id, err := s.control.Dice().UUID()
	if err != nil {
		return domain.Image{}, err
	}
	if _, err := s.control.JudgeImage(domain.Image{Repo: repo, Tag: tag}.Reference()); err != nil {
		return domain.Image{}, err
	}
	image := domain.Image{ID: id, ProjectID: actor.ProjectID, UserID: actor.UserID, Repo: repo, Tag: tag, Task: domain.ImagePull}
	err = s.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		found, err := t.Hosts().Get(ctx, host)
		if domain.IsKind(err, domain.NotFound) {
			return domain.NewFault(domain.Invalid, "invalid-value", "The host %s does not exist.", host)
		}
		if err != nil {
			return fmt.Errorf("read host %s: %w", host, err)
		}
		image.HostName = found.Name
		if err := t.Images().Insert(ctx, image); err != nil {
			return fmt.Errorf("insert image: %w", err)
		}
		t.Ring(s.control.Bells().Fetch)
		return nil
	})
	return image, err
}

// Image returns one record; Invalid for an unknown one, as the contract has it.
func (s *Stock) Image(ctx context.Context, id string) (found domain.Image, err error) {
	err = s.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		found, err = seen(tx.Images().Get(ctx, id))
		return err
	})
	return found, err
}

// Images returns a page of the records.
func (s *Stock) Images(ctx context.Context, q control.ImageQuery) (found []domain.Image, err error) {
	err = s.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		found, err = tx.Images().List(ctx, q)
		return err
	})
	return found, err
}

// DeleteImage takes an image off its host, and then its record; a pull under way ends.
// While the host does not answer the record stays, unseen, and the loop tries on. One
// that a container of the host is made of is a Conflict, and all stays as it was.
func (s *Stock) DeleteImage(ctx context.Context, id string) error {
	image, host, err := s.leaving(ctx, id)
	if err != nil || host.ID == "" || image.ImageID == "" {
		return err
	}
	bound, cancel := context.WithTimeout(ctx, s.control.Options().ResponseTimeout)
	defer cancel()
	err = s.nodes.Calls(host).Images().Remove(bound, image.Reference())
	if domain.IsKind(err, domain.Conflict) {
		return domain.NewFault(domain.Conflict, "conflict", "Image %s is in use on host %s.", image.ID, host.Name)
	}
	return s.control.Turn(context.WithoutCancel(ctx), func(ctx context.Context, t *control.Turn) error {
		if err == nil {
			return t.Images().Delete(ctx, id)
		}
		s.log.WarnContext(ctx, "image leaves its host later", "image", image.Reference(), "host", host.Name, "error", err.Error())
		now, lookErr := t.Images().Get(ctx, id)
		if domain.IsKind(lookErr, domain.Invalid) {
			return nil // somebody else was quicker
		}
		if lookErr != nil {
			return lookErr
		}
		now.Task, now.LeaseUntil = domain.ImageDelete, time.Time{}
		t.Ring(s.control.Bells().Fetch)
		return t.Images().Update(ctx, now)
	})
}

// leaving returns an image that is to be deleted with its host, which is empty if it
// left the fleet. What is not on any host goes at once.
func (s *Stock) leaving(ctx context.Context, id string) (image domain.Image, host domain.Host, err error) {
	err = s.control.Turn(ctx, func(ctx context.Context, t *control.Turn) (err error) {
		if image, err = seen(t.Images().Get(ctx, id)); err != nil {
			return err
		}
		host, err = t.Hosts().Get(ctx, image.HostName)
		if err != nil && !domain.IsKind(err, domain.NotFound) {
			return fmt.Errorf("read host %s: %w", image.HostName, err)
		}
		if host.ID == "" || image.ImageID == "" {
			return t.Images().Delete(ctx, id)
		}
		return nil
	})
	return image, host, err
}

// seen makes a record that is on its way out one that is not there.
func seen(image domain.Image, err error) (domain.Image, error) {
	if err == nil && image.Task == domain.ImageDelete {
		return domain.Image{}, domain.NewFault(domain.Invalid, "image-not-found", "Image %s could not be found.", image.ID)
	}
	return image, err
}

// SearchImages asks the registry through any host that is up. Faults: Unsupported for
// a term that names a registry, Unavailable without a host or if the registry does
// not answer.
func (s *Stock) SearchImages(ctx context.Context, term string, exact bool) ([]domain.FoundImage, error) {
	if at := domain.ImageDomain(term); at != "" && at != "docker.io" {
		return nil, domain.NewFault(domain.Unsupported, "operation-not-supported", "Images can be searched only in the engine's public registry, not in %s.", at)
	}
	host, err := s.anyHost(ctx)
	if err != nil {
		return nil, err
	}
	bound, cancel := context.WithTimeout(ctx, s.control.Options().ResponseTimeout)
	defer cancel()
	found, err := s.nodes.Calls(host).Images().Search(bound, term)
	if err != nil || !exact {
		return found, err
	}
	equal := found[:0]
	for _, i := range found {
		if i.Name == term {
			equal = append(equal, i)
		}
	}
	return equal, nil
}

// anyHost returns a host that can be asked now.
func (s *Stock) anyHost(ctx context.Context) (domain.Host, error) {
	up, err := s.fleet.UpHosts(ctx)
	if err != nil {
		return domain.Host{}, err
	}
	if len(up) > 0 {
		return up[0], nil
	}
	return domain.Host{}, domain.NewFault(domain.Unavailable, "no-host-up", "No host is up that could search images.")
}
