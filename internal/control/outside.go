package control

import (
	"context"

	"github.com/go-zun/zun/internal/domain"
)

// Networking is the network service as control needs it: Neutron, or the built-in
// local networks. Every call may be repeated.
type Networking interface {
	// Resolve turns the request's nets into choices with the actor's own rights, in
	// order; an empty request chooses the project's default network. Faults:
	// NotFound, Conflict (ambiguous, none available), Invalid, Forbidden.
	Resolve(ctx context.Context, actor domain.Actor, nets []domain.NetRequest) ([]domain.NetChoice, error)
	// Prepare makes (or finds, by the container's id) one port per choice, bound to
	// host, and returns complete nics in the same order. A full pool is a Conflict.
	Prepare(ctx context.Context, c domain.Container, hostName string) ([]domain.Nic, error)
	// Release deletes the ports made for c and unbinds the user's own; a missing port is no
	// error. A nic without a port stands for the one made on its network; no nics at all
	// for everything that was made for c or bound to it.
	Release(ctx context.Context, id domain.ContainerID, nics []domain.Nic) error
	// Leftovers returns ids of containers that own ports although known(id) is false.
	Leftovers(ctx context.Context, known func(domain.ContainerID) bool) ([]domain.ContainerID, error)
}

// Volumes is the volume service as control needs it: Cinder, or the hosts' own disks.
// Every call may be repeated.
type Volumes interface {
	// Resolve judges the mounts of type volume with the actor's own rights. Faults:
	// NotFound ("volume-not-found"), Conflict (ambiguous), Invalid.
	Resolve(ctx context.Context, actor domain.Actor, mounts []domain.MountRequest) error
	// Prepare makes (or finds, by the container's id) what the mounts of c ask for,
	// ready for host, in their order.
	Prepare(ctx context.Context, c domain.Container, hostName string) ([]domain.Volume, error)
	// Release gives back what the host has let go of; a missing volume is no error.
	Release(ctx context.Context, id domain.ContainerID, volumes []domain.Volume) error
}

// NetworkBook is the optional capability of a Networking that owns its networks.
// Faults: NotFound ("network-not-found"), Conflict for a name twice or a network in use.
type NetworkBook interface {
	CreateNetwork(ctx context.Context, actor domain.Actor, name string) (domain.LocalNetwork, error)
	// Networks returns those of the actor's project, or of all, oldest first.
	Networks(ctx context.Context, actor domain.Actor, allProjects bool) ([]domain.LocalNetwork, error)
	Network(ctx context.Context, actor domain.Actor, id string) (domain.LocalNetwork, error)
	DeleteNetwork(ctx context.Context, actor domain.Actor, id string) error
}

// Groups are the security groups of the network service. Networking.Prepare gives a
// container's nics the rules of the groups that its Spec names. Every call may be repeated.
type Groups interface {
	// Find resolves names or ids to ids with the actor's own rights, in order and each
	// once. Faults: Invalid ("Security group X not found."), Conflict (ambiguous).
	Find(ctx context.Context, actor domain.Actor, idents []string) ([]string, error)
	// Default is the id of the project's group for ports that name none.
	Default(ctx context.Context, projectID string) (string, error)
	// Rules returns what Prepare puts into the nics of c: groups and all their rules.
	Rules(ctx context.Context, c domain.Container) (groups []string, rules []domain.GroupRule, err error)
	// Edition differs from what it was whenever a rule of any group may have changed.
	Edition(ctx context.Context) (string, error)
}

// Secrets seals what must not lie open in the database.
type Secrets interface {
	Seal(plain []byte) ([]byte, error)
	// Open is an Internal fault when the key does not fit.
	Open(sealed []byte) ([]byte, error)
}
