package api

// Image is an administrator's record of an image pulled to one host.
type Image struct {
	UUID      string  `json:"uuid"`
	Links     []Link  `json:"links"`
	ImageID   *string `json:"image_id"`
	ProjectID string  `json:"project_id"`
	Repo      string  `json:"repo"`
	Tag       string  `json:"tag"`
	Size      *string `json:"size"`
	Host      string  `json:"host"`
	// Progress of a pull under way; only from a service with extensions.
	Progress *PullProgress `json:"progress,omitempty"`
}

// PullProgress is how much of an image has come, in bytes. The total grows while the
// registry tells of more layers.
type PullProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// ImageList is a page of images.
type ImageList struct {
	Images []Image `json:"images"`
	Next   *string `json:"next"`
}

// ImagePull is the body of POST /v1/images. Host is a compute node's name or uuid.
type ImagePull struct {
	Repo            string `json:"repo"`
	Host            string `json:"host"`
	Tag             string `json:"tag,omitempty"`
	ImageID         string `json:"image_id,omitempty"`
	Size            string `json:"size,omitempty"`
	ImagePullPolicy string `json:"image_pull_policy,omitempty"`
}

// FoundImage is one result of an image search in a registry.
type FoundImage struct {
	Name        string             `json:"name"`
	Description string             `json:"description"`
	IsAutomated bool               `json:"is_automated"`
	Metadata    FoundImageMetadata `json:"metadata"`
}

// FoundImageMetadata is what the registry says of a found image.
type FoundImageMetadata struct {
	IsOfficial bool `json:"is_official"`
	StarCount  int  `json:"star_count"`
}

// Service is the record of an agent.
type Service struct {
	ID               int64   `json:"id"`
	Host             string  `json:"host"`
	Binary           string  `json:"binary"`
	State            string  `json:"state"` // "up" or "down"
	Disabled         bool    `json:"disabled"`
	DisabledReason   *string `json:"disabled_reason"`
	ForcedDown       bool    `json:"forced_down"`
	ReportCount      int64   `json:"report_count"`
	AvailabilityZone string  `json:"availability_zone"`
	LastSeenUp       *string `json:"last_seen_up"`
	CreatedAt        *string `json:"created_at"`
	UpdatedAt        *string `json:"updated_at"`
}

// ServiceList answers GET /v1/services.
type ServiceList struct {
	Services []Service `json:"services"`
}

// ServiceSwitch answers enable, disable and force_down: only the members the verb
// speaks of are sent.
type ServiceSwitch struct {
	Service ServiceState `json:"service"`
}

// ServiceState is what a switch left behind.
type ServiceState struct {
	Host           string           `json:"host"`
	Binary         string           `json:"binary"`
	Disabled       *bool            `json:"disabled,omitempty"`
	DisabledReason Optional[string] `json:"disabled_reason,omitzero"`
	ForcedDown     *bool            `json:"forced_down,omitempty"`
}

// Host is a compute node. Memory is megabytes, disk gigabytes.
type Host struct {
	UUID               string            `json:"uuid"`
	Links              []Link            `json:"links"`
	Hostname           string            `json:"hostname"`
	MemTotal           int64             `json:"mem_total"`
	MemUsed            int64             `json:"mem_used"`
	TotalContainers    int64             `json:"total_containers"`
	CPUs               int               `json:"cpus"`
	CPUUsed            float64           `json:"cpu_used"`
	Architecture       *string           `json:"architecture"`
	OSType             *string           `json:"os_type"`
	OS                 *string           `json:"os"`
	KernelVersion      *string           `json:"kernel_version"`
	Labels             map[string]string `json:"labels"`
	DiskTotal          int64             `json:"disk_total"`
	DiskUsed           int64             `json:"disk_used"`
	DiskQuotaSupported bool              `json:"disk_quota_supported"`
	Runtimes           []string          `json:"runtimes"`
	EnableCPUPinning   bool              `json:"enable_cpu_pinning"`
}

// HostList is a page of hosts.
type HostList struct {
	Hosts []Host  `json:"hosts"`
	Next  *string `json:"next"`
}

// Zone is an availability zone.
type Zone struct {
	AvailabilityZone string `json:"availability_zone"`
}

// ZoneList is a page of availability zones.
type ZoneList struct {
	Zones []Zone  `json:"availability_zones"`
	Next  *string `json:"next"`
}

// Admission says that a host or a console door was let in, and whether its certificates
// are good still.
type Admission struct {
	Role      string  `json:"role"` // host or door
	Name      string  `json:"name"`
	UUID      string  `json:"uuid"`
	Epoch     int64   `json:"epoch"` // of the certificates that are good
	Since     *string `json:"since"` // when it joined last
	Revoked   bool    `json:"revoked"`
	RevokedAt *string `json:"revoked_at"`
}

// AdmissionList answers GET /v1/admissions, an extension.
type AdmissionList struct {
	Admissions []Admission `json:"admissions"`
}

// Network is an engine's network made for a network of the cloud.
type Network struct {
	UUID         string `json:"uuid"`
	Name         string `json:"name"`
	ProjectID    string `json:"project_id"`
	UserID       string `json:"user_id"`
	NetworkID    string `json:"network_id"`
	NeutronNetID string `json:"neutron_net_id"`
}

// NetworkList answers GET /v1/networks, an extension.
type NetworkList struct {
	Networks []Network `json:"networks"`
}

// Quota holds the limits of a project or a class; minus one is unlimited. Memory is
// megabytes, disk gigabytes.
type Quota struct {
	Containers int64 `json:"containers"`
	Memory     int64 `json:"memory"`
	Disk       int64 `json:"disk"`
	CPU        int64 `json:"cpu"`
}

// QuotaUpdate is the body of PUT on quotas and quota classes; nil is left alone.
type QuotaUpdate struct {
	Containers *int64 `json:"containers,omitempty"`
	Memory     *int64 `json:"memory,omitempty"`
	Disk       *int64 `json:"disk,omitempty"`
	CPU        *int64 `json:"cpu,omitempty"`
}

// QuotaUsage holds limits and what is used of them.
type QuotaUsage struct {
	Containers Usage `json:"containers"`
	Memory     Usage `json:"memory"`
	Disk       Usage `json:"disk"`
	CPU        Usage `json:"cpu"`
}

// Usage is one resource's limit and use.
type Usage struct {
	Limit int64   `json:"limit"`
	InUse float64 `json:"in_use"`
}

// Registry is a project's source of images. The password is never shown: it is
// always "***".
type Registry struct {
	UUID      string  `json:"uuid"`
	Links     []Link  `json:"links,omitempty"`
	Name      *string `json:"name"`
	ProjectID string  `json:"project_id"`
	UserID    string  `json:"user_id"`
	Domain    string  `json:"domain"`
	Username  *string `json:"username"`
	Password  string  `json:"password"`
}

// RegistryItem wraps one registry.
type RegistryItem struct {
	Registry Registry `json:"registry"`
}

// RegistryList is a page of registries.
type RegistryList struct {
	Registries []Registry `json:"registries"`
	Next       *string    `json:"next"`
}

// RegistryWrite wraps the body of POST and PATCH on registries.
type RegistryWrite struct {
	Registry RegistryFields `json:"registry"`
}

// RegistryFields are what a caller may set of a registry; nil is left alone.
type RegistryFields struct {
	Domain   *string `json:"domain,omitempty"`
	Name     *string `json:"name,omitempty"`
	Username *string `json:"username,omitempty"`
	Password *string `json:"password,omitempty"`
}
