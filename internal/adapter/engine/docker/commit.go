package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Commit implements agent.Committer. It is the engine that freezes and thaws the
// process, so that it goes on whatever becomes of this one.
func (e *Engine) Commit(ctx context.Context, o agent.Object, s agent.Snapshot) (domain.LocalImage, error) {
	made, err := e.Committed(ctx, s.Image)
	if err == nil || !domain.IsKind(err, domain.NotFound) {
		return made, err
	}
	_, err = e.api.ContainerCommit(ctx, o.EngineID, client.ContainerCommitOptions{
		Reference: domain.OwnReference(s.Image), Comment: "committed from " + memberName(o.Container),
		Config: &container.Config{Labels: map[string]string{
			domain.LabelDeployment: e.options.Deployment, domain.LabelImage: s.Image, domain.LabelContainer: string(o.Container),
			labelPorts: "", // what the member exposed is not exposed by every container of its image
		}},
	})
	if err != nil {
		return domain.LocalImage{}, stateFault(err)
	}
	return e.Committed(ctx, s.Image)
}

// Committed implements agent.Committer. An image that somebody else tagged so is none
// of ours.
func (e *Engine) Committed(ctx context.Context, id string) (domain.LocalImage, error) {
	image, err := e.api.ImageInspect(ctx, domain.OwnReference(id))
	if err != nil {
		return domain.LocalImage{}, fault(err)
	}
	if image.Config == nil || image.Config.Labels[domain.LabelImage] != id || image.Config.Labels[domain.LabelDeployment] != e.options.Deployment {
		return domain.LocalImage{}, domain.WrapFault(fmt.Errorf("image %s lacks our labels", image.ID),
			domain.NotFound, "image-not-found", "Image %s could not be found.", id)
	}
	return domain.LocalImage{ID: image.ID, Size: image.Size}, nil
}
