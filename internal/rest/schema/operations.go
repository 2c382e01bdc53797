package schema

import (
	"fmt"
	"reflect"

	"github.com/go-zun/zun/api"
)

// Operation names what a schema is for.
type Operation string

// The operations that take arguments.
const (
	CreateContainer Operation = "create-container"
	UpdateContainer Operation = "update-container"
	DeleteContainer Operation = "delete-container"
	NoArguments     Operation = "no-arguments"
	Stop            Operation = "stop"
	Kill            Operation = "kill"
	Rebuild         Operation = "rebuild"
	Logs            Operation = "logs"
	FollowLogs      Operation = "follow-logs"
	Execute         Operation = "execute"
	ExecuteResize   Operation = "execute-resize"
	Resize          Operation = "resize"
	Top             Operation = "top"
	GetArchive      Operation = "get-archive"
	PutArchive      Operation = "put-archive"
	Commit          Operation = "commit"
	Rename          Operation = "rename"
	SecurityGroup   Operation = "security-group"
	NetworkDetach   Operation = "network-detach"
	NetworkAttach   Operation = "network-attach"
	CreateCapsule   Operation = "create-capsule"
	SwitchService   Operation = "switch-service"
	ForceDown       Operation = "force-down"
	DeleteService   Operation = "delete-service"
	UpdateQuota     Operation = "update-quota"
	CreateRegistry  Operation = "create-registry"
	UpdateRegistry  Operation = "update-registry"
	PullImage       Operation = "pull-image"
	SearchImages    Operation = "search-images"
	CreateNetwork   Operation = "create-network"
	FollowEvents    Operation = "follow-events"
)

// Set holds the compiled schema of every operation.
type Set struct {
	byOperation map[Operation]*Schema
	creates     map[api.Version]*Schema
}

// NewSet compiles every schema under limits.
func NewSet(limits Limits) (*Set, error) {
	s := &Set{byOperation: map[Operation]*Schema{}, creates: map[api.Version]*Schema{}}
	for operation, document := range limits.documents() {
		compiled, err := compile(string(operation), document)
		if err != nil {
			return nil, err
		}
		s.byOperation[operation] = compiled
	}
	// The original words a wrong signal as a field although it comes by the query.
	s.byOperation[Kill].bodyWords = true
	return s, s.compileCreates(limits)
}

// compileCreates fills in the create of every version. Most versions share the
// schema of the one before.
func (s *Set) compileCreates(limits Limits) error {
	var last *Schema
	for _, change := range api.History() {
		document := limits.createContainer(change.Version)
		if last == nil || !reflect.DeepEqual(document, last.document) {
			compiled, err := compile(fmt.Sprintf("%s-%s", CreateContainer, change.Version), document)
			if err != nil {
				return err
			}
			last = compiled
		}
		s.creates[change.Version] = last
	}
	return nil
}

// For returns the schema of operation at version, nil if it takes anything.
func (s *Set) For(operation Operation, version api.Version) *Schema {
	if operation == CreateContainer {
		return s.creates[version]
	}
	return s.byOperation[operation]
}

// documents are the schemas that do not depend on the version.
func (l Limits) documents() map[Operation]Object {
	all := map[Operation]Object{
		UpdateContainer: object(nil, Object{"cpu": l.cpu(), "memory": l.memory(), "name": name(), "auto_heal": boolean()}),
		CreateCapsule:   l.createCapsule(),
		Rebuild:         object(nil, Object{"image": image(), "image_driver": typed("string null")}),
	}
	for _, part := range []map[Operation]Object{verbs(), operators()} {
		for operation, document := range part {
			all[operation] = document
		}
	}
	return all
}

func verbs() map[Operation]Object {
	one := func(name string, rule Object) Object { return object(list(name), Object{name: rule}) }
	detach := object(nil, Object{"network": short(), "port": short()})
	detach["oneOf"] = list(Object{"required": list("network")}, Object{"required": list("port")})
	attach := object(nil, Object{"network": short(), "port": short(),
		"fixed_ip": typed("string", "anyOf", list(Object{"format": "ipv4"}, Object{"format": "ipv6"}))})
	attach["not"] = Object{"required": list("network", "port")}
	path := typed("string", "minLength", 1, "maxLength", 4096)
	return map[Operation]Object{
		NoArguments:     object(nil, Object{}),
		DeleteContainer: object(nil, Object{"force": booleanExtended(), "stop": booleanExtended(), "all_projects": booleanExtended()}),
		Stop:            object(nil, Object{"timeout": count(0)}),
		Kill:            object(nil, Object{"signal": typed("string null", "enum", signals())}),
		Logs: object(nil, Object{"stdout": booleanExtended(), "stderr": booleanExtended(), "timestamps": booleanExtended(),
			"tail": typed("string integer null"), "since": typed("string integer null", "pattern", sincePattern)}),
		FollowLogs: object(nil, Object{"stdout": booleanExtended(), "stderr": booleanExtended(), "timestamps": booleanExtended(), "restarts": booleanExtended(),
			"tail": typed("string integer null"), "since": typed("string integer null", "pattern", sincePattern), "cursor": typed("string", "maxLength", 128)}),
		Execute: object(list("command"), Object{"command": typed("string", "minLength", 1), "run": boolean(), "interactive": boolean()}),
		ExecuteResize: object(list("exec_id"), Object{
			"exec_id": plainly(typed("string", "minLength", 64, "maxLength", 64, "pattern", "^[a-f0-9]*$")), "w": count(1), "h": count(1)}),
		Resize:        object(nil, Object{"w": count(1), "h": count(1)}),
		Top:           object(nil, Object{"ps_args": typed("string")}),
		GetArchive:    one("path", path),
		PutArchive:    object(list("path"), Object{"path": path, "data": typed("string")}),
		Commit:        object(list("repository"), Object{"repository": short(), "tag": typed("string null", "maxLength", 255)}),
		Rename:        one("name", given(name())),
		SecurityGroup: one("name", short()),
		NetworkDetach: detach,
		NetworkAttach: attach,
	}
}

func operators() map[Operation]Object {
	pair := list("host", "binary")
	limit := func() Object {
		return typed("integer string", "pattern", "^-?[0-9]+$", "minimum", -1, ours+"maximum", maxInt)
	}
	text := func() Object { return typed("string", "minLength", 1) }
	registry := func(required []any) Object {
		return object(list("registry"), Object{"registry": object(required, Object{
			"domain": text(), "name": strictName(), "username": text(), "password": text()})})
	}
	return map[Operation]Object{
		SwitchService:  object(pair, Object{"host": hostname(), "binary": short(), "disabled_reason": typed("string null", "minLength", 1, "maxLength", 255)}),
		ForceDown:      object(list("host", "binary", "forced_down"), Object{"host": hostname(), "binary": short(), "forced_down": booleanExtended()}),
		DeleteService:  object(pair, Object{"host": hostname(), "binary": short()}),
		UpdateQuota:    object(nil, Object{"containers": limit(), "memory": limit(), "disk": limit(), "cpu": limit()}),
		CreateRegistry: registry(list("domain")), UpdateRegistry: registry(nil),
		PullImage: object(list("repo", "host"), Object{
			"repo": image(), "host": hostname(), "tag": typed("string null", "maxLength", 255), "image_id": typed("string null", "maxLength", 255),
			"size": typed("string integer null", "pattern", "^[0-9]+[b|B|k|K|m|M|g|G]?$"), "image_pull_policy": pullPolicy()}),
		CreateNetwork: object(list("name"), Object{"name": short(), "neutron_net_id": typed("string null", "maxLength", 255)}),
		FollowEvents:  object(nil, Object{"all_projects": booleanExtended()}),
		SearchImages: object(nil, Object{
			"image_driver": typed("string null", "enum", list("glance", "docker", nil, "None")), "exact_match": booleanExtended()}),
	}
}

// createContainer is the schema of the create at version: fields behind a field
// gate are unknown below it; those behind a parameter gate are refused later, with
// the version that they need.
func (l Limits) createContainer(version api.Version) Object {
	properties := Object{
		"name": name(), "image": image(), "command": typed("string null"),
		"cpu": l.cpu(), "cpu_policy": plainly(typed("string", "enum", list("dedicated", "shared"))), "memory": l.memory(), "disk": l.disk(),
		"environment": environment(), "labels": labels(), "workdir": typed("string null"), "hostname": hostname(),
		"interactive": boolean(), "tty": boolean(), "image_driver": l.imageDriver(), "image_pull_policy": pullPolicy(),
		"restart_policy": restartPolicy(), "auto_remove": typed("boolean null"), "auto_heal": boolean(),
		"security_groups": typed("array null", "items", short()), "exposed_ports": typed("object null"),
		"nets": nets(), "mounts": mounts(), "hints": typed("object null"), "availability_zone": typed("string null", "minLength", 1, "maxLength", 255),
		"runtime": typed("string null", "maxLength", 255), "privileged": boolean(), "healthcheck": healthcheck(), "registry": strictName(),
		"run": booleanExtended(),
	}
	if version.Has(api.CommandList) {
		properties["command"] = words()
	}
	for field, rule := range map[string]Object{"host": hostname(), "entrypoint": words()} {
		if since, gated := api.FieldSince(api.GateField, field); gated && !version.Before(since) {
			properties[field] = rule
		}
	}
	o := object(list("image"), properties)
	if version.Has(api.PortsOrGroups) {
		o["not"] = Object{"required": list("security_groups", "exposed_ports")}
	}
	return o
}

func (l Limits) createCapsule() Object {
	metadata := typed("object", "properties", Object{"name": name(), "labels": labels(), "annotations": labels()})
	template := object(list("kind", "metadata", "spec"), Object{
		"kind": typed("string", "enum", list("capsule", "Capsule")), "capsuleVersion": typed("string", "enum", list("beta", "Beta")),
		"metadata": metadata, "spec": l.capsuleSpec(), "availabilityZone": typed("string null", "minLength", 1, "maxLength", 255),
		"restartPolicy": typed("string", "enum", list("Always", "OnFailure", "Never")),
	})
	return object(list("template"), Object{"template": template})
}

func (l Limits) capsuleSpec() Object {
	volume := open(list("name", "cinder"), Object{"name": strictName(), "cinder": cinder()})
	spec := open(list("containers"), Object{
		"containers":            typed("array", ours+"minItems", 1, "items", l.capsuleContainer()),
		ours + "initContainers": typed("array null", "items", l.capsuleContainer()),
		"volumes":               typed("array null", "items", volume),
		"restartPolicy":         typed("string", "enum", list("Always", "OnFailure", "Never")),
	})
	spec["type"] = list("object")
	return spec
}

func (l Limits) capsuleContainer() Object {
	strings := func() Object { return typed("array", "items", typed("string null")) }
	number := func() Object {
		return typed("integer string", "pattern", "^[0-9]*$", "minimum", 0, ours+"maximum", 65535)
	}
	port := object(list("containerPort"), Object{
		"name": name(), "containerPort": number(), "hostPort": number(), "protocol": typed("string", "enum", list("TCP", "UDP"))})
	mount := object(list("name", "mountPath"), Object{"name": strictName(), "mountPath": typed("string", ours+"minLength", 1), "readOnly": boolean()})
	listed := func(o Object) Object {
		o["type"] = list("object")
		return o
	}
	requests := listed(object(nil, Object{"cpu": l.cpu(), "memory": l.memory()}))
	return object(list("image"), Object{
		"name": name(), "image": image(), "command": strings(), "args": strings(), "env": environment(), "workDir": typed("string null"),
		"imagePullPolicy": pullPolicy(), "stdin": boolean(), "tty": boolean(),
		"ports": typed("array", "items", port), "volumeMounts": typed("array", "items", mount),
		"resources": listed(object(nil, Object{"requests": requests})),
	})
}

func cinder() Object {
	o := object(nil, Object{
		"volumeID": plainly(typed("string", "minLength", 36, "maxLength", 36)),
		"size": typed("number", "minLength", 1, "pattern", "^[0-9]*$",
			ours+"minimum", 1, ours+"maximum", maxInt, ours+"multipleOf", 1),
		"autoRemove": boolean()})
	o[ours+"oneOf"] = list(Object{"required": list("volumeID")}, Object{"required": list("size")})
	return o
}
