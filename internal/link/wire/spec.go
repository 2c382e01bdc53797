package wire

import (
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

func fromSpec(s domain.Spec) *linkv1.Spec {
	return &linkv1.Spec{
		Name: s.Name, Image: s.Image, ImageDriver: s.ImageDriver,
		PullPolicy: string(s.PullPolicy), PullPolicyAsked: s.PullPolicyAsked, RegistryId: s.RegistryID,
		Command: fromWords(s.Command), Entrypoint: fromWords(s.Entrypoint),
		Environment: s.Environment, Labels: s.Labels, Annotations: s.Annotations,
		Workdir: s.Workdir, Hostname: s.Hostname,
		Cpu: s.CPU, CpuPolicy: s.CPUPolicy, MemoryMb: s.MemoryMB, DiskGb: s.DiskGB,
		Restart:    &linkv1.RestartPolicy{Name: s.Restart.Name, MaxRetries: int64(s.Restart.MaxRetries)},
		AutoRemove: s.AutoRemove, AutoHeal: s.AutoHeal, Interactive: s.Interactive, Tty: s.TTY,
		Privileged: s.Privileged, Runtime: s.Runtime, Healthcheck: fromHealthcheck(s.Healthcheck),
		ExposedPorts: s.ExposedPorts, SecurityGroups: s.SecurityGroups,
		Mounts: each(s.Mounts, fromMount), Nets: each(s.Nets, fromNet),
		Hints: s.Hints, Zone: s.Zone, RequestedHost: s.RequestedHost, OwnImage: s.OwnImage,
	}
}

func toSpec(m *linkv1.Spec) domain.Spec {
	return domain.Spec{
		Name: m.GetName(), Image: m.GetImage(), ImageDriver: m.GetImageDriver(),
		PullPolicy: domain.PullPolicy(m.GetPullPolicy()), PullPolicyAsked: m.GetPullPolicyAsked(), RegistryID: m.GetRegistryId(),
		Command: toWords(m.GetCommand()), Entrypoint: toWords(m.GetEntrypoint()),
		Environment: m.GetEnvironment(), Labels: m.GetLabels(), Annotations: m.GetAnnotations(),
		Workdir: m.GetWorkdir(), Hostname: m.GetHostname(),
		CPU: m.GetCpu(), CPUPolicy: m.GetCpuPolicy(), MemoryMB: m.GetMemoryMb(), DiskGB: m.GetDiskGb(),
		Restart:    domain.RestartPolicy{Name: m.GetRestart().GetName(), MaxRetries: int(m.GetRestart().GetMaxRetries())},
		AutoRemove: m.GetAutoRemove(), AutoHeal: m.GetAutoHeal(), Interactive: m.GetInteractive(), TTY: m.GetTty(),
		Privileged: m.GetPrivileged(), Runtime: m.GetRuntime(), Healthcheck: toHealthcheck(m.GetHealthcheck()),
		ExposedPorts: m.GetExposedPorts(), SecurityGroups: m.GetSecurityGroups(),
		Mounts: each(m.GetMounts(), toMount), Nets: each(m.GetNets(), toNet),
		Hints: m.GetHints(), Zone: m.GetZone(), RequestedHost: m.GetRequestedHost(), OwnImage: m.GetOwnImage(),
	}
}

func fromHealthcheck(h *domain.Healthcheck) *linkv1.Healthcheck {
	if h == nil {
		return nil
	}
	return &linkv1.Healthcheck{
		Test: h.Test, Interval: int64(h.Interval), Timeout: int64(h.Timeout), Retries: int64(h.Retries),
	}
}

func toHealthcheck(m *linkv1.Healthcheck) *domain.Healthcheck {
	if m == nil {
		return nil
	}
	return &domain.Healthcheck{
		Test: m.GetTest(), Interval: int(m.GetInterval()), Timeout: int(m.GetTimeout()), Retries: int(m.GetRetries()),
	}
}

func fromMount(r domain.MountRequest) *linkv1.MountRequest {
	return &linkv1.MountRequest{Type: r.Type, Source: r.Source, Destination: r.Destination, SizeGb: r.SizeGB}
}

func toMount(m *linkv1.MountRequest) domain.MountRequest {
	return domain.MountRequest{Type: m.GetType(), Source: m.GetSource(), Destination: m.GetDestination(), SizeGB: m.GetSizeGb()}
}

func fromNet(r domain.NetRequest) *linkv1.NetRequest {
	return &linkv1.NetRequest{Network: r.Network, Port: r.Port, FixedV4: r.FixedV4, FixedV6: r.FixedV6}
}

func toNet(m *linkv1.NetRequest) domain.NetRequest {
	return domain.NetRequest{Network: m.GetNetwork(), Port: m.GetPort(), FixedV4: m.GetFixedV4(), FixedV6: m.GetFixedV6()}
}

func fromVolume(v domain.Volume) *linkv1.Volume {
	return &linkv1.Volume{Id: v.ID, Provider: v.Provider, SizeGb: v.SizeGB, Destination: v.Destination}
}

func toVolume(m *linkv1.Volume) domain.Volume {
	return domain.Volume{ID: m.GetId(), Provider: m.GetProvider(), SizeGB: m.GetSizeGb(), Destination: m.GetDestination()}
}
