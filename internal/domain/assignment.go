package domain

import "time"

// Assignment is everything a host needs to make one container true: control sends
// it whole, and the agent asks nobody for more.
type Assignment struct {
	Container   ContainerID
	ProjectID   string
	Revision    int64
	Generation  int64
	EverCreated bool
	Want        Want
	Op          *Op // the action under way, nil when settled
	Spec        Spec
	Nics        []Nic
	Volumes     []Volume
	// CPUSet are the CPUs that are dedicated to the container; empty: it shares.
	CPUSet CPUSet
	Secret *PullSecret
	// ImageKeys are PEM public keys of which one must have signed the image; empty: none.
	ImageKeys []string
	// Requires are words for abilities the agent must know; one that it does not
	// know makes it refuse, so that an older agent never half-obeys.
	Requires []string
}

// The words of Assignment.Requires.
const (
	AbilityMounts     = "mounts"           // injects files
	AbilityVolumes    = "volumes"          // makes volumes of a size
	AbilityGroups     = "security-groups"  // enforces security groups
	AbilitySignatures = "image-signatures" // verifies that images are signed
	AbilityCPUs       = "dedicated-cpus"   // keeps CPUs for one container alone
)

// Op is an action as the host sees it.
type Op struct {
	ActionID   int64
	Epoch      int64
	Verb       Verb
	Args       ActionArgs
	Begun      bool // a former agent run already committed to the effect
	AcceptedAt time.Time
	RequestID  string
}

// PullSecret is the credential of one image pull. It lives in the agent's memory only.
type PullSecret struct {
	Domain   string
	Username string
	Password string
}

// ReportPhase says what a Report tells.
type ReportPhase string

// The phases. Observed carries no action: the engine changed by itself.
const (
	PhaseProgress ReportPhase = "progress" // a step began or bytes arrived; renews the silence bound
	PhaseBegun    ReportPhase = "begun"    // about to have an effect that must not be repeated
	PhaseDone     ReportPhase = "done"
	PhaseFailed   ReportPhase = "failed"
	PhaseRefused  ReportPhase = "refused"  // nothing ran; control may place it elsewhere
	PhaseReleased ReportPhase = "released" // a delete: the host holds nothing of it any more
	PhaseObserved ReportPhase = "observed"
	PhaseMissing  ReportPhase = "missing" // was created once and the engine does not know it any more
)

// Report is what a host tells of one container. Control ignores a report whose
// generation or epoch is not the present one.
type Report struct {
	Container  ContainerID
	Generation int64
	ActionID   int64
	Epoch      int64
	Phase      ReportPhase
	TaskState  TaskState
	Message    string // the user's reason on failure; progress text otherwise
	EventName  string // non-empty: the step to record
	// Seen is the container as it is now. With a failed rebuild it is the former
	// generation, if that still stands.
	Seen *Observation
	// Image is what a commit made.
	Image *LocalImage
	At    time.Time
}

// Observation is what the engine says of one container now.
type Observation struct {
	Status     Status
	Detail     string // "Up 4 seconds"
	Reason     string
	EngineID   string
	Hostname   string
	Command    []string
	Entrypoint []string
	Ports      []int
	ExitCode   *int
	Health     string // "starting", "healthy", "unhealthy"; empty: there is no check
	Restarts   int
	StartedAt  time.Time
	FinishedAt time.Time
	// NicsPlugged are the port ids plugged in the present sandbox.
	NicsPlugged []string
}

// Beat is an agent's sign of life.
type Beat struct {
	HostID       string
	BootID       string
	Sequence     int64
	RevisionSeen int64
	Inventory    Inventory
	Orphans      []string // labelled objects of other deployments or unknown uuids
}

// BeatAnswer tells the agent when to beat again and what it should know by then.
type BeatAnswer struct {
	NextIn   time.Duration
	Revision int64
	Drain    bool
}
