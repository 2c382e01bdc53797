package containers

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// judge refuses a spec whose image the operator's rules do not allow. at is the
// registry domain put before names that have none. What a project committed itself is
// not judged.
func (c *Containers) judge(spec domain.Spec, at string) error {
	if spec.OwnImage != "" {
		return nil
	}
	_, err := c.control.JudgeImage(spec.QualifiedImage(at))
	return err
}

// judgeRebuild does the same for what row would be rebuilt to.
func (c *Containers) judgeRebuild(ctx context.Context, tx control.Tx, row domain.Container, args domain.ActionArgs) error {
	at := c.control.Options().DefaultRegistry.Domain
	if row.Spec.RegistryID != "" {
		found, err := tx.Registries().Find(ctx, control.Everything(), row.Spec.RegistryID)
		if err != nil {
			return fmt.Errorf("look up registry: %w", err)
		}
		if len(found) > 0 {
			at = found[0].Domain
		}
	}
	return c.judge(row.Spec.Updated(args), at)
}

// serviceHas refuses an image that is asked of Glance, which is not there: what a public
// registry has by the same name is another's.
func serviceHas(driver, image string) error {
	if driver != "glance" {
		return nil
	}
	return domain.NewFault(domain.Invalid, "image-not-found",
		"Image %s could not be found: no image service is configured, and the project committed none of that name.", image)
}

// useOwn makes spec take the image that it names from what its project committed, if
// that is one of them. Such an image is on one host only.
func (g grounds) useOwn(spec *domain.Spec) error {
	if g.own.ID == "" {
		return serviceHas(spec.ImageDriver, spec.Image)
	}
	if spec.RequestedHost != "" && spec.RequestedHost != g.own.HostName {
		return domain.NewFault(domain.Conflict, "conflict", "Image %s is not on the requested host: it was committed on another.", spec.Image)
	}
	spec.OwnImage, spec.RequestedHost, spec.RegistryID = g.own.ID, g.own.HostName, ""
	return nil
}

// rebuildOwn does the same for the image that a rebuild of row asks for.
func rebuildOwn(ctx context.Context, t *control.Turn, row domain.Container, args *domain.ActionArgs) error {
	if args.Image == "" {
		return nil
	}
	own, found, err := control.OwnImage(ctx, t, row.ProjectID, args.Image)
	if err != nil {
		return err
	}
	if !found {
		return serviceHas(args.ImageDriver, args.Image)
	}
	if row.HostName != "" && row.HostName != own.HostName {
		return domain.NewFault(domain.Conflict, "conflict", "Image %s is not on the host of container %s.", args.Image, row.ID)
	}
	args.OwnImage = own.ID
	return nil
}
