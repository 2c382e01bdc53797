package control

import (
	"context"
	"fmt"

	"github.com/go-zun/zun/internal/domain"
)

// Find looks up one row of kind for an actor: what looks like a uuid is compared
// literally, anything else is an exact name. Admins look across projects. Faults:
// NotFound, and Conflict where several have the name.
func Find(ctx context.Context, tx Tx, actor domain.Actor, ref Ref, kind domain.ContainerKind) (domain.Container, error) {
	scope := Scope{
		ProjectID: actor.ProjectID, AllProjects: actor.IsAdmin || ref.AllProjects,
		Kinds: []domain.ContainerKind{kind},
	}
	if looksLikeUUID(ref.Ident) {
		c, err := tx.Containers().Get(ctx, scope, domain.ContainerID(ref.Ident))
		if domain.IsKind(err, domain.NotFound) {
			return c, notFound(ref.Ident)
		}
		return c, err
	}
	found, err := tx.Containers().ByName(ctx, scope, ref.Ident)
	switch {
	case err != nil:
		return domain.Container{}, fmt.Errorf("look up container by name: %w", err)
	case len(found) == 0:
		return domain.Container{}, notFound(ref.Ident)
	case len(found) > 1:
		return domain.Container{}, domain.NewFault(domain.Conflict, "conflict",
			"Multiple containers exist with same name. Please use the container uuid instead.")
	}
	return found[0], nil
}

func notFound(ident string) error {
	return domain.NewFault(domain.NotFound, "container-not-found", "Container %s could not be found.", ident)
}

// FindRegistry looks up one registry for an actor, by uuid or name. Faults: NotFound,
// and Conflict where several have the name.
func FindRegistry(ctx context.Context, tx Tx, actor domain.Actor, ident string) (domain.Registry, error) {
	scope := Scope{ProjectID: actor.ProjectID, AllProjects: actor.IsAdmin}
	found, err := tx.Registries().Find(ctx, scope, ident)
	switch {
	case err != nil:
		return domain.Registry{}, fmt.Errorf("look up registry: %w", err)
	case len(found) == 0:
		return domain.Registry{}, domain.NewFault(domain.NotFound, "registry-not-found", "Registry %s could not be found.", ident)
	case len(found) > 1:
		return domain.Registry{}, domain.NewFault(domain.Conflict, "conflict",
			"Multiple registries exist with same name. Please use the registry uuid instead.")
	}
	return found[0], nil
}

// looksLikeUUID says whether s is 32 hex digits, with or without dashes, in any case.
func looksLikeUUID(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case r == '-':
		case r >= '0' && r <= '9', r >= 'a' && r <= 'f', r >= 'A' && r <= 'F':
			digits++
		default:
			return false
		}
	}
	return digits == 32
}

// HostOf returns the host of c if it is up, and an Unavailable fault otherwise.
func HostOf(ctx context.Context, tx Tx, o Options, c domain.Container) (domain.Host, error) {
	if c.HostID == "" {
		return domain.Host{}, Uncreated()
	}
	host, up, err := LookAtHost(ctx, tx, o, c.HostID)
	if err != nil {
		return host, err
	}
	if !up {
		return host, domain.NewFault(domain.Unavailable, "container-host-not-up", "The host of container %s is not up.", c.ID)
	}
	return host, nil
}

// LookAtHost returns a host and whether it is up; one that left the fleet is not.
func LookAtHost(ctx context.Context, tx Tx, o Options, hostID string) (domain.Host, bool, error) {
	host, err := tx.Hosts().Get(ctx, hostID)
	if domain.IsKind(err, domain.NotFound) {
		return domain.Host{}, false, nil
	}
	if err != nil {
		return host, false, fmt.Errorf("read host %s: %w", hostID, err)
	}
	now, err := tx.Hosts().Now(ctx)
	if err != nil {
		return host, false, fmt.Errorf("read the database's clock: %w", err)
	}
	return host, host.Up(now, o.ServiceDownTime), nil
}

// Uncreated is the fault of what acts on a container that no host has made yet.
func Uncreated() error {
	return domain.NewFault(domain.Invalid, "invalid", "Cannot operate an uncreated container.")
}
