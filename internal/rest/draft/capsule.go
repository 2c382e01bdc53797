package draft

import (
	"strconv"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// initRetries is how often an init container of a capsule that always restarts is
// tried again: it must come to an end.
const initRetries = 10

// Capsule reads the template of a capsule. A pull policy is dropped where the caller
// may not choose one.
func Capsule(a Args, mayPull bool) (domain.Capsule, error) {
	template := a.Part("template")
	metadata, spec := template.Part("metadata"), template.Part("spec")
	restart := map[string]string{"": "always", "Always": "always", "OnFailure": "on-failure", "Never": "no"}[spec.Text("restartPolicy")]
	group := domain.Spec{
		Name: metadata.Text("name"), Labels: metadata.Texts("labels"), Annotations: metadata.Texts("annotations"),
		Restart: domain.RestartPolicy{Name: restart}, Zone: template.Text("availabilityZone"),
	}
	volumes, err := capsuleVolumes(spec)
	if err != nil {
		return domain.Capsule{}, err
	}
	draft := domain.Capsule{Group: domain.Container{Kind: domain.KindCapsule}}
	for _, item := range spec.Parts("containers") {
		member := capsuleMember(item, volumes, mayPull)
		member.Restart = group.Restart
		draft.Members = append(draft.Members, domain.Container{Kind: domain.KindMember, Spec: member})
	}
	for _, item := range spec.Parts("initContainers") {
		init := capsuleMember(item, volumes, mayPull)
		if init.Restart = group.Restart; restart == "always" {
			init.Restart = domain.RestartPolicy{Name: "on-failure", MaxRetries: initRetries}
		}
		draft.Inits = append(draft.Inits, domain.Container{Kind: domain.KindInit, Spec: init})
	}
	for name, v := range volumes {
		if !v.used {
			return draft, domain.NewFault(domain.Invalid, "invalid-parameter-value", "volume mount parameters is invalid. No container mounts %s.", name)
		}
	}
	group.CPU, group.MemoryMB = together(draft)
	draft.Group.Spec = group
	return draft, nil
}

// together is what a capsule takes: the members run at once, and the inits too are
// counted at once against them.
func together(draft domain.Capsule) (cpu float64, memoryMB int64) {
	sum := func(rows []domain.Container) (cpu float64, memoryMB int64) {
		for _, row := range rows {
			cpu += row.Spec.CPU
			memoryMB += row.Spec.MemoryMB
		}
		return cpu, memoryMB
	}
	cpu, memoryMB = sum(draft.Members)
	initCPU, initMemoryMB := sum(draft.Inits)
	return max(cpu, initCPU), max(memoryMB, initMemoryMB)
}

type capsuleVolume struct {
	mount domain.MountRequest
	used  bool
}

func capsuleVolumes(spec Args) (map[string]*capsuleVolume, error) {
	all := map[string]*capsuleVolume{}
	for _, item := range spec.Parts("volumes") {
		name, cinder := item.Text("name"), item.Part("cinder")
		if _, twice := all[name]; twice {
			return nil, domain.NewFault(domain.Invalid, "invalid-parameter-value", "The volume %s is declared twice.", name)
		}
		size, _ := cinder.Whole("size")
		all[name] = &capsuleVolume{mount: domain.MountRequest{Type: "volume", Source: cinder.Text("volumeID"), SizeGB: size}}
	}
	return all, nil
}

func capsuleMember(item Args, volumes map[string]*capsuleVolume, mayPull bool) domain.Spec {
	requests := item.Part("resources").Part("requests")
	m := domain.Spec{
		Image: item.Text("image"), Command: append(item.Words("command"), item.Words("args")...),
		Environment: item.Texts("env"), Workdir: item.Text("workDir"), PullPolicy: domain.PullAlways,
		Interactive: item.Boolean("stdin", false), TTY: item.Boolean("tty", false),
	}
	m.CPU, _ = requests.Decimal("cpu")
	m.MemoryMB, _ = requests.Whole("memory")
	if asked := item.Text("imagePullPolicy"); mayPull && asked != "" {
		m.PullPolicyAsked = strings.ToLower(asked)
		m.PullPolicy, _ = domain.ParsePullPolicy(asked) // the schema knows the same words
	}
	for _, port := range item.Parts("ports") {
		if number, given := port.Whole("containerPort"); given {
			protocol := strings.ToLower(port.Text("protocol"))
			if protocol == "" {
				protocol = "tcp"
			}
			m.ExposedPorts = append(m.ExposedPorts, strconv.FormatInt(number, 10)+"/"+protocol)
		}
	}
	for _, mount := range item.Parts("volumeMounts") {
		if v, declared := volumes[mount.Text("name")]; declared {
			v.used = true
			at := v.mount
			at.Destination = mount.Text("mountPath")
			m.Mounts = append(m.Mounts, at)
		}
	}
	return m
}
