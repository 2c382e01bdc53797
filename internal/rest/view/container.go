package view

import (
	"strconv"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// Sees answers whether the caller may see a field that a policy rule guards.
type Sees func(field string) bool

// Once asks sees at most once for each field.
func Once(sees Sees) Sees {
	said := map[string]bool{}
	return func(field string) bool {
		verdict, known := said[field]
		if !known {
			verdict = sees(field)
			said[field] = verdict
		}
		return verdict
	}
}

// The guarded fields of a container.
const (
	FieldHost       = "host"
	FieldRuntime    = "runtime"
	FieldPullPolicy = "image_pull_policy"
	FieldPrivileged = "privileged"
)

// Container shows c without links. Sees is asked for each guarded field.
func Container(c domain.Container, sees Sees) api.Container {
	shown := api.Container{
		UUID: string(c.ID), UserID: c.UserID, ProjectID: c.ProjectID, Name: c.Spec.Name,
		Image: c.Spec.Image, ImageDriver: text(c.Spec.ImageDriver),
		Command: full(c.Spec.Command), Entrypoint: full(c.Spec.Entrypoint),
		Status: string(c.Status), StatusReason: text(c.StatusReason), StatusDetail: text(c.StatusDetail), TaskState: text(string(c.TaskState)),
		CPU: c.Spec.CPU, CPUPolicy: c.Spec.CPUPolicy, Memory: strconv.FormatInt(c.Spec.MemoryMB, 10), Disk: c.Spec.DiskGB,
		Environment: fullMap(c.Spec.Environment), Workdir: text(c.Spec.Workdir), Hostname: text(hostname(c)), Labels: fullMap(c.Spec.Labels),
		Ports: full(c.Ports), Addresses: addresses(c.Nics), SecurityGroups: full(c.Spec.SecurityGroups),
		RestartPolicy: restartPolicy(c.Spec.Restart), Healthcheck: healthcheck(c.Spec.Healthcheck),
		Interactive: c.Spec.Interactive, TTY: c.Spec.TTY, AutoRemove: c.Spec.AutoRemove, AutoHeal: c.Spec.AutoHeal,
		RegistryID: text(c.Spec.RegistryID), CreatedAt: spaced(c.CreatedAt), UpdatedAt: optionalTime(c.UpdatedAt, spaced),
	}
	if sees(FieldHost) {
		shown.Host = api.Shown(text(c.HostName))
	}
	if sees(FieldRuntime) {
		shown.Runtime = api.Shown(text(c.Spec.Runtime))
	}
	if sees(FieldPullPolicy) {
		shown.ImagePullPolicy = api.Shown(text(c.Spec.PullPolicyAsked))
	}
	if sees(FieldPrivileged) {
		shown.Privileged = api.Shown(&c.Spec.Privileged)
	}
	return shown
}

// Fresh is a container as the answer to its create shows it: what was not given is
// null there, and becomes an empty list or object later; an empty object that was
// given stays one.
func Fresh(c api.Container, given domain.Spec) api.Container {
	nilIfEmpty(&c.Command)
	nilIfEmpty(&c.Entrypoint)
	nilIfEmpty(&c.Ports)
	nilIfEmpty(&c.SecurityGroups)
	c.Environment, c.Labels = given.Environment, given.Labels
	if len(c.Addresses) == 0 {
		c.Addresses = nil
	}
	if c.RestartPolicy != nil && *c.RestartPolicy == (api.RestartPolicy{}) {
		c.RestartPolicy = nil
	}
	if c.Healthcheck != nil && *c.Healthcheck == (api.Healthcheck{}) {
		c.Healthcheck = nil
	}
	return c
}

func nilIfEmpty[T any](items *[]T) {
	if len(*items) == 0 {
		*items = nil
	}
}

func hostname(c domain.Container) string {
	if c.Hostname != "" {
		return c.Hostname
	}
	return c.Spec.Hostname
}

func restartPolicy(p domain.RestartPolicy) *api.RestartPolicy {
	if p.Name == "" {
		return &api.RestartPolicy{}
	}
	return &api.RestartPolicy{Name: p.Name, MaximumRetryCount: strconv.Itoa(p.MaxRetries)}
}

func healthcheck(h *domain.Healthcheck) *api.Healthcheck {
	if h == nil {
		return &api.Healthcheck{}
	}
	return &api.Healthcheck{Test: h.Test, Interval: h.Interval, Retries: h.Retries, Timeout: h.Timeout}
}

func addresses(nics []domain.Nic) map[string][]api.Address {
	all := map[string][]api.Address{}
	for _, nic := range nics {
		for _, a := range nic.Addresses {
			all[nic.NetworkID] = append(all[nic.NetworkID], api.Address{
				Addr: a.Addr.String(), Version: family(a), Port: nic.PortID, SubnetID: a.SubnetID, PreserveOnDelete: nic.Preserve,
			})
		}
	}
	return all
}

func family(a domain.NicAddress) int {
	if a.Addr.Is4() {
		return 4
	}
	return 6
}

// Networks is network_list with one row per port.
func Networks(c domain.Container) api.ContainerNetworks {
	rows := api.ContainerNetworks{Networks: []api.ContainerNetwork{}}
	for _, nic := range c.Nics {
		row := api.ContainerNetwork{NetID: nic.NetworkID, PortID: nic.PortID, FixedIPs: []api.FixedIP{}}
		for _, a := range nic.Addresses {
			row.FixedIPs = append(row.FixedIPs, api.FixedIP{SubnetID: a.SubnetID, Version: family(a), IPAddress: a.Addr.String()})
		}
		rows.Networks = append(rows.Networks, row)
	}
	return rows
}

// Addresses is network_list with one row per address, as it was up to 1.17.
func Addresses(c domain.Container) api.ContainerAddresses {
	rows := api.ContainerAddresses{Networks: []api.ContainerAddress{}}
	for _, nic := range c.Nics {
		for _, a := range nic.Addresses {
			rows.Networks = append(rows.Networks, api.ContainerAddress{
				NetID: nic.NetworkID, SubnetID: a.SubnetID, PortID: nic.PortID, Version: family(a), IPAddress: a.Addr.String(),
			})
		}
	}
	return rows
}

const mebibyte = 1 << 20

// Stats shows one sample of the container called name.
func Stats(name string, s domain.Stats) api.Stats {
	shown := api.Stats{
		Container: name, CPU: s.CPUPercent,
		MemoryUsage: float64(s.MemoryUsage) / mebibyte, MemoryLimit: float64(s.MemoryLimit) / mebibyte,
		BlockIO: pair(s.BlockRead, s.BlockWrite), NetIO: pair(s.NetRecv, s.NetSent),
	}
	if s.MemoryLimit > 0 {
		shown.Memory = 100 * float64(s.MemoryUsage) / float64(s.MemoryLimit)
	}
	return shown
}

func pair(in, out uint64) string {
	return strconv.FormatUint(in, 10) + "/" + strconv.FormatUint(out, 10)
}

// Processes shows what ps saw.
func Processes(t domain.ProcessTable) api.ProcessTable {
	return api.ProcessTable{Titles: full(t.Titles), Processes: full(t.Processes)}
}

// PathStat shows the path an archive was taken from.
func PathStat(s domain.PathStat) api.PathStat {
	return api.PathStat{Name: s.Name, Size: s.Size, Mode: s.Mode, Mtime: s.Mtime.UTC().Format("2006-01-02T15:04:05Z"), LinkTarget: s.LinkTarget}
}

// Action shows a record without its events.
func Action(a domain.Action) api.Action {
	return api.Action{
		Action: string(a.Verb), ContainerUUID: string(a.Container), RequestID: a.RequestID, UserID: a.UserID, ProjectID: a.ProjectID,
		StartTime: joined(a.StartedAt), FinishTime: optionalTime(a.FinishedAt, joined), Message: text(a.Message),
	}
}

// Events show the steps of an action; details only to those who may see them.
func Events(events []domain.Event, details bool) []api.Event {
	shown := make([]api.Event, 0, len(events))
	for _, e := range events {
		one := api.Event{Event: e.Name, StartTime: joined(e.StartedAt), FinishTime: optionalTime(e.FinishedAt, joined), Result: text(e.Result)}
		if details {
			one.Traceback = text(e.Details)
		}
		shown = append(shown, one)
	}
	return shown
}
