package view

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// Network shows a network of this service. Engine and cloud know it by the same id;
// userID is who asked for it, empty where nobody knows any more.
func Network(n domain.LocalNetwork, userID string) api.Network {
	return api.Network{UUID: n.ID, Name: n.Name, ProjectID: n.ProjectID, UserID: userID, NetworkID: n.ID, NeutronNetID: n.ID}
}
