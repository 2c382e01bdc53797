// Package local is the cloud half of the volumes that hosts make on their own disks:
// for each mount of a size one volume that belongs to the container, is kept as long as
// the container is, and goes with it. Nothing outside the database knows of them but the
// host, so preparing them is naming them.
package local

import (
	"context"
	"crypto/sha256"
	"strconv"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/domain"
)

// Volumes implements control.Volumes.
type Volumes struct{ maxGB int64 }

// New returns volumes of at most maxGB each.
func New(maxGB int64) *Volumes { return &Volumes{maxGB: maxGB} }

// Resolve refuses volumes that exist elsewhere, since there are none, and sizes that
// mean nothing.
func (v *Volumes) Resolve(_ context.Context, _ domain.Actor, mounts []domain.MountRequest) error {
	for _, m := range mounts {
		switch {
		case m.Type == domain.MountBind:
		case m.Source != "":
			return domain.NewFault(domain.NotFound, "volume-not-found", "Volume %s could not be found.", m.Source)
		case m.SizeGB < 1 || m.SizeGB > v.maxGB:
			return domain.NewFault(domain.Invalid, "volume-create-failed", "A volume of %d GB cannot be made: 1 to %d GB can.", m.SizeGB, v.maxGB)
		}
	}
	return nil
}

// Prepare names the volumes of c. A volume's uuid follows from the container's and the
// place of its mount, so that a repetition names the same.
func (v *Volumes) Prepare(_ context.Context, c domain.Container, _ string) ([]domain.Volume, error) {
	var volumes []domain.Volume
	for i, m := range c.Spec.Mounts {
		if m.Type == domain.MountBind || m.Source != "" {
			continue
		}
		sum := sha256.Sum256([]byte("volume\x00" + string(c.ID) + "\x00" + strconv.Itoa(i)))
		volumes = append(volumes, domain.Volume{
			ID: uuid.NewHash(sha256.New(), uuid.Nil, sum[:], 8).String(), Provider: domain.ProviderLocal,
			SizeGB: m.SizeGB, Destination: m.Destination,
		})
	}
	return volumes, nil
}

// Release has nothing to give back: the host destroyed what it had made.
func (v *Volumes) Release(context.Context, domain.ContainerID, []domain.Volume) error { return nil }
