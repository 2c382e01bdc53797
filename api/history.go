package api

import "slices"

// Behaviour names something that a server or a client does differently from some
// microversion on. Code asks Version.Has, so that no version number is written twice.
type Behaviour string

// The behaviours that depend on the version beyond routes and request fields.
const (
	CommandList       Behaviour = "command-list"         // command is a list of strings, no longer one string
	TTYFollows        Behaviour = "tty-follows"          // tty takes the value of interactive
	TTYSeparate       Behaviour = "tty-separate"         // tty is independent of interactive again
	PortsOrGroups     Behaviour = "ports-or-groups"      // exposed_ports and security_groups exclude each other
	ForceDelete       Behaviour = "force-delete"         // DELETE knows force
	StopDelete        Behaviour = "stop-delete"          // DELETE knows stop
	NetworkListByPort Behaviour = "network-list-by-port" // network_list has one row per port
	ArchiveBase64     Behaviour = "archive-base64"       // archive data is base64
	CapsuleView       Behaviour = "capsule-view"         // capsules are shown with the names of containers
)

// Since returns the microversion from which b is in force; the zero Version for a
// name that is unknown, so that an unknown behaviour is never withheld by accident
// of spelling: the history's test walks every constant.
func (b Behaviour) Since() Version {
	for _, c := range history {
		for _, have := range c.Behaviours {
			if have == b {
				return c.Version
			}
		}
	}
	return Version{}
}

// Gate says what a server does with a request that is older than the change.
type Gate string

// The gates.
const (
	GateOpen   Gate = "open"   // nothing: what came later is accepted always
	GateParam  Gate = "param"  // the parameter is refused with 400 and the version it needs
	GateField  Gate = "field"  // the field is unknown: 400, additional property
	GateRoute  Gate = "route"  // the route is not served: 406
	GateAnswer Gate = "answer" // only the answer or the reading of a value differs
)

// Change is one step of the API's history.
type Change struct {
	Version    Version
	Brings     string // what it brought, one sentence
	Gate       Gate
	Behaviours []Behaviour
	Fields     []string // request fields that Gate guards
}

// history is every microversion, oldest first. It is asked several times in each
// request, and so not made anew.
var history = []Change{ //nolint:gochecknoglobals // a constant table
	{Version: v(1), Brings: "The first version: containers, images, services.", Gate: GateOpen},
	{Version: v(2), Brings: "nets on create.", Gate: GateOpen, Fields: []string{"nets"}},
	{Version: v(3), Brings: "auto_remove on create.", Gate: GateParam, Fields: []string{"auto_remove"}},
	{Version: v(4), Brings: "Hosts.", Gate: GateRoute},
	{Version: v(5), Brings: "runtime on create.", Gate: GateParam, Fields: []string{"runtime"}},
	{Version: v(6), Brings: "network_detach.", Gate: GateRoute},
	{Version: v(7), Brings: "force on delete.", Gate: GateParam, Behaviours: []Behaviour{ForceDelete}, Fields: []string{"force"}},
	{Version: v(8), Brings: "network_attach.", Gate: GateRoute},
	{Version: v(9), Brings: "hostname on create.", Gate: GateParam, Fields: []string{"hostname"}},
	{Version: v(10), Brings: "Delete is asynchronous.", Gate: GateOpen},
	{Version: v(11), Brings: "mounts on create.", Gate: GateParam, Fields: []string{"mounts"}},
	{Version: v(12), Brings: "stop on delete.", Gate: GateParam, Behaviours: []Behaviour{StopDelete}, Fields: []string{"stop"}},
	{Version: v(13), Brings: "network_list.", Gate: GateRoute},
	{Version: v(14), Brings: "The verb rename ends; PATCH changes the name.", Gate: GateRoute},
	{Version: v(15), Brings: "The verbs add_security_group and remove_security_group end.", Gate: GateRoute},
	{Version: v(16), Brings: "A capsule's restart policy stands in its spec.", Gate: GateOpen},
	{Version: v(17), Brings: "network_detach by port.", Gate: GateOpen, Fields: []string{"port"}},
	{Version: v(18), Brings: "network_list shows one row per port.", Gate: GateAnswer, Behaviours: []Behaviour{NetworkListByPort}},
	{Version: v(19), Brings: "resize_container.", Gate: GateRoute},
	{Version: v(20), Brings: "command is a list of strings; tty follows interactive; exposed_ports and security_groups exclude each other.",
		Gate: GateAnswer, Behaviours: []Behaviour{CommandList, TTYFollows, PortsOrGroups}, Fields: []string{"command"}},
	{Version: v(21), Brings: "privileged on create.", Gate: GateParam, Fields: []string{"privileged"}},
	{Version: v(22), Brings: "healthcheck on create.", Gate: GateParam, Fields: []string{"healthcheck"}},
	{Version: v(23), Brings: "type in mounts: bind injects a file.", Gate: GateOpen, Fields: []string{"type"}},
	{Version: v(24), Brings: "exposed_ports on create.", Gate: GateParam, Fields: []string{"exposed_ports"}},
	{Version: v(25), Brings: "Archive data is base64.", Gate: GateAnswer, Behaviours: []Behaviour{ArchiveBase64}},
	{Version: v(26), Brings: "Quotas.", Gate: GateOpen},
	{Version: v(27), Brings: "Delete of a network.", Gate: GateRoute},
	{Version: v(28), Brings: "cpu_policy on create.", Gate: GateOpen, Fields: []string{"cpu_policy"}},
	{Version: v(29), Brings: "enable_cpu_pinning in the view of a host.", Gate: GateOpen},
	{Version: v(30), Brings: "Registries.", Gate: GateOpen},
	{Version: v(31), Brings: "registry on create.", Gate: GateParam, Fields: []string{"registry"}},
	{Version: v(32), Brings: "Capsules are shown with the names of containers; their delete is asynchronous.",
		Gate: GateAnswer, Behaviours: []Behaviour{CapsuleView}},
	{Version: v(33), Brings: "finish_time in action records.", Gate: GateOpen},
	{Version: v(34), Brings: "initContainers in capsules.", Gate: GateOpen, Fields: []string{"initContainers"}},
	{Version: v(35), Brings: "ports in a capsule's containers.", Gate: GateOpen, Fields: []string{"ports"}},
	{Version: v(36), Brings: "tty is independent of interactive.", Gate: GateAnswer, Behaviours: []Behaviour{TTYSeparate}, Fields: []string{"tty"}},
	{Version: v(37), Brings: "tty and stdin in a capsule's containers.", Gate: GateOpen, Fields: []string{"tty", "stdin"}},
	{Version: v(38), Brings: "annotations in capsules.", Gate: GateOpen, Fields: []string{"annotations"}},
	{Version: v(39), Brings: "host on create, for administrators.", Gate: GateField, Fields: []string{"host"}},
	{Version: v(40), Brings: "entrypoint on create.", Gate: GateField, Fields: []string{"entrypoint"}},
}

// History returns every microversion, oldest first.
func History() []Change { return slices.Clone(history) }

// FieldSince returns the version from which the request field of create or delete
// is guarded by gate, and false if that gate does not guard it.
func FieldSince(gate Gate, field string) (Version, bool) {
	for _, c := range history {
		if c.Gate != gate {
			continue
		}
		for _, f := range c.Fields {
			if f == field {
				return c.Version, true
			}
		}
	}
	return Version{}, false
}

func v(minor int) Version { return Version{Major: 1, Minor: minor} }
