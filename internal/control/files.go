package control

import (
	"context"

	"github.com/go-zun/zun/internal/domain"
)

// GetArchive streams path out of a container as tar.
func (c *Control) GetArchive(ctx context.Context, actor domain.Actor, ref Ref, path string, sink ByteSink) (domain.PathStat, error) {
	row, calls, err := c.reach(ctx, actor, ref, domain.VerbGetArchive)
	if err != nil {
		return domain.PathStat{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.StreamTimeout)
	defer cancel()
	stat, err := calls.Archives().Get(ctx, row.ID, path, sink)
	return stat, answered(ctx, row, pathFault(err))
}

// PutArchive unpacks a tar stream under path. It is never sent twice.
func (c *Control) PutArchive(ctx context.Context, actor domain.Actor, ref Ref, path string, source ByteSource) error {
	row, calls, err := c.reach(ctx, actor, ref, domain.VerbPutArchive)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.StreamTimeout)
	defer cancel()
	return answered(ctx, row, pathFault(calls.Archives().Put(ctx, row.ID, path, source)))
}

// pathFault makes of a path that is missing in the container what the contract
// answers: a bad parameter.
func pathFault(err error) error {
	if domain.IsKind(err, domain.NotFound) {
		return domain.WrapFault(err, domain.Invalid, "invalid", "%s", domain.AsFault(err).Message)
	}
	return err
}

// Commit queues the snapshot of a container and returns the uuid that its image
// will have.
func (c *Control) Commit(ctx context.Context, actor domain.Actor, ref Ref, repository, tag string) (string, error) {
	image, err := c.rand.UUID()
	if err != nil {
		return "", err
	}
	args := domain.ActionArgs{Repository: repository, Tag: tag, ImageID: image}
	_, err = c.act(ctx, actor, ref, domain.VerbCommit, args)
	return image, err
}
