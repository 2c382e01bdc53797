package wire

import (
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// FromReport puts r on the wire.
func FromReport(r domain.Report) *linkv1.Report {
	m := &linkv1.Report{
		Container: string(r.Container), Generation: r.Generation, ActionId: r.ActionID, Epoch: r.Epoch,
		Phase: string(r.Phase), TaskState: string(r.TaskState), Message: text(r.Message), EventName: r.EventName,
		At: fromTime(r.At),
	}
	if r.Seen != nil {
		m.Seen = FromObservation(*r.Seen)
	}
	if r.Image != nil {
		m.Image = FromLocalImage(*r.Image)
	}
	return m
}

// ToReport reads m.
func ToReport(m *linkv1.Report) domain.Report {
	r := domain.Report{
		Container: domain.ContainerID(m.GetContainer()), Generation: m.GetGeneration(),
		ActionID: m.GetActionId(), Epoch: m.GetEpoch(),
		Phase: domain.ReportPhase(m.GetPhase()), TaskState: domain.TaskState(m.GetTaskState()),
		Message: m.GetMessage(), EventName: m.GetEventName(), At: toTime(m.GetAt()),
	}
	if m.GetSeen() != nil {
		seen := ToObservation(m.GetSeen())
		r.Seen = &seen
	}
	if m.GetImage() != nil {
		image := ToLocalImage(m.GetImage())
		r.Image = &image
	}
	return r
}

// FromObservation puts o on the wire.
func FromObservation(o domain.Observation) *linkv1.Observation {
	return &linkv1.Observation{
		Status: string(o.Status), Detail: text(o.Detail), Reason: text(o.Reason),
		EngineId: o.EngineID, Hostname: o.Hostname,
		Command: fromWords(o.Command), Entrypoint: fromWords(o.Entrypoint),
		Ports:    each(o.Ports, func(p int) int64 { return int64(p) }),
		ExitCode: fromPointer[int, int64](o.ExitCode), Health: o.Health, Restarts: int64(o.Restarts),
		StartedAt: fromTime(o.StartedAt), FinishedAt: fromTime(o.FinishedAt), NicsPlugged: o.NicsPlugged,
	}
}

// ToObservation reads m.
func ToObservation(m *linkv1.Observation) domain.Observation {
	if m == nil {
		return domain.Observation{}
	}
	return domain.Observation{
		Status: domain.Status(m.GetStatus()), Detail: m.GetDetail(), Reason: m.GetReason(),
		EngineID: m.GetEngineId(), Hostname: m.GetHostname(),
		Command: toWords(m.GetCommand()), Entrypoint: toWords(m.GetEntrypoint()),
		Ports:    each(m.GetPorts(), func(p int64) int { return int(p) }),
		ExitCode: fromPointer[int64, int](m.ExitCode), Health: m.GetHealth(), Restarts: int(m.GetRestarts()),
		StartedAt: toTime(m.GetStartedAt()), FinishedAt: toTime(m.GetFinishedAt()), NicsPlugged: m.GetNicsPlugged(),
	}
}

// FromBeat puts b on the wire.
func FromBeat(b domain.Beat) *linkv1.Beat {
	return &linkv1.Beat{
		HostId: b.HostID, BootId: b.BootID, Sequence: b.Sequence, RevisionSeen: b.RevisionSeen,
		Inventory: fromInventory(b.Inventory), Orphans: texts(b.Orphans),
	}
}

// ToBeat reads m.
func ToBeat(m *linkv1.Beat) domain.Beat {
	return domain.Beat{
		HostID: m.GetHostId(), BootID: m.GetBootId(), Sequence: m.GetSequence(), RevisionSeen: m.GetRevisionSeen(),
		Inventory: toInventory(m.GetInventory()), Orphans: m.GetOrphans(),
	}
}

func fromInventory(i domain.Inventory) *linkv1.Inventory {
	return &linkv1.Inventory{
		Cpus: int64(i.CPUs), MemoryMb: i.MemoryMB, DiskGb: i.DiskGB,
		Architecture: i.Architecture, OsType: i.OSType, Os: text(i.OS), Kernel: text(i.Kernel),
		Labels: i.Labels, Runtimes: i.Runtimes, DiskQuota: i.DiskQuota, CpuPinning: i.CPUPinning,
		EngineName: i.EngineName, EngineVersion: i.EngineVersion,
		EngineUp: i.EngineUp, EngineReason: text(i.EngineReason),
		VolumeLimit: i.VolumeLimit, VolumeReason: text(i.VolumeReason), Devices: each(i.Devices, fromDevices),
		MemoryNodes: each(i.MemoryNodes, fromMemoryNode),
	}
}

func toInventory(m *linkv1.Inventory) domain.Inventory {
	return domain.Inventory{
		CPUs: int(m.GetCpus()), MemoryMB: m.GetMemoryMb(), DiskGB: m.GetDiskGb(),
		Architecture: m.GetArchitecture(), OSType: m.GetOsType(), OS: m.GetOs(), Kernel: m.GetKernel(),
		Labels: m.GetLabels(), Runtimes: m.GetRuntimes(), DiskQuota: m.GetDiskQuota(), CPUPinning: m.GetCpuPinning(),
		EngineName: m.GetEngineName(), EngineVersion: m.GetEngineVersion(),
		EngineUp: m.GetEngineUp(), EngineReason: m.GetEngineReason(),
		VolumeLimit: m.GetVolumeLimit(), VolumeReason: m.GetVolumeReason(), Devices: each(m.GetDevices(), toDevices),
		MemoryNodes: each(m.GetMemoryNodes(), toMemoryNode),
	}
}

func fromDevices(p domain.DevicePool) *linkv1.DevicePool {
	return &linkv1.DevicePool{VendorId: p.VendorID, ProductId: p.ProductID, PhysicalNetwork: p.PhysicalNetwork, Count: int64(p.Count)}
}

func toDevices(m *linkv1.DevicePool) domain.DevicePool {
	return domain.DevicePool{VendorID: m.GetVendorId(), ProductID: m.GetProductId(), PhysicalNetwork: m.GetPhysicalNetwork(), Count: int(m.GetCount())}
}

func fromMemoryNode(n domain.MemoryNode) *linkv1.MemoryNode {
	return &linkv1.MemoryNode{Id: int64(n.ID), Cpus: n.CPUs, MemoryMb: n.MemoryMB}
}

func toMemoryNode(m *linkv1.MemoryNode) domain.MemoryNode {
	return domain.MemoryNode{ID: int(m.GetId()), CPUs: m.GetCpus(), MemoryMB: m.GetMemoryMb()}
}

// FromBeatAnswer puts a on the wire.
func FromBeatAnswer(a domain.BeatAnswer) *linkv1.BeatAnswer {
	return &linkv1.BeatAnswer{NextInNanos: int64(a.NextIn), Revision: a.Revision, Drain: a.Drain}
}

// ToBeatAnswer reads m.
func ToBeatAnswer(m *linkv1.BeatAnswer) domain.BeatAnswer {
	return domain.BeatAnswer{NextIn: time.Duration(m.GetNextInNanos()), Revision: m.GetRevision(), Drain: m.GetDrain()}
}
