package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
	"github.com/go-zun/zun/internal/rest/view"
)

// initRetries is how often an init container of a capsule that always restarts is
// tried again: it must come to an end.
const initRetries = 10

// admitCapsule judges the rule on the capsule that the path names, or on the caller.
func (c *call) admitCapsule() error {
	ident := c.r.PathValue("ident")
	if ident == "" {
		return c.allow(c.route.Rule, c.self())
	}
	ref := control.Ref{Ident: ident}
	if c.route.Method == http.MethodDelete {
		across, err := c.across("capsule:delete_all_projects")
		if err != nil {
			return err
		}
		ref.AllProjects = across
	}
	found, err := c.Capsules.Capsule(c.ctx(), c.actor, ref)
	if err != nil {
		return err
	}
	c.capsule = found
	c.ref = control.Ref{Ident: string(found.Group.ID), AllProjects: ref.AllProjects}
	return c.allow(c.route.Rule, c.capsuleOwner())
}

func (c *call) capsuleOwner() Target {
	return Target{ProjectID: c.capsule.Group.ProjectID, UserID: c.capsule.Group.UserID}
}

// unwrapTemplate reads a template that came as a string of JSON.
func (c *call) unwrapTemplate() error {
	text, isText := c.args["template"].(string)
	if c.route.Args != schema.CreateCapsule || !isText {
		return nil
	}
	template, err := decode([]byte(text), c.Options.MaxDepth)
	if err != nil {
		return err
	}
	if len(template) == 0 {
		return domain.NewFault(domain.Invalid, "schema-validation-error", "The template is neither an object nor the JSON of one.")
	}
	c.args["template"] = template
	return check(template, false)
}

func (c *call) capsuleView(found domain.Capsule) any {
	owner := Target{ProjectID: found.Group.ProjectID, UserID: found.Group.UserID}
	shown := view.Capsule(c.base(), found, c.sees("capsule:get", owner), c.sees(fieldRules, owner))
	if c.version.Has(api.CapsuleView) {
		return shown
	}
	return view.LegacyCapsule(shown)
}

// listCapsules has no rule for all_projects: for those who are no administrators it
// has no effect, as it always was.
func listCapsules(c *call) (any, error) {
	all, err := strictBoolean(c.args["all_projects"])
	if err != nil {
		return nil, err
	}
	page, err := c.page("id")
	if err != nil {
		return nil, err
	}
	found, err := c.Capsules.Capsules(c.ctx(), c.actor, all && c.actor.IsAdmin, page)
	if err != nil {
		return nil, err
	}
	list := struct {
		Capsules []any   `json:"capsules"`
		Next     *string `json:"next"`
	}{Capsules: make([]any, 0, len(found))}
	for _, one := range found {
		list.Capsules = append(list.Capsules, c.capsuleView(one))
	}
	if len(found) > 0 {
		list.Next = c.next("capsules", page, len(found), string(found[len(found)-1].Group.ID))
	}
	return list, nil
}

func showCapsule(c *call) (any, error) { return c.capsuleView(c.capsule), nil }

func deleteCapsule(c *call) (any, error) {
	return nil, c.Capsules.DeleteCapsule(c.ctx(), c.actor, c.ref)
}

func createCapsule(c *call) (any, error) {
	draft, err := c.capsuleDraft()
	if err != nil {
		return nil, err
	}
	accepted, err := c.Capsules.CreateCapsule(c.ctx(), c.actor, draft)
	if err != nil {
		return nil, err
	}
	c.located("capsules", string(accepted.Group.ID))
	return c.capsuleView(accepted), nil
}

// capsuleDraft reads a template that its schema let through.
func (c *call) capsuleDraft() (domain.Capsule, error) {
	template := part(c.args, "template")
	metadata, spec := part(template, "metadata"), part(template, "spec")
	restart := map[string]string{"": "always", "Always": "always", "OnFailure": "on-failure", "Never": "no"}[word(spec, "restartPolicy")]
	group := domain.Spec{
		Name: word(metadata, "name"), Labels: texts(metadata["labels"]), Annotations: texts(metadata["annotations"]),
		Restart: domain.RestartPolicy{Name: restart}, Zone: word(template, "availabilityZone"),
	}
	volumes, err := capsuleVolumes(spec)
	if err != nil {
		return domain.Capsule{}, err
	}
	mayPull := c.Policy.Allowed("container:create:image_pull_policy", c.actor, c.self())
	draft := domain.Capsule{Group: domain.Container{Kind: domain.KindCapsule}}
	for _, item := range parts(spec, "containers") {
		member := capsuleMember(item, volumes, mayPull)
		member.Restart = group.Restart
		draft.Members = append(draft.Members, domain.Container{Kind: domain.KindMember, Spec: member})
	}
	for _, item := range parts(spec, "initContainers") {
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

func capsuleVolumes(spec schema.Object) (map[string]*capsuleVolume, error) {
	all := map[string]*capsuleVolume{}
	for _, item := range parts(spec, "volumes") {
		name, cinder := word(item, "name"), part(item, "cinder")
		if _, twice := all[name]; twice {
			return nil, domain.NewFault(domain.Invalid, "invalid-parameter-value", "The volume %s is declared twice.", name)
		}
		size, _ := whole(cinder["size"])
		all[name] = &capsuleVolume{mount: domain.MountRequest{Type: "volume", Source: word(cinder, "volumeID"), SizeGB: size}}
	}
	return all, nil
}

func capsuleMember(item schema.Object, volumes map[string]*capsuleVolume, mayPull bool) domain.Spec {
	requests := part(part(item, "resources"), "requests")
	m := domain.Spec{
		Image: word(item, "image"), Command: append(words(item["command"]), words(item["args"])...),
		Environment: texts(item["env"]), Workdir: word(item, "workDir"), PullPolicy: domain.PullAlways,
		Interactive: boolean(item["stdin"], false), TTY: boolean(item["tty"], false),
	}
	m.CPU, _ = decimal(requests["cpu"])
	m.MemoryMB, _ = whole(requests["memory"])
	if asked := word(item, "imagePullPolicy"); mayPull && asked != "" {
		m.PullPolicyAsked = strings.ToLower(asked)
		m.PullPolicy, _ = domain.ParsePullPolicy(asked) // the schema knows the same words
	}
	for _, port := range parts(item, "ports") {
		if number, given := whole(port["containerPort"]); given {
			protocol := strings.ToLower(word(port, "protocol"))
			if protocol == "" {
				protocol = "tcp"
			}
			m.ExposedPorts = append(m.ExposedPorts, strconv.FormatInt(number, 10)+"/"+protocol)
		}
	}
	for _, mount := range parts(item, "volumeMounts") {
		if v, declared := volumes[word(mount, "name")]; declared {
			v.used = true
			at := v.mount
			at.Destination = word(mount, "mountPath")
			m.Mounts = append(m.Mounts, at)
		}
	}
	return m
}

// part, parts and word read members behind the schema: there in the right type, or
// absent.
func part(o schema.Object, name string) schema.Object {
	inner, _ := o[name].(schema.Object)
	return inner
}

func parts(o schema.Object, name string) []schema.Object {
	items, _ := o[name].([]any)
	var all []schema.Object
	for _, item := range items {
		if inner, isObject := item.(schema.Object); isObject {
			all = append(all, inner)
		}
	}
	return all
}

func word(o schema.Object, name string) string {
	s, _ := o[name].(string)
	return s
}
