package loops

import (
	"context"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// discardAgain is the pause after a host did not let an image go, times the tries so far.
const discardAgain = 2 * time.Second

// discard takes an image off its host, and then its row away, in this order, so that a
// crash in between is found by the row. As long as the host does not answer it is tried
// again; a host that left the fleet took the image along. A pulled one that came into
// use meanwhile stays on the host; a committed one has no other way to go later.
func (l *Loops) discard(ctx context.Context, image domain.Image) error {
	host, err := l.hostOf(ctx, image)
	if err == nil {
		bound, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		err = l.nodes.Calls(host).Images().Remove(bound, image.Reference())
	}
	switch {
	case domain.IsKind(err, domain.Conflict) && image.Source == "":
		l.log.WarnContext(ctx, "image stays on its host, where it is in use", "image", image.Reference(), "host", image.HostName)
	case err != nil && !domain.IsKind(err, domain.NotFound):
		l.log.InfoContext(ctx, "image leaves its host later", "image", image.Reference(), "host", image.HostName, "error", err.Error())
		return ignoreMissing(l.leaseFor(ctx, &image, min(discardAgain*time.Duration(image.Attempts), time.Minute)))
	}
	return failpoint.Around(failpoint.ImageDrop, func() error {
		return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error { return t.Images().Delete(ctx, image.ID) })
	})
}

// leaseFor makes the lease of image end after d.
func (l *Loops) leaseFor(ctx context.Context, image *domain.Image, d time.Duration) error {
	return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		now, err := t.Now(ctx)
		if err != nil {
			return err
		}
		image.LeaseUntil = now.Add(d)
		return t.Images().Update(ctx, *image)
	})
}
