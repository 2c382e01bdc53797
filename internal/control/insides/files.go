package insides

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// GetArchive streams path out of a container as tar.
func (i *Insides) GetArchive(ctx context.Context, actor domain.Actor, ref control.Ref, path string, sink control.ByteSink) (domain.PathStat, error) {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbGetArchive)
	if err != nil {
		return domain.PathStat{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().StreamTimeout)
	defer cancel()
	stat, err := calls.Archives().Get(ctx, row.ID, path, sink)
	return stat, answered(ctx, row, pathFault(err))
}

// PutArchive unpacks a tar stream under path. It is never sent twice.
func (i *Insides) PutArchive(ctx context.Context, actor domain.Actor, ref control.Ref, path string, source control.ByteSource) error {
	row, calls, err := i.reach(ctx, actor, ref, domain.VerbPutArchive)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, i.control.Options().StreamTimeout)
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
