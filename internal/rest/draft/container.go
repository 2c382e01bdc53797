package draft

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Container reads the body of a create at version.
func Container(a Args, version api.Version) (control.CreateRequest, error) {
	req := control.CreateRequest{Run: a.Boolean("run", false), Registry: a.Text("registry")}
	spec := domain.Spec{
		Name: a.Text("name"), Image: a.Text("image"), ImageDriver: strings.TrimSuffix(a.Text("image_driver"), "None"),
		CPUPolicy: a.Text("cpu_policy"), Environment: a.Texts("environment"), Labels: a.Texts("labels"),
		Workdir: a.Text("workdir"), Hostname: a.Text("hostname"), Interactive: a.Boolean("interactive", false), TTY: a.Boolean("tty", false),
		AutoRemove: a.Boolean("auto_remove", false), AutoHeal: a.Boolean("auto_heal", false), Privileged: a.Boolean("privileged", false),
		Runtime: a.Text("runtime"), Hints: a.Texts("hints"), Zone: a.Text("availability_zone"), RequestedHost: a.Text("host"),
		Entrypoint: a.Words("entrypoint"), SecurityGroups: once(a.Words("security_groups")), Healthcheck: healthcheck(a),
		Nets: nets(a), Mounts: mounts(a), PullPolicyAsked: a.Text("image_pull_policy"),
	}
	if version.Has(api.TTYFollows) && !version.Has(api.TTYSeparate) {
		spec.TTY = spec.Interactive
	}
	spec.PullPolicy, _ = domain.ParsePullPolicy(spec.PullPolicyAsked) // the schema knows the same words
	spec.CPU, req.CPUAsked = a.Decimal("cpu")
	spec.MemoryMB, req.MemoryAsked = a.Whole("memory")
	spec.DiskGB, req.DiskAsked = a.Whole("disk")
	var err error
	if spec.Command, err = command(a); err != nil {
		return req, err
	}
	if spec.Restart, err = restartPolicy(a); err != nil {
		return req, err
	}
	if spec.ExposedPorts, err = exposedPorts(a.Part("exposed_ports")); err != nil {
		return req, err
	}
	req.Spec = spec
	return req, nil
}

// Change reads what a PATCH or a resize names.
func Change(a Args) control.Change {
	change := control.Change{Name: a.OptionalText("name"), AutoHeal: a.OptionalBoolean("auto_heal")}
	if cpu, given := a.Decimal("cpu"); given {
		change.CPU = &cpu
	}
	if memory, given := a.Whole("memory"); given {
		change.MemoryMB = &memory
	}
	return change
}

// command is a list, or up to 1.19 one string that is split as a shell would.
func command(a Args) ([]string, error) {
	line := a.OptionalText("command")
	if line == nil {
		return a.Words("command"), nil
	}
	return Split(*line)
}

func once(items []string) []string {
	var all []string
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		if !seen[item] {
			seen[item], all = true, append(all, item)
		}
	}
	return all
}

// restartPolicy applies the rules on counts that no schema can say.
func restartPolicy(a Args) (domain.RestartPolicy, error) {
	policy := a.Part("restart_policy")
	name := policy.Text("Name")
	count, _ := policy.Whole("MaximumRetryCount")
	switch name {
	case "no":
		count = 0
	case "always", "unless-stopped":
		if count != 0 {
			return domain.RestartPolicy{}, domain.NewFault(domain.Invalid, "invalid-value",
				"maximum retry count not valid with restart policy of %s", name)
		}
	}
	return domain.RestartPolicy{Name: name, MaxRetries: int(count)}, nil
}

func healthcheck(a Args) *domain.Healthcheck {
	check := a.Part("healthcheck")
	if check == nil {
		return nil
	}
	number := func(name string) int {
		n, _ := check.Whole(name)
		return int(n)
	}
	return &domain.Healthcheck{Test: check.Text("cmd"), Interval: number("interval"), Timeout: number("timeout"), Retries: number("retries")}
}

func nets(a Args) []domain.NetRequest {
	var all []domain.NetRequest
	for _, n := range a.Parts("nets") {
		all = append(all, domain.NetRequest{Network: n.Text("network"), Port: n.Text("port"), FixedV4: n.Text("v4-fixed-ip"), FixedV6: n.Text("v6-fixed-ip")})
	}
	return all
}

func mounts(a Args) []domain.MountRequest {
	var all []domain.MountRequest
	for _, m := range a.Parts("mounts") {
		size, _ := m.Whole("size")
		kind := m.Text("type")
		if kind == "" {
			kind = "volume"
		}
		all = append(all, domain.MountRequest{Type: kind, Source: m.Text("source"), Destination: m.Text("destination"), SizeGB: size})
	}
	return all
}

const maxPort = 65535

// exposedPorts reads keys of the form PORT or PORT/PROTO as "80/tcp", sorted.
func exposedPorts(members Args) ([]string, error) {
	var all []string
	for key := range members {
		number, protocol, named := strings.Cut(key, "/")
		if !named {
			protocol = "tcp"
		}
		if protocol = strings.ToLower(protocol); protocol != "tcp" && protocol != "udp" {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "value %s is an invalid protocol", protocol)
		}
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil || port == 0 || port > maxPort {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "value %s is invalid as publish port.", number)
		}
		all = append(all, strconv.FormatUint(port, 10)+"/"+protocol)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
