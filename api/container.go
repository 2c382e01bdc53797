package api

// Link points at a resource.
type Link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
	Type string `json:"type,omitempty"`
}

// Container is a container as the service shows it. Nil lists and maps are sent
// as null: so it is in the answer to create. Memory is megabytes in decimal digits,
// Disk gigabytes, CPU a number of CPUs. Times are UTC, "2006-01-02 15:04:05.000000".
// The members are in the order in which clients have always printed them.
type Container struct {
	UUID            string               `json:"uuid"`
	Links           []Link               `json:"links,omitempty"` // not in lists
	Name            string               `json:"name"`
	ProjectID       string               `json:"project_id"`
	UserID          string               `json:"user_id"`
	Image           string               `json:"image"`
	CPU             float64              `json:"cpu"`
	CPUPolicy       string               `json:"cpu_policy"`
	Memory          string               `json:"memory"`
	Command         []string             `json:"command"`
	Status          string               `json:"status"`
	StatusReason    *string              `json:"status_reason"`
	TaskState       *string              `json:"task_state"`
	Environment     map[string]string    `json:"environment"`
	Workdir         *string              `json:"workdir"`
	AutoRemove      bool                 `json:"auto_remove"`
	Ports           []int                `json:"ports"`
	Hostname        *string              `json:"hostname"`
	Labels          map[string]string    `json:"labels"`
	Addresses       map[string][]Address `json:"addresses"` // by network id
	ImagePullPolicy Optional[string]     `json:"image_pull_policy,omitzero"`
	Host            Optional[string]     `json:"host,omitzero"`
	RestartPolicy   *RestartPolicy       `json:"restart_policy"`
	StatusDetail    *string              `json:"status_detail"`
	Interactive     bool                 `json:"interactive"`
	TTY             bool                 `json:"tty"`
	ImageDriver     *string              `json:"image_driver"`
	SecurityGroups  []string             `json:"security_groups"`
	Runtime         Optional[string]     `json:"runtime,omitzero"`
	Disk            int64                `json:"disk"`
	AutoHeal        bool                 `json:"auto_heal"`
	Privileged      Optional[bool]       `json:"privileged,omitzero"`
	Healthcheck     *Healthcheck         `json:"healthcheck"`
	RegistryID      *string              `json:"registry_id"`
	Entrypoint      []string             `json:"entrypoint"`
	CreatedAt       string               `json:"created_at"`
	UpdatedAt       *string              `json:"updated_at"`
}

// Address is one address of a container on a network.
type Address struct {
	Addr             string `json:"addr"`
	Version          int    `json:"version"`
	Port             string `json:"port"`
	SubnetID         string `json:"subnet_id"`
	PreserveOnDelete bool   `json:"preserve_on_delete"`
}

// RestartPolicy says what happens when the process ends. The count is sent as a
// string of digits. The zero policy is sent as an empty object.
type RestartPolicy struct {
	Name              string `json:"Name,omitempty"`
	MaximumRetryCount string `json:"MaximumRetryCount,omitempty"`
}

// Healthcheck is a command run at intervals; times are seconds. The zero check is
// sent as an empty object.
type Healthcheck struct {
	Test     string `json:"test,omitempty"`
	Interval int    `json:"interval,omitempty"`
	Retries  int    `json:"retries,omitempty"`
	Timeout  int    `json:"timeout,omitempty"`
}

// ContainerList is a page of containers; Next is the address of the following page.
type ContainerList struct {
	Containers []Container `json:"containers"`
	Next       *string     `json:"next"`
}

// ContainerCreate is the body of POST /v1/containers. Command is a list of strings
// from 1.20 on, one string before.
type ContainerCreate struct {
	Image            string            `json:"image"`
	Name             string            `json:"name,omitempty"`
	Command          any               `json:"command,omitempty"`
	Entrypoint       []string          `json:"entrypoint,omitempty"`
	CPU              *float64          `json:"cpu,omitempty"`
	CPUPolicy        string            `json:"cpu_policy,omitempty"`
	Memory           string            `json:"memory,omitempty"`
	Disk             *int64            `json:"disk,omitempty"`
	Environment      map[string]string `json:"environment,omitempty"`
	Labels           map[string]string `json:"labels,omitempty"`
	Workdir          string            `json:"workdir,omitempty"`
	Hostname         string            `json:"hostname,omitempty"`
	Interactive      *bool             `json:"interactive,omitempty"`
	TTY              *bool             `json:"tty,omitempty"`
	ImageDriver      string            `json:"image_driver,omitempty"`
	ImagePullPolicy  string            `json:"image_pull_policy,omitempty"`
	RestartPolicy    *RestartPolicy    `json:"restart_policy,omitempty"`
	AutoRemove       *bool             `json:"auto_remove,omitempty"`
	AutoHeal         *bool             `json:"auto_heal,omitempty"`
	SecurityGroups   []string          `json:"security_groups,omitempty"`
	ExposedPorts     map[string]any    `json:"exposed_ports,omitempty"`
	Nets             []NetRequest      `json:"nets,omitempty"`
	Mounts           []MountRequest    `json:"mounts,omitempty"`
	Hints            map[string]any    `json:"hints,omitempty"`
	AvailabilityZone string            `json:"availability_zone,omitempty"`
	Host             string            `json:"host,omitempty"`
	Runtime          string            `json:"runtime,omitempty"`
	Privileged       *bool             `json:"privileged,omitempty"`
	Healthcheck      *HealthRequest    `json:"healthcheck,omitempty"`
	Registry         string            `json:"registry,omitempty"`
}

// NetRequest asks for an interface: a network or a port, by name or id.
type NetRequest struct {
	Network string `json:"network,omitempty"`
	Port    string `json:"port,omitempty"`
	FixedV4 string `json:"v4-fixed-ip,omitempty"`
	FixedV6 string `json:"v6-fixed-ip,omitempty"`
}

// MountRequest asks for a volume (by source or by size in gigabytes) or, with type
// bind, for a file whose content Source holds as base64.
type MountRequest struct {
	Type        string `json:"type,omitempty"`
	Source      string `json:"source,omitempty"`
	Destination string `json:"destination"`
	Size        string `json:"size,omitempty"`
}

// HealthRequest is a health check as create takes it; times are seconds.
type HealthRequest struct {
	Cmd      string `json:"cmd,omitempty"`
	Interval int    `json:"interval,omitempty"`
	Retries  int    `json:"retries,omitempty"`
	Timeout  int    `json:"timeout,omitempty"`
}

// ContainerUpdate is the body of PATCH; nil is left alone.
type ContainerUpdate struct {
	Name     *string  `json:"name,omitempty"`
	CPU      *float64 `json:"cpu,omitempty"`
	Memory   *string  `json:"memory,omitempty"`
	AutoHeal *bool    `json:"auto_heal,omitempty"`
}
