package domain

import "time"

// Host is one compute node and the service record of its agent.
type Host struct {
	ID      string // uuid, the SAN of its certificate
	Name    string
	Binary  string // "zun-compute"
	Address string // where control dials the agent, "host:port"
	Zone    string

	Disabled       bool
	DisabledReason string
	ForcedDown     bool
	LastSeenUp     time.Time
	ReportCount    int64
	CreatedAt      time.Time
	UpdatedAt      time.Time

	BootID   string
	Revision int64 // newest assignment revision of this host

	Inventory Inventory
	Used      Claim
}

// Inventory is what a host offers, as its agent reports it.
type Inventory struct {
	CPUs          int
	MemoryMB      int64
	DiskGB        int64
	Architecture  string
	OSType        string
	OS            string
	Kernel        string
	Labels        map[string]string
	Runtimes      []string
	DiskQuota     bool
	CPUPinning    bool
	EngineName    string
	EngineVersion string
	EngineUp      bool
	EngineReason  string // why EngineUp is false
	VolumeLimit   string // how volumes made here are held to their size; empty: they cannot be
	VolumeReason  string // why VolumeLimit is empty
	// Devices are the PCI devices that may be passed through and are free.
	Devices []DevicePool
	// MemoryNodes have the CPUs that may be dedicated; none where CPUPinning is false.
	MemoryNodes []MemoryNode
}

// DevicePool is a number of PCI devices of one kind.
type DevicePool struct {
	VendorID, ProductID string
	PhysicalNetwork     string
	Count               int
}

// Claim is a share of a host's or a quota's resources.
type Claim struct {
	Containers int64
	CPU        float64
	MemoryMB   int64
	DiskGB     int64
}

// Up says whether the host's agent counts as alive at now: it beat within downAfter and
// no operator forced it down. One that joined and has not beaten yet is not up, because
// nobody knows whether its engine is. Liveness is never stored.
func (h Host) Up(now time.Time, downAfter time.Duration) bool {
	return !h.ForcedDown && !h.LastSeenUp.IsZero() && now.Sub(h.LastSeenUp) <= downAfter
}

// ClaimOf returns the resources a container of spec takes from host and quota. The
// volumes made for it lie on the same disk.
func ClaimOf(spec Spec) Claim {
	return Claim{Containers: 1, CPU: spec.CPU, MemoryMB: spec.MemoryMB, DiskGB: spec.DiskGB + VolumeGB(spec.Mounts)}
}
