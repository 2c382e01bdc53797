package view

import (
	"strconv"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// Capsule shows a capsule with its members as it is shown from 1.32 on. Group says
// who may see the group's guarded fields, member those of the containers.
func Capsule(b Base, c domain.Capsule, group, member Sees) api.Capsule {
	g := c.Group
	shown := api.Capsule{
		UUID: string(g.ID), Links: b.Links("capsules", string(g.ID)), Name: g.Spec.Name, UserID: g.UserID, ProjectID: g.ProjectID,
		Status: string(g.Status), StatusReason: text(g.StatusReason), RestartPolicy: restartPolicy(g.Spec.Restart),
		Labels: fullMap(g.Spec.Labels),
		CPU:    g.Spec.CPU, Memory: strconv.FormatInt(g.Spec.MemoryMB, 10), Addresses: addresses(g.Nics),
		Containers: members(c.Members, member), InitContainers: members(c.Inits, member),
		CreatedAt: spaced(g.CreatedAt), UpdatedAt: optionalTime(g.UpdatedAt, spaced),
	}
	if len(g.Spec.Annotations) > 0 { // none are null, unlike labels
		shown.Annotations = g.Spec.Annotations
	}
	if group(FieldHost) {
		shown.Host = api.Shown(text(g.HostName))
	}
	return shown
}

func members(rows []domain.Container, sees Sees) []api.Container {
	all := make([]api.Container, 0, len(rows))
	for _, row := range rows {
		all = append(all, Container(row, sees))
	}
	return all
}

// LegacyCapsule is the form of c up to 1.31.
func LegacyCapsule(c api.Capsule) api.LegacyCapsule {
	return api.LegacyCapsule{
		UUID: c.UUID, Links: c.Links, MetaName: c.Name, UserID: c.UserID, ProjectID: c.ProjectID, Status: c.Status, StatusReason: c.StatusReason,
		RestartPolicy: c.RestartPolicy.Name, MetaLabels: c.Labels, Annotations: c.Annotations, CPU: c.CPU, Memory: c.Memory, Addresses: c.Addresses,
		Containers: c.Containers, InitContainers: c.InitContainers, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Host: c.Host,
		VolumesInfo: map[string]any{}, ContainersUUIDs: []string{}, InitContainersUUID: []string{},
	}
}
