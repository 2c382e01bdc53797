package rest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

// maxKey bounds an idempotency key, in bytes.
const maxKey = 255

// createRequest reads the body of a create that its schema let through.
func (c *call) createRequest() (control.CreateRequest, error) {
	req := control.CreateRequest{Run: c.boolean("run", false), Registry: c.text("registry"), IdempotencyKey: c.r.Header.Get("Idempotency-Key")}
	if len(req.IdempotencyKey) > maxKey {
		return req, domain.NewFault(domain.Invalid, "invalid-value", "Idempotency-Key is longer than %d bytes.", maxKey)
	}
	spec := domain.Spec{
		Name: c.text("name"), Image: c.text("image"), ImageDriver: strings.TrimSuffix(c.text("image_driver"), "None"),
		CPUPolicy: c.text("cpu_policy"), Environment: texts(c.args["environment"]), Labels: texts(c.args["labels"]),
		Workdir: c.text("workdir"), Hostname: c.text("hostname"), Interactive: c.boolean("interactive", false), TTY: c.boolean("tty", false),
		AutoRemove: c.boolean("auto_remove", false), AutoHeal: c.boolean("auto_heal", false), Privileged: c.boolean("privileged", false),
		Runtime: c.text("runtime"), Hints: texts(c.args["hints"]), Zone: c.text("availability_zone"), RequestedHost: c.text("host"),
		Entrypoint: words(c.args["entrypoint"]), SecurityGroups: once(words(c.args["security_groups"])), Healthcheck: healthcheck(c.args["healthcheck"]),
		Nets: nets(c.args["nets"]), Mounts: mounts(c.args["mounts"]), PullPolicyAsked: c.text("image_pull_policy"),
	}
	if c.version.Has(api.TTYFollows) && !c.version.Has(api.TTYSeparate) {
		spec.TTY = spec.Interactive
	}
	spec.PullPolicy, _ = domain.ParsePullPolicy(spec.PullPolicyAsked) // the schema knows the same words
	spec.CPU, req.CPUAsked = decimal(c.args["cpu"])
	spec.MemoryMB, req.MemoryAsked = c.whole("memory")
	spec.DiskGB, req.DiskAsked = c.whole("disk")
	var err error
	if spec.Command, err = command(c.args["command"]); err != nil {
		return req, err
	}
	if spec.Restart, err = restartPolicy(c.args["restart_policy"]); err != nil {
		return req, err
	}
	if spec.ExposedPorts, err = exposedPorts(c.args["exposed_ports"]); err != nil {
		return req, err
	}
	req.Spec = spec
	return req, nil
}

// command is a list, or up to 1.19 one string that is split as a shell would.
func command(value any) ([]string, error) {
	line, isText := value.(string)
	if !isText {
		return words(value), nil
	}
	return split(line)
}

// words turns the scalars of a list into text; nil stays nil.
func words(value any) []string {
	items, _ := value.([]any)
	var all []string
	for _, item := range items {
		all = append(all, plainText(item))
	}
	return all
}

func texts(value any) map[string]string {
	members, isObject := value.(schema.Object)
	if !isObject {
		return nil
	}
	all := make(map[string]string, len(members))
	for name, member := range members {
		all[name] = plainText(member)
	}
	return all
}

func once(items []string) []string {
	var all []string
	for _, item := range items {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

// restartPolicy applies the rules on counts that no schema can say.
func restartPolicy(value any) (domain.RestartPolicy, error) {
	policy, isObject := value.(schema.Object)
	if !isObject {
		return domain.RestartPolicy{}, nil
	}
	name, _ := policy["Name"].(string)
	count, _ := whole(policy["MaximumRetryCount"])
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

func healthcheck(value any) *domain.Healthcheck {
	check, isObject := value.(schema.Object)
	if !isObject {
		return nil
	}
	seconds := func(name string) int {
		n, _ := whole(check[name])
		return int(n)
	}
	test, _ := check["cmd"].(string)
	return &domain.Healthcheck{Test: test, Interval: seconds("interval"), Timeout: seconds("timeout"), Retries: seconds("retries")}
}

func nets(value any) []domain.NetRequest {
	items, _ := value.([]any)
	var all []domain.NetRequest
	for _, item := range items {
		n := texts(item)
		all = append(all, domain.NetRequest{Network: n["network"], Port: n["port"], FixedV4: n["v4-fixed-ip"], FixedV6: n["v6-fixed-ip"]})
	}
	return all
}

func mounts(value any) []domain.MountRequest {
	items, _ := value.([]any)
	var all []domain.MountRequest
	for _, item := range items {
		m := texts(item)
		size, _ := strconv.ParseInt(m["size"], 10, 64) // absent is zero; the schema lets only digits through
		kind := m["type"]
		if kind == "" {
			kind = "volume"
		}
		all = append(all, domain.MountRequest{Type: kind, Source: m["source"], Destination: m["destination"], SizeGB: size})
	}
	return all
}

const maxPort = 65535

// exposedPorts reads keys of the form PORT or PORT/PROTO as "80/tcp", sorted.
func exposedPorts(value any) ([]string, error) {
	members, _ := value.(schema.Object)
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

// split cuts a line into words by the rules of a POSIX shell: blanks separate,
// single quotes keep all, double quotes keep all but a backslash before one of
// the characters " \ $ `.
func split(line string) ([]string, error) {
	var all []string
	var word strings.Builder
	var quote rune
	open, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteRune('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if open {
				all = append(all, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "The command has a quotation that is not closed.")
	}
	if open {
		all = append(all, word.String())
	}
	return all, nil
}
