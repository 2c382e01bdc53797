package docker

import (
	"cmp"
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

type members struct{ e *Engine }

// capabilities are all that a container's root may do: what programs of common
// images need to drop privileges, own their files and bind low ports. Raw sockets
// are for ping; mounts, modules, tracing and network administration are not in it.
func capabilities() []string {
	return []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "NET_RAW",
		"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "AUDIT_WRITE"}
}

// Create implements agent.Members. An object of the same name that carries our
// labels and generation is taken as it is; one of a former generation is replaced.
func (m members) Create(ctx context.Context, spec agent.MemberSpec) (agent.Object, error) {
	result, err := m.create(ctx, spec)
	if err != nil && fault(err).Kind == domain.Conflict {
		existing, lookErr := m.e.inspect(ctx, memberName(spec.Container))
		switch {
		case lookErr != nil:
			return agent.Object{}, fault(err)
		case existing.Container != spec.Container:
			return agent.Object{}, domain.NewFault(domain.Conflict, "name-clash",
				"The container engine of the host has another container called %s.", memberName(spec.Container))
		case existing.Generation == spec.Generation:
			return existing, nil
		}
		if err := m.Remove(ctx, existing); err != nil {
			return agent.Object{}, err
		}
		result, err = m.create(ctx, spec)
	}
	if err != nil {
		return agent.Object{}, createFault(err, spec.Spec.Image)
	}
	return m.e.inspect(ctx, result.ID)
}

func createFault(err error, image string) *domain.Fault {
	f := fault(err)
	if f.Kind == domain.NotFound && strings.Contains(f.Message, "o such image") {
		return domain.WrapFault(err, domain.NotFound, "image-not-found", "Image %s could not be found.", image)
	}
	return f
}

func (m members) create(ctx context.Context, spec agent.MemberSpec) (client.ContainerCreateResult, error) {
	host, err := m.hostConfig(spec)
	if err != nil {
		return client.ContainerCreateResult{}, err
	}
	s := spec.Spec
	if s.DiskGB > 0 {
		if err := m.e.mustBound(ctx); err != nil {
			return client.ContainerCreateResult{}, err
		}
	}
	return m.e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: memberName(spec.Container), HostConfig: host,
		Config: &container.Config{
			Image: cmp.Or(spec.ImageID, s.Image), Cmd: s.Command, Entrypoint: s.Entrypoint, Env: environment(s.Environment), WorkingDir: s.Workdir,
			Labels: m.labels(spec), Tty: s.TTY, OpenStdin: s.Interactive, Healthcheck: health(s.Healthcheck),
		},
	})
}

// labels are a user's and ours, which are not a user's to set: all of ours are named, or
// the engine would take those of the image in their place.
func (m members) labels(spec agent.MemberSpec) map[string]string {
	labels := m.e.labels(spec.Container, spec.Generation, roleMember)
	labels[labelPorts] = strings.Join(spec.Spec.ExposedPorts, ",")
	for key, value := range spec.Spec.Labels {
		if !strings.HasPrefix(key, "zun.") {
			labels[key] = value
		}
	}
	return labels
}

func (m members) hostConfig(spec agent.MemberSpec) (*container.HostConfig, error) {
	s := spec.Spec
	if spec.Sandbox.EngineID == "" {
		return nil, domain.NewFault(domain.Conflict, "no-sandbox", "container %s has no sandbox to join", spec.Container)
	}
	h := &container.HostConfig{
		NetworkMode: container.NetworkMode("container:" + spec.Sandbox.EngineID),
		Privileged:  s.Privileged, Runtime: cmp.Or(s.Runtime, m.e.options.Runtime), LogConfig: m.e.logConfig(),
		Resources: m.e.resources(s), Mounts: mounts(spec),
	}
	h.CpusetCpus, h.CpusetMems = spec.CPUSet.CPUs, spec.CPUSet.MemoryNodes
	if !s.Privileged {
		h.SecurityOpt = []string{"no-new-privileges"}
		h.CapDrop, h.CapAdd = []string{"ALL"}, capabilities()
	}
	if s.DiskGB > 0 {
		h.StorageOpt = map[string]string{"size": strconv.FormatInt(s.DiskGB, 10) + "G"}
	}
	return h, nil
}

// logConfig says in which form a log is kept and how much of it. The rotated file is
// not compressed, whatever the daemon's default, because followers read on in it.
func (e *Engine) logConfig() container.LogConfig {
	if e.options.LogMaxBytes <= 0 {
		return container.LogConfig{}
	}
	return container.LogConfig{Type: "json-file", Config: map[string]string{
		"max-size": strconv.FormatInt(e.options.LogMaxBytes, 10), "max-file": "2", "compress": "false",
	}}
}

// resources bounds a container. Shares order who runs first when all want to; the
// quota, where it is asked for, is a cap.
func (e *Engine) resources(s domain.Spec) container.Resources {
	r := container.Resources{Memory: s.MemoryMB << 20, CPUShares: shares(s.CPU)}
	if e.options.HardCPU {
		r.NanoCPUs = int64(s.CPU * 1e9)
	}
	if e.options.PIDsLimit > 0 {
		r.PidsLimit = &e.options.PIDsLimit
	}
	return r
}

// shares is the relative weight of cpu CPUs; the kernel knows no less than two.
func shares(cpu float64) int64 {
	if cpu <= 0 {
		return 0
	}
	return max(2, int64(math.Floor(1024*cpu)))
}

func mounts(spec agent.MemberSpec) []mount.Mount {
	var list []mount.Mount
	bind := func(source, target string, readOnly bool) {
		if source != "" {
			list = append(list, mount.Mount{Type: mount.TypeBind, Source: source, Target: target, ReadOnly: readOnly})
		}
	}
	bind(spec.HostsFile, "/etc/hosts", true)
	bind(spec.ResolvFile, "/etc/resolv.conf", true)
	bind(spec.HostnameFile, "/etc/hostname", true)
	for _, b := range spec.Binds {
		bind(b.Source, b.Target, b.ReadOnly)
	}
	return list
}

func environment(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for key, value := range m {
		list = append(list, key+"="+value)
	}
	return list
}

func health(h *domain.Healthcheck) *container.HealthConfig {
	if h == nil || h.Test == "" {
		return nil
	}
	return &container.HealthConfig{
		Test: []string{"CMD-SHELL", h.Test}, Retries: h.Retries,
		Interval: time.Duration(h.Interval) * time.Second, Timeout: time.Duration(h.Timeout) * time.Second,
	}
}

// Start implements agent.Members.
func (m members) Start(ctx context.Context, o agent.Object) error {
	_, err := m.e.api.ContainerStart(ctx, o.EngineID, client.ContainerStartOptions{})
	if err == nil {
		return nil
	}
	text := plain(err)
	if strings.Contains(text, "No such container") && !strings.Contains(text, o.EngineID) || strings.Contains(text, "cannot join network") {
		return domain.WrapFault(err, domain.Conflict, "sandbox-gone", "The network of the container is gone.")
	}
	return startFault(err)
}

// Stop implements agent.Members. A frozen process cannot hear a signal, so it is
// thawed first, unless it ended meanwhile.
func (m members) Stop(ctx context.Context, o agent.Object, grace time.Duration) error {
	if o.State.Status == domain.Paused {
		if err := m.Unpause(ctx, o); err != nil && !domain.IsKind(err, domain.Conflict) {
			return goneIsFine(err)
		}
	}
	options := client.ContainerStopOptions{}
	if grace >= 0 {
		seconds := int(math.Ceil(grace.Seconds()))
		options.Timeout = &seconds
	}
	_, err := m.e.api.ContainerStop(ctx, o.EngineID, options)
	return goneIsFine(err)
}

// Kill implements agent.Members.
func (m members) Kill(ctx context.Context, o agent.Object, signal string) error {
	_, err := m.e.api.ContainerKill(ctx, o.EngineID, client.ContainerKillOptions{Signal: signal})
	if err != nil && strings.Contains(strings.ToLower(plain(err)), "invalid signal") {
		return domain.WrapFault(err, domain.Invalid, "invalid", "Invalid signal: %s", signal)
	}
	return stateFault(err)
}

// Update implements agent.Members.
func (m members) Update(ctx context.Context, o agent.Object, spec domain.Spec) error {
	r := m.e.resources(spec)
	r.MemorySwap = m.e.options.MemorySwapMB
	if r.MemorySwap > 0 {
		r.MemorySwap <<= 20
	}
	if _, err := m.e.api.ContainerUpdate(ctx, o.EngineID, client.ContainerUpdateOptions{Resources: &r}); err != nil {
		return fault(err)
	}
	return nil
}

// Confine implements agent.Confiner.
func (e *Engine) Confine(ctx context.Context, o agent.Object, cpus domain.CPUSet) error {
	r := container.Resources{CpusetCpus: cpus.CPUs, CpusetMems: cpus.MemoryNodes}
	_, err := e.api.ContainerUpdate(ctx, o.EngineID, client.ContainerUpdateOptions{Resources: &r})
	return stateFault(err)
}

// Remove implements agent.Members.
func (m members) Remove(ctx context.Context, o agent.Object) error {
	return m.e.remove(ctx, o.EngineID)
}

// remove ends and removes an object. One whose removal is under way counts as gone
// only when it is: the name must be free afterwards.
func (e *Engine) remove(ctx context.Context, ref string) error {
	_, err := e.api.ContainerRemove(ctx, ref, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || fault(err).Kind == domain.NotFound {
		return nil
	}
	if !strings.Contains(plain(err), "already in progress") {
		return fault(err)
	}
	wait := e.api.ContainerWait(ctx, ref, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case <-wait.Result:
		return nil
	case err := <-wait.Error:
		return goneIsFine(err)
	}
}

func goneIsFine(err error) error {
	if err == nil || fault(err).Kind == domain.NotFound {
		return nil
	}
	return fault(err)
}

// stateFault is fault for calls that need a certain state: some engines answer a wrong
// one as if they themselves had failed.
func stateFault(err error) error {
	if err == nil {
		return nil
	}
	for _, sign := range []string{"is not running", "is paused"} {
		if strings.Contains(plain(err), sign) {
			return domain.WrapFault(err, domain.Conflict, "conflict", "%s", plain(err))
		}
	}
	return fault(err)
}
