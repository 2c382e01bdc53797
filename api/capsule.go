package api

import "encoding/json"

// Capsule is a group of containers that share a network, as shown from 1.32 on.
type Capsule struct {
	Containers     []Container          `json:"containers"`
	InitContainers []Container          `json:"init_containers"`
	UUID           string               `json:"uuid"`
	Links          []Link               `json:"links,omitempty"`
	Name           string               `json:"name"`
	ProjectID      string               `json:"project_id"`
	UserID         string               `json:"user_id"`
	CPU            float64              `json:"cpu"`
	Memory         string               `json:"memory"`
	Status         string               `json:"status"`
	StatusReason   *string              `json:"status_reason"`
	Labels         map[string]string    `json:"labels"`
	Addresses      map[string][]Address `json:"addresses"`
	Host           Optional[string]     `json:"host,omitzero"`
	RestartPolicy  *RestartPolicy       `json:"restart_policy"`
	Annotations    map[string]string    `json:"annotations"`
	CreatedAt      string               `json:"created_at"`
	UpdatedAt      *string              `json:"updated_at"`
}

// UnmarshalJSON reads both forms of a capsule, that of 1.32 and the one before it.
func (c *Capsule) UnmarshalJSON(text []byte) error {
	type plain Capsule // without this method
	var form struct {
		MetaName *string `json:"meta_name"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return err
	}
	if form.MetaName == nil {
		return json.Unmarshal(text, (*plain)(c))
	}
	var old LegacyCapsule
	if err := json.Unmarshal(text, &old); err != nil {
		return err
	}
	*c = old.current()
	return nil
}

// current is the capsule in the form of 1.32. The count of retries was not shown before.
func (l LegacyCapsule) current() Capsule {
	c := Capsule{
		Containers: l.Containers, InitContainers: l.InitContainers, UUID: l.UUID, Links: l.Links, Name: l.MetaName,
		ProjectID: l.ProjectID, UserID: l.UserID, CPU: l.CPU, Memory: l.Memory, Status: l.Status, StatusReason: l.StatusReason,
		Labels: l.MetaLabels, Addresses: l.Addresses, Host: l.Host, Annotations: l.Annotations, CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt,
	}
	if l.RestartPolicy != "" {
		c.RestartPolicy = &RestartPolicy{Name: l.RestartPolicy}
	}
	return c
}

// LegacyCapsule is a capsule as shown up to 1.31.
type LegacyCapsule struct {
	UUID               string               `json:"uuid"`
	Links              []Link               `json:"links,omitempty"`
	MetaName           string               `json:"meta_name"`
	UserID             string               `json:"user_id"`
	ProjectID          string               `json:"project_id"`
	Status             string               `json:"status"`
	StatusReason       *string              `json:"status_reason"`
	RestartPolicy      string               `json:"restart_policy,omitempty"`
	MetaLabels         map[string]string    `json:"meta_labels"`
	Annotations        map[string]string    `json:"annotations"`
	CPU                float64              `json:"cpu"`
	Memory             string               `json:"memory"`
	Addresses          map[string][]Address `json:"addresses"`
	Containers         []Container          `json:"containers"`
	InitContainers     []Container          `json:"init_containers"`
	CreatedAt          string               `json:"created_at"`
	UpdatedAt          *string              `json:"updated_at"`
	VolumesInfo        map[string]any       `json:"volumes_info"`
	ContainersUUIDs    []string             `json:"containers_uuids"`
	InitContainersUUID []string             `json:"init_containers_uuids"`
	CapsuleVersion     string               `json:"capsule_version"`
	Host               Optional[string]     `json:"host,omitzero"`
}

// CapsuleCreate is the body of POST /v1/capsules: the template as an object, or as
// a string that holds its JSON.
type CapsuleCreate struct {
	Template any `json:"template"`
}

// CapsuleList is a page of capsules.
type CapsuleList struct {
	Capsules []Capsule `json:"capsules"`
	Next     *string   `json:"next"`
}
