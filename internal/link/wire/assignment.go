package wire

import (
	"fmt"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// FromAssignment puts a on the wire.
func FromAssignment(a domain.Assignment) *linkv1.Assignment {
	return &linkv1.Assignment{
		Container: string(a.Container), ProjectId: a.ProjectID,
		Revision: a.Revision, Generation: a.Generation, EverCreated: a.EverCreated,
		Want: &linkv1.Want{Absent: a.Want.Absent, Running: a.Want.Running, Paused: a.Want.Paused},
		Op:   fromOp(a.Op), Spec: fromSpec(a.Spec), Nics: each(a.Nics, fromNic), Volumes: each(a.Volumes, fromVolume),
		Secret: fromSecret(a.Secret), Requires: a.Requires, ImageKeys: a.ImageKeys,
		CpuSet: &linkv1.CPUSet{Cpus: a.CPUSet.CPUs, MemoryNodes: a.CPUSet.MemoryNodes},
	}
}

// ToAssignment reads m; an address that cannot be parsed is an Invalid fault.
func ToAssignment(m *linkv1.Assignment) (domain.Assignment, error) {
	nics, err := tryEach(m.GetNics(), toNic)
	if err != nil {
		return domain.Assignment{}, err
	}
	op, err := toOp(m.GetOp())
	if err != nil {
		return domain.Assignment{}, err
	}
	want := m.GetWant()
	return domain.Assignment{
		Container: domain.ContainerID(m.GetContainer()), ProjectID: m.GetProjectId(),
		Revision: m.GetRevision(), Generation: m.GetGeneration(), EverCreated: m.GetEverCreated(),
		Want: domain.Want{Absent: want.GetAbsent(), Running: want.GetRunning(), Paused: want.GetPaused()},
		Op:   op, Spec: toSpec(m.GetSpec()), Nics: nics, Volumes: each(m.GetVolumes(), toVolume),
		Secret: toSecret(m.GetSecret()), Requires: m.GetRequires(), ImageKeys: m.GetImageKeys(),
		CPUSet: domain.CPUSet{CPUs: m.GetCpuSet().GetCpus(), MemoryNodes: m.GetCpuSet().GetMemoryNodes()},
	}, nil
}

func fromOp(o *domain.Op) *linkv1.Op {
	if o == nil {
		return nil
	}
	return &linkv1.Op{
		ActionId: o.ActionID, Epoch: o.Epoch, Verb: string(o.Verb), Args: fromArgs(o.Args),
		Begun: o.Begun, AcceptedAt: fromTime(o.AcceptedAt), RequestId: o.RequestID,
	}
}

func toOp(m *linkv1.Op) (*domain.Op, error) {
	if m == nil {
		return nil, nil
	}
	args, err := toArgs(m.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("read action %d: %w", m.GetActionId(), err)
	}
	return &domain.Op{
		ActionID: m.GetActionId(), Epoch: m.GetEpoch(), Verb: domain.Verb(m.GetVerb()), Args: args,
		Begun: m.GetBegun(), AcceptedAt: toTime(m.GetAcceptedAt()), RequestID: m.GetRequestId(),
	}, nil
}

func fromArgs(a domain.ActionArgs) *linkv1.ActionArgs {
	return &linkv1.ActionArgs{
		Run: a.Run, TimeoutSeconds: fromPointer[int, int64](a.TimeoutSeconds), Signal: a.Signal,
		Stop: a.Stop, Force: a.Force, Image: a.Image, ImageDriver: a.ImageDriver,
		Cpu: a.CPU, MemoryMb: a.MemoryMB, Repository: a.Repository, Tag: a.Tag,
		ImageId: a.ImageID, Name: a.Name, AutoHeal: a.AutoHeal, Group: a.Group,
		Net: fromNet(a.Net), Choice: fromChoice(a.Choice), Refused: a.Refused, Gone: fromGone(a.Gone), OwnImage: a.OwnImage,
		Generation: a.Generation, Former: a.Former,
	}
}

func toArgs(m *linkv1.ActionArgs) (domain.ActionArgs, error) {
	if m == nil {
		return domain.ActionArgs{}, nil
	}
	choice, err := toChoice(m.GetChoice())
	if err != nil {
		return domain.ActionArgs{}, err
	}
	gone, err := toGone(m.GetGone())
	if err != nil {
		return domain.ActionArgs{}, err
	}
	return domain.ActionArgs{
		Run: m.GetRun(), TimeoutSeconds: fromPointer[int64, int](m.TimeoutSeconds), Signal: m.GetSignal(),
		Stop: m.GetStop(), Force: m.GetForce(), Image: m.GetImage(), ImageDriver: m.GetImageDriver(),
		CPU: m.Cpu, MemoryMB: m.MemoryMb, Repository: m.GetRepository(), Tag: m.GetTag(),
		ImageID: m.GetImageId(), Name: m.Name, AutoHeal: m.AutoHeal, Group: m.GetGroup(),
		Net: toNet(m.GetNet()), Choice: choice, Refused: m.GetRefused(), Gone: gone, OwnImage: m.GetOwnImage(),
		Generation: m.GetGeneration(), Former: m.GetFormer(),
	}, nil
}

func fromChoice(c *domain.NetChoice) *linkv1.NetChoice {
	if c == nil {
		return nil
	}
	return &linkv1.NetChoice{
		NetworkId: c.NetworkID, PortId: c.PortID, FixedIps: each(c.FixedIPs, fromAddr), Preserve: c.Preserve,
	}
}

func toChoice(m *linkv1.NetChoice) (*domain.NetChoice, error) {
	if m == nil {
		return nil, nil
	}
	fixed, err := tryEach(m.GetFixedIps(), toAddr)
	if err != nil {
		return nil, err
	}
	return &domain.NetChoice{
		NetworkID: m.GetNetworkId(), PortID: m.GetPortId(), FixedIPs: fixed, Preserve: m.GetPreserve(),
	}, nil
}

func fromGone(n *domain.Nic) *linkv1.Nic {
	if n == nil {
		return nil
	}
	return fromNic(*n)
}

func toGone(m *linkv1.Nic) (*domain.Nic, error) {
	if m == nil {
		return nil, nil
	}
	n, err := toNic(m)
	return &n, err
}

func fromSecret(s *domain.PullSecret) *linkv1.PullSecret {
	if s == nil {
		return nil
	}
	return &linkv1.PullSecret{Domain: s.Domain, Username: s.Username, Password: s.Password}
}

func toSecret(m *linkv1.PullSecret) *domain.PullSecret {
	if m == nil {
		return nil
	}
	return &domain.PullSecret{Domain: m.GetDomain(), Username: m.GetUsername(), Password: m.GetPassword()}
}
