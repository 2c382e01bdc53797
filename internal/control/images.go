package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// ImageRules is what the operator demands of images.
type ImageRules interface {
	// Judge returns the public keys (PEM) of which one must have signed the image that
	// reference names in full; none means no signature is needed. Faults: Forbidden, in
	// words for the user, for an image that may not be used at all.
	Judge(reference string) (keys []string, err error)
}

// JudgeImage asks the operator's rules about an image that comes from a registry.
func (c *Control) JudgeImage(reference string) ([]string, error) {
	if c.imageRules == nil {
		return nil, nil
	}
	return c.imageRules.Judge(reference)
}

// judge refuses a spec whose image the operator's rules do not allow. at is the
// registry domain put before names that have none. What a project committed itself is
// not judged.
func (c *Control) judge(spec domain.Spec, at string) error {
	if spec.OwnImage != "" {
		return nil
	}
	_, err := c.JudgeImage(spec.QualifiedImage(at))
	return err
}

// judgeRebuild does the same for what row would be rebuilt to.
func (c *Control) judgeRebuild(ctx context.Context, tx Tx, row domain.Container, args domain.ActionArgs) error {
	at := c.options.DefaultRegistry.Domain
	if row.Spec.RegistryID != "" {
		found, err := tx.Registries().Find(ctx, Everything(), row.Spec.RegistryID)
		if err != nil {
			return fmt.Errorf("look up registry: %w", err)
		}
		if len(found) > 0 {
			at = found[0].Domain
		}
	}
	return c.judge(row.Spec.Updated(args), at)
}
