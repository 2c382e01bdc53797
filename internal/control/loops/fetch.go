package loops

import (
	"context"
	"strconv"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

const (
	pullLease = time.Minute     // longer than the silence between two signs of a pull
	pullSign  = 2 * time.Second // how often a pull that goes on tells how far it is
	pullTries = 3               // of a pull whose host does not answer
)

// Fetch pulls the images that administrators asked for, and takes off their hosts those
// that were deleted while the host did not answer, one a step. A pull that
// fails leaves no record behind, so that the same may be asked again; the reason is
// in the log.
func (l *Loops) Fetch(ctx context.Context) (int, error) {
	var images []domain.Image
	err := l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) (err error) {
		images, err = t.Images().Lease(ctx, leaseTime, 1) // who dies right after holds nothing up for longer
		return err
	})
	if err != nil {
		return 0, wrap("lease images", err)
	}
	for _, image := range images {
		do := l.fetch
		if image.Task == domain.ImageDelete {
			do = l.discard
		}
		if err := do(ctx, image); err != nil {
			return 0, wrap(string(image.Task)+" "+image.Reference(), err)
		}
	}
	return len(images), nil
}

func (l *Loops) fetch(ctx context.Context, image domain.Image) error {
	bound, cancel := context.WithTimeout(ctx, l.control.Options().ActionTotal)
	defer cancel()
	host, err := l.hostOf(ctx, image)
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		return err // of the database, and so no reason to give the pull up
	}
	if err := l.leaseFor(ctx, &image, pullLease); err != nil {
		return ignoreMissing(err)
	}
	var pulled domain.LocalImage
	if err == nil {
		pulled, err = l.pull(bound, host, image)
	}
	if err == nil {
		image.ImageID, image.Size, image.LeaseUntil = pulled.ID, strconv.FormatInt(pulled.Size, 10), time.Time{}
		image.Task = ""
		return l.keepImage(ctx, image)
	}
	if ctx.Err() != nil {
		return nil // this process ends; another one takes the pull up when the lease is over
	}
	fault := domain.AsFault(err)
	again := fault.Kind == domain.Unavailable && fault.Code == "host-unavailable"
	if again && image.Attempts < pullTries {
		l.log.InfoContext(ctx, "host does not answer, pulling later", "image", image.Reference(), "host", image.HostName)
		return nil
	}
	l.log.WarnContext(ctx, "image not pulled", "image", image.Reference(), "host", image.HostName, "user", image.UserID, "reason", fault.Message)
	return l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
		now, err := t.Images().Get(ctx, image.ID)
		if err != nil || now.Attempts != image.Attempts {
			return ignoreMissing(err) // deleted, or another's by now
		}
		return t.Images().Delete(ctx, image.ID)
	})
}

func (l *Loops) hostOf(ctx context.Context, image domain.Image) (host domain.Host, err error) {
	err = l.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		host, err = tx.Hosts().Get(ctx, image.HostName)
		return err
	})
	return host, err
}

// pull has the host fetch the image and renews the lease as long as it goes on.
func (l *Loops) pull(ctx context.Context, host domain.Host, image domain.Image) (domain.LocalImage, error) {
	var secret *domain.PullSecret
	if standard := l.control.Options().DefaultRegistry; standard.Username != "" && domain.ImageDomain(image.Repo) == standard.Domain {
		secret = &standard
	}
	keys, err := l.control.JudgeImage(image.Reference())
	if err != nil {
		return domain.LocalImage{}, err
	}
	var told time.Time
	return l.nodes.Calls(host).Images().Pull(ctx, domain.ImageOrder{Reference: image.Reference(), ProjectID: image.ProjectID, Secret: secret, Keys: keys}, func(done, total int64) error {
		if time.Since(told) < pullSign {
			return nil
		}
		told = time.Now()
		err := l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error {
			now, err := t.Now(ctx)
			if err != nil {
				return err
			}
			image.LeaseUntil, image.DoneBytes, image.TotalBytes = now.Add(pullLease), done, total
			return t.Images().Update(ctx, image)
		})
		if err != nil && !domain.IsKind(err, domain.Invalid) {
			l.log.InfoContext(ctx, "not told how far a pull is, which goes on", "image", image.Reference(), "error", err.Error())
			return nil
		}
		return err // of a record that is gone: nobody wants the image any more
	})
}

// keepImage writes what was pulled. A record that is gone was deleted meanwhile.
func (l *Loops) keepImage(ctx context.Context, image domain.Image) error {
	err := l.control.Turn(ctx, func(ctx context.Context, t *control.Turn) error { return t.Images().Update(ctx, image) })
	return ignoreMissing(err)
}

// ignoreMissing takes out that an image's record is gone, which the store tells as
// Invalid.
func ignoreMissing(err error) error {
	if domain.IsKind(err, domain.Invalid) {
		return nil
	}
	return err
}
