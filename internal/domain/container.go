package domain

import "time"

// ContainerID is the uuid by which the API, the engine's labels and every
// external resource know a container.
type ContainerID string

// ContainerKind tells plain containers from capsules and their members.
type ContainerKind uint8

// The kinds, numbered as the original's tables number them.
const (
	KindContainer ContainerKind = iota
	KindCapsule
	KindMember
	KindInit
)

// Container is one row of intent and what is known of its truth.
type Container struct {
	ID        ContainerID
	Kind      ContainerKind
	CapsuleID ContainerID // parent capsule of a member, else empty
	ProjectID string
	UserID    string

	Spec Spec

	Status       Status
	FormerStatus Status // what Status was before the host went silent
	StatusReason string
	StatusDetail string
	TaskState    TaskState

	HostID   string // uuid of the host; empty until placed
	HostName string

	// Generation counts engine objects made for this container: a rebuild begins
	// a new one. EverCreated is set once a host reported this generation created,
	// so that a missing object afterwards means lost, not yet-to-be-made.
	Generation  int64
	EverCreated bool
	// Revision is the host's revision at which this assignment last changed.
	Revision int64
	Want     Want
	// Nics are the plugged or to-be-plugged interfaces, in order; the first is primary.
	Nics []Nic
	// Resolved are the networks named by the request, chosen at create time.
	Resolved []NetChoice
	// Volumes are what the volume service prepared for the mounts of Spec.
	Volumes []Volume
	// CPUSet are the CPUs that are dedicated to it, which it has as long as it has a host.
	CPUSet CPUSet

	EngineID  string
	Hostname  string // as it is inside; Spec.Hostname is what was asked
	Ports     []int  // exposed by image or spec
	ExitCode  *int
	Health    string
	Restarts  int
	StartedAt time.Time

	CreatedAt time.Time
	UpdatedAt time.Time // zero until the first change
}

// Want is the settled state the host keeps true between actions.
type Want struct {
	Absent  bool
	Running bool
	Paused  bool
}

// Spec is what the user asked for, names resolved and defaults applied. It does
// not change with status; rebuild and update replace parts of it.
type Spec struct {
	Name            string
	Image           string
	OwnImage        string // uuid of the project's own image that Image names; empty: it comes from a registry
	ImageDriver     string
	PullPolicy      PullPolicy
	PullPolicyAsked string // as typed; shown back to admins
	RegistryID      string
	Command         []string // nil: the image's
	Entrypoint      []string // nil: the image's
	Environment     map[string]string
	Labels          map[string]string
	Annotations     map[string]string
	Workdir         string
	Hostname        string
	CPU             float64 // CPUs
	CPUPolicy       string  // CPUShared or CPUDedicated
	MemoryMB        int64
	DiskGB          int64
	Restart         RestartPolicy
	AutoRemove      bool
	AutoHeal        bool
	Interactive     bool
	TTY             bool
	Privileged      bool
	Runtime         string
	Healthcheck     *Healthcheck
	ExposedPorts    []string // "80/tcp"
	SecurityGroups  []string // ids
	Mounts          []MountRequest
	Nets            []NetRequest
	Hints           map[string]string
	Zone            string
	RequestedHost   string
}

// RestartPolicy says what the host does when the process ends by itself.
type RestartPolicy struct {
	Name       string // "", "no", "always", "on-failure", "unless-stopped"
	MaxRetries int    // 0: no bound
}

// Healthcheck is a command run inside the container at intervals. Times are seconds.
type Healthcheck struct {
	Test     string
	Interval int
	Timeout  int
	Retries  int
}

// MountRequest asks for a volume (existing or of a size) or an injected file.
type MountRequest struct {
	Type        string // "volume" or "bind"
	Source      string // volume name or uuid; for bind the base64 of the content
	Destination string
	SizeGB      int64
}

// Engine identifiers shared by control and agent: what marks an engine object as ours.
const (
	LabelDeployment = "zun.deployment"
	LabelContainer  = "zun.container"
	LabelGeneration = "zun.generation"
	LabelRole       = "zun.role"  // "member" or "sandbox"
	LabelImage      = "zun.image" // uuid of an image that was committed
)
