package schema

import (
	"strconv"
	"strings"
)

// Limits are the bounds that the operator configures.
type Limits struct {
	MinCPU, MaxCPU           float64
	MinMemoryMB, MaxMemoryMB int64
	MinDiskGB, MaxDiskGB     int64
	ImageDrivers             []string
}

// DefaultLimits returns the documented defaults.
func DefaultLimits() Limits {
	return Limits{MinCPU: 0.1, MaxCPU: 16, MinMemoryMB: 4, MaxMemoryMB: 8192, MinDiskGB: 1, MaxDiskGB: 160,
		ImageDrivers: []string{"glance", "docker"}}
}

const (
	namePattern  = "^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"
	imagePattern = "[a-zA-Z0-9][a-zA-Z0-9_.-]"
	hostPattern  = "^[a-zA-Z0-9-._]*$"
	sincePattern = "(^[0-9]*$)|([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{1,3})"
)

func list(items ...any) []any { return items }

// typed is a schema of one or several types with further keywords in pairs.
func typed(types string, pairs ...any) Object {
	named := []any{}
	for word := range strings.FieldsSeq(types) {
		named = append(named, word)
	}
	o := Object{"type": named}
	for i := 0; i+1 < len(pairs); i += 2 {
		o[pairs[i].(string)] = pairs[i+1]
	}
	return o
}

// plainly makes rule a schema whose one type is not written as a list, as some rules of this
// API always were.
func plainly(rule Object) Object {
	if types, several := rule["type"].([]any); several && len(types) == 1 {
		rule["type"] = types[0]
	}
	return rule
}

func object(required []any, properties Object) Object {
	o := Object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// open is an object that may have further members.
func open(required []any, properties Object) Object {
	o := object(required, properties)
	o["additionalProperties"] = true
	return o
}

func boolean() Object {
	return typed("boolean string", "enum", list(true, "True", "true", false, "False", "false"))
}

func booleanExtended() Object {
	return typed("boolean string", "enum", list(true, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes",
		false, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"))
}

func name() Object {
	return typed("string null", "minLength", 2, "maxLength", 255, "pattern", namePattern)
}

func strictName() Object {
	return typed("string", "minLength", 2, "maxLength", 255, "pattern", namePattern)
}

// given is rule for what must not be null although the rule as it is known lets it be.
func given(rule Object) Object {
	rule[ours+"not"] = Object{"type": "null"}
	return rule
}

func image() Object {
	return plainly(typed("string", "minLength", 2, "maxLength", 255, "pattern", imagePattern))
}

func short() Object { return typed("string", "minLength", 1, "maxLength", 255) }

func hostname() Object {
	return plainly(typed("string", "minLength", 1, "maxLength", 255, "pattern", hostPattern))
}

func (l Limits) cpu() Object {
	return typed("number string null", "minLength", 1, "pattern", `^[0-9]*(\.([0-9]+))?$`, "minimum", l.MinCPU, "maximum", l.MaxCPU)
}

func (l Limits) memory() Object {
	return typed("string integer null", "pattern", "^[0-9]+$", "minimum", l.MinMemoryMB, "maximum", l.MaxMemoryMB)
}

func (l Limits) disk() Object {
	return typed("string integer null", "pattern", "^[0-9]+$", "minimum", l.MinDiskGB, "maximum", l.MaxDiskGB)
}

func (l Limits) imageDriver() Object {
	words := make([]any, 0, len(l.ImageDrivers)+2)
	for _, d := range l.ImageDrivers {
		words = append(words, d)
	}
	return typed("string null", "enum", append(words, nil, "None"))
}

func pullPolicy() Object {
	return typed("string null", "enum", list("never", "always", "ifnotpresent", "Never", "Always", "IfNotPresent", nil))
}

func restartPolicy() Object {
	o := object(list("Name"), Object{
		"Name":              typed("string", "enum", list("no", "always", "on-failure", "unless-stopped")),
		"MaximumRetryCount": typed("integer string null", "minimum", 0, ours+"maximum", maxInt, "pattern", "^[0-9]+$"),
	})
	o["type"] = list("object", "null")
	return o
}

// maxInt bounds counts and seconds: what a 32-bit column and an engine's timer hold.
const maxInt = 1<<31 - 1

func healthcheck() Object {
	seconds := func() Object {
		return typed("integer string null", "minimum", 0, "maximum", maxInt, "pattern", "^[0-9]+$")
	}
	judged := object(nil, Object{"cmd": typed("string", "minLength", 1), "interval": seconds(), "retries": seconds(), "timeout": seconds()})
	// The rules for the members once stood under items, where nothing judges an object.
	loose := func() Object { return typed("integer null") }
	shown := object(nil, Object{"cmd": short(), "interval": loose(), "retries": loose(), "timeout": loose()})
	return typed("object null", "items", shown, ours+"properties", judged["properties"], ours+"additionalProperties", false)
}

func nets() Object {
	item := object(nil, Object{
		"network": short(), "port": short(),
		"v4-fixed-ip": typed("string", "format", "ipv4"), "v6-fixed-ip": typed("string", "format", "ipv6"),
	})
	item["oneOf"] = list(Object{"required": list("network")}, Object{"required": list("port")})
	return typed("array null", "items", item)
}

func mounts() Object {
	item := object(nil, Object{
		"type": typed("string", ours+"enum", list("volume", "bind")), "source": typed("string"), "destination": typed("string", ours+"minLength", 1),
		"size": typed("string integer", ours+"pattern", "^[0-9]+$", ours+"minimum", 1, ours+"maximum", maxInt),
	})
	item["anyOf"] = list(Object{"required": list("source", "destination")}, Object{"required": list("size", "destination")})
	return typed("array null", "items", item)
}

func environment() Object {
	return typed("object null", "patternProperties", Object{".+": typed("string")})
}

// labels take any scalar, which is kept as text; a nested value has no text.
func labels() Object {
	return typed("object null", ours+"additionalProperties", typed("string number boolean null"))
}

// words are lists of scalars that are kept as text.
func words() Object {
	return typed("array null", ours+"items", typed("string number boolean"))
}

// size is a count of columns or rows, or of seconds.
func count(least int) Object {
	return typed("integer string", "pattern", "^[0-9]*$", "minimum", least, ours+"maximum", maxInt)
}

// signals returns every spelling of a signal, and the word None that a widely used
// client sends when it means no signal.
func signals() []any {
	named := []struct {
		name   string
		number int
	}{
		{"HUP", 1}, {"INT", 2}, {"QUIT", 3}, {"ILL", 4}, {"TRAP", 5}, {"ABRT", 6}, {"BUS", 7}, {"FPE", 8}, {"KILL", 9},
		{"USR1", 10}, {"SEGV", 11}, {"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15}, {"STKFLT", 16}, {"CHLD", 17},
		{"CONT", 18}, {"STOP", 19}, {"TSTP", 20}, {"TTIN", 21}, {"TTOU", 22}, {"URG", 23}, {"XCPU", 24}, {"XFSZ", 25},
		{"VTALRM", 26}, {"PROF", 27}, {"WINCH", 28}, {"IO", 29}, {"PWR", 30}, {"SYS", 31}, {"RTMIN", 34}, {"RTMAX", 64},
	}
	all := []any{"None"}
	for _, s := range named {
		lower := strings.ToLower(s.name)
		all = append(all, "SIG"+s.name, s.name, "sig"+lower, lower, strconv.Itoa(s.number))
	}
	return all
}
