package rest_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

func TestCreateAnswersWithTheContainer(t *testing.T) {
	h := build(t, nil)
	w := h.do(t, ask{method: "POST", path: "/v1/containers?run=true", body: `{"image":"cirros:latest","name":"web-1","command":["sleep",600],
		"cpu":0.5,"memory":"0128","disk":null,"environment":{"A":"1"},"labels":{"tier":"front","gone":null,"n":5},
		"restart_policy":{"Name":"on-failure","MaximumRetryCount":"3"},"interactive":"true","tty":true,"nets":[{"network":"private"}],
		"exposed_ports":{"80/tcp":{},"53/UDP":null},"healthcheck":{"cmd":"true","interval":"30"},"mounts":null,"entrypoint":["/bin/sh"]}`})
	if w.Code != 202 || w.Header().Get("Location") != "http://zun.test/v1/containers/"+rowID {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	got := h.created
	spec := domain.Spec{Name: "web-1", Image: "cirros:latest", Command: []string{"sleep", "600"}, Entrypoint: []string{"/bin/sh"}, CPU: 0.5, MemoryMB: 128,
		Environment: map[string]string{"A": "1"}, Labels: map[string]string{"tier": "front", "n": "5"}, Interactive: true, TTY: true,
		Restart: domain.RestartPolicy{Name: "on-failure", MaxRetries: 3}, Nets: []domain.NetRequest{{Network: "private"}},
		ExposedPorts: []string{"53/udp", "80/tcp"}, Healthcheck: &domain.Healthcheck{Test: "true", Interval: 30}, PullPolicy: domain.PullAlways}
	if !reflect.DeepEqual(got.Spec, spec) {
		t.Errorf("spec\n got %+v\nwant %+v", got.Spec, spec)
	}
	if !got.Run || !got.CPUAsked || !got.MemoryAsked || got.DiskAsked {
		t.Errorf("request %+v", got)
	}
	for _, part := range []string{`"memory":"128"`, `"addresses":null`, `"security_groups":null`, `"status":"Creating"`, `"status_reason":null`,
		`"MaximumRetryCount":"3"`, `"created_at":"2026-11-22 19:45:23.725710"`, `"updated_at":null`} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("no %s in %s", part, w.Body)
		}
	}
	for _, hidden := range []string{"host", "runtime", "image_pull_policy", "privileged"} {
		if strings.Contains(w.Body.String(), `"`+hidden+`"`) {
			t.Errorf("a member sees %s", hidden)
		}
	}
}

func TestCreateRefusesInTheContractsWords(t *testing.T) {
	h := build(t, nil)
	for body, want := range map[string]string{
		`{}`:                                       `'image' is a required property`,
		``:                                         `'image' is a required property`,
		`{"image":"cirros","x":1}`:                 `Additional properties are not allowed ('x' was unexpected)`,
		`{"image":"cirros","x":1,"y":2}`:           `Additional properties are not allowed ('x', 'y' were unexpected)`,
		`{"image":1}`:                              `Invalid input for field 'image'.Value: '1'. 1 is not of type 'string'`,
		`{"image":"a"}`:                            `Invalid input for field 'image'.Value: 'a'. 'a' is too short`,
		`{"image":"cirros","cpu":99}`:              `Invalid input for field 'cpu'.Value: '99'. 99 is greater than the maximum of 16.0`,
		`{"image":"cirros","cpu":"99"}`:            `Invalid input for field 'cpu'.Value: '99'. 99 is greater than the maximum of 16.0`,
		`{"image":"cirros","cpu":""}`:              `Invalid input for field 'cpu'.Value: ''. '' is too short`,
		`{"image":"cirros","memory":"512m"}`:       `Invalid input for field 'memory'.Value: '512m'. '512m' does not match '^[0-9]+$'`,
		`{"image":"cirros","memory":1}`:            `Invalid input for field 'memory'.Value: '1'. 1 is less than the minimum of 4`,
		`{"image":"cirros","name":"it's"}`:         `Invalid input for field 'name'.Value: 'it's'. "it's" does not match '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$'`,
		`{"image":"cirros","command":"ls"}`:        `Invalid input for field 'command'.Value: 'ls'. 'ls' is not of type 'array', 'null'`,
		`{"image":"cirros","hostname":null}`:       `Invalid input for field 'hostname'.Value: 'None'. None is not of type 'string'`,
		`{"image":"cirros","interactive":"maybe"}`: `Invalid input for field 'interactive'.Value: 'maybe'. 'maybe' is not one of [True, 'True', 'true', False, 'False', 'false']`,
		`{"image":"cirros","nets":[{"network":"a","port":"b"}]}`:                        `Invalid input for field '0'.Value: '{'network': 'a', 'port': 'b'}'. {'network': 'a', 'port': 'b'} is valid under each of {'required': ['port']}, {'required': ['network']}`,
		`{"image":"cirros","mounts":[{"type":"disk","source":"a","destination":"/b"}]}`: `Invalid input for field 'type'.Value: 'disk'. 'disk' is not one of ['volume', 'bind']`,
		`{"image":"cirros","exposed_ports":{"80/icmp":{}}}`:                             `value icmp is an invalid protocol`,
		`{"image":"cirros","exposed_ports":{"abc":{}}}`:                                 `value abc is invalid as publish port.`,
		`{"image":"cirros","exposed_ports":{"99999":{}}}`:                               `value 99999 is invalid as publish port.`,
		`{"image":"cirros","restart_policy":{"Name":"always","MaximumRetryCount":2}}`:   `maximum retry count not valid with restart policy of always`,
		`{"image":"cirros","healthcheck":{"interval":"soon"}}`:                          `Invalid input for field 'interval'.Value: 'soon'. 'soon' does not match '^[0-9]+$'`,
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers", body: body})
		if f := fault(t, w); w.Code != 400 || sentence(f) != want {
			t.Errorf("%s:\n got %d %s\nwant %s", body, w.Code, f.Title, want)
		}
	}
	long := `{"image":"cirros","name":"` + strings.Repeat("a", 100000) + `"}`
	if w := h.do(t, ask{method: "POST", path: "/v1/containers", body: long}); w.Code != 400 || w.Body.Len() > 10000 {
		t.Errorf("a long name is answered with %d bytes", w.Body.Len())
	}
	if f := fault(t, h.do(t, ask{method: "POST", path: "/v1/containers?image=cirros", body: `{}`})); f.Title != "Additional properties are not allowed ('image' was unexpected)" {
		t.Errorf("image by query: %s", f.Title)
	}
	if f := fault(t, h.do(t, ask{method: "POST", path: "/v1/containers?run=maybe", body: `{"image":"cirros"}`})); !strings.HasPrefix(f.Title, "Invalid input for query parameters 'run'. Value: 'maybe'. 'maybe' is not one of [True, 'True', 'TRUE'") {
		t.Errorf("run=maybe: %s", f.Title)
	}
}

func TestFieldsHaveTheirVersions(t *testing.T) {
	h := build(t, nil)
	for _, c := range []struct{ body, below, from, title string }{
		{`{"image":"cirros","auto_remove":true}`, "1.2", "1.3", "Invalid param auto_remove because current request version is 1.2. auto_remove is only supported from version 1.3"},
		{`{"image":"cirros","hostname":"h"}`, "1.8", "1.9", "Invalid param hostname because current request version is 1.8. hostname is only supported from version 1.9"},
		{`{"image":"cirros","exposed_ports":{"80":{}}}`, "1.23", "1.24", "Invalid param exposed_ports because current request version is 1.23. exposed_ports is only supported from version 1.24"},
		{`{"image":"cirros","registry":"reg1"}`, "1.30", "1.31", "Invalid param registry because current request version is 1.30. registry is only supported from version 1.31"},
		{`{"image":"cirros","host":"node-1"}`, "1.38", "1.39", "Additional properties are not allowed ('host' was unexpected)"},
		{`{"image":"cirros","entrypoint":["a"]}`, "1.39", "1.40", "Additional properties are not allowed ('entrypoint' was unexpected)"},
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers", body: c.body, version: "container " + c.below, token: "admin"})
		if f := fault(t, w); w.Code != 400 || f.Title != c.title {
			t.Errorf("%s at %s: %d %s", c.body, c.below, w.Code, f.Title)
		}
		if w := h.do(t, ask{method: "POST", path: "/v1/containers", body: c.body, version: "container " + c.from, token: "admin"}); w.Code != 202 {
			t.Errorf("%s at %s: %d %s", c.body, c.from, w.Code, w.Body)
		}
	}
}

func TestCommandAndTerminalByVersion(t *testing.T) {
	h := build(t, nil)
	create := func(version, body string) domain.Spec {
		t.Helper()
		if w := h.do(t, ask{method: "POST", path: "/v1/containers", body: body, version: "container " + version}); w.Code != 202 {
			t.Fatalf("%s: %d %s", version, w.Code, w.Body)
		}
		return h.created.Spec
	}
	if got := create("1.19", `{"image":"cirros","command":"sh -c \"echo 'a b' \\\\ $x\" '' c\\ d"}`).Command; !slices.Equal(got, []string{"sh", "-c", `echo 'a b' \ $x`, "", "c d"}) {
		t.Errorf("split into %q", got)
	}
	if w := h.do(t, ask{method: "POST", path: "/v1/containers", body: `{"image":"cirros","command":"a 'b"}`, version: "container 1.1"}); w.Code != 400 {
		t.Errorf("an open quotation: %d", w.Code)
	}
	for version, want := range map[string]bool{"1.19": false, "1.20": true, "1.35": true, "1.36": false} {
		if got := create(version, `{"image":"cirros","interactive":true}`).TTY; got != want {
			t.Errorf("tty at %s is %v", version, got)
		}
	}
}

func TestCreateRulesOfPolicy(t *testing.T) {
	h := build(t, nil)
	for field, rule := range map[string]string{
		`"runtime":"kata"`: "container:create:runtime", `"host":"node-1"`: "container:create:requested_destination",
		`"image_pull_policy":"Never"`: "container:create:image_pull_policy", `"privileged":"True"`: "container:create:privileged",
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers", body: `{"image":"cirros",` + field + `}`})
		if f := fault(t, w); w.Code != 403 || f.Title != "Policy doesn't allow "+rule+" to be performed." || f.Code != "container.policy-not-authorized" {
			t.Errorf("%s: %d %+v", field, w.Code, f)
		}
	}
	if w := h.do(t, ask{method: "POST", path: "/v1/containers", body: `{"image":"cirros","privileged":false}`}); w.Code != 202 {
		t.Errorf("privileged false asks for nothing: %d", w.Code)
	}
	h.do(t, ask{method: "POST", path: "/v1/containers", body: `{"image":"cirros","image_pull_policy":"IfNotPresent"}`, token: "admin"})
	if h.created.Spec.PullPolicy != domain.PullIfNotPresent || h.created.Spec.PullPolicyAsked != "IfNotPresent" {
		t.Errorf("pull policy %+v", h.created.Spec)
	}
}

func TestShowHidesWhatIsTheOperators(t *testing.T) {
	h := build(t, nil)
	for token, sees := range map[string]bool{"member": false, "admin": true} {
		w := h.do(t, ask{path: "/v1/containers/web-1", token: token})
		var shown map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, field := range []string{"host", "runtime", "image_pull_policy", "privileged"} {
			if _, there := shown[field]; there != sees {
				t.Errorf("%s sees %s: %v", token, field, there)
			}
		}
		if !reflect.DeepEqual(shown["healthcheck"], map[string]any{}) || !reflect.DeepEqual(shown["command"], []any{}) {
			t.Errorf("empty members: %v %v", shown["healthcheck"], shown["command"])
		}
	}
	if w := h.do(t, ask{path: "/v1/containers/web-1?all_projects=1"}); w.Code != 403 {
		t.Errorf("all_projects by a member: %d", w.Code)
	}
	if w := h.do(t, ask{path: "/v1/containers/web-1?whatever=1"}); w.Code != 200 {
		t.Errorf("show ignores other keys: %d", w.Code)
	}
}

func TestListPagesAndFilters(t *testing.T) {
	h := build(t, nil)
	w := h.do(t, ask{path: "/v1/containers?limit=1&name=web-1&auto_remove=TRUE&sort_dir=desc&expand=1"})
	var list api.ContainerList
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Containers) != 1 || list.Next == nil {
		t.Fatalf("%v %s", err, w.Body)
	}
	next, err := url.Parse(*list.Next)
	if err != nil || next.Path != "/v1/containers" {
		t.Fatal(*list.Next)
	}
	want := url.Values{"limit": {"1"}, "name": {"web-1"}, "auto_remove": {"TRUE"}, "sort_key": {"id"}, "sort_dir": {"desc"}, "marker": {rowID}}
	if !reflect.DeepEqual(next.Query(), want) {
		t.Errorf("next keeps %v", next.Query())
	}
	if f := h.listed.Filters; *f.Name != "web-1" || !*f.AutoRemove || !h.listed.Page.Desc {
		t.Errorf("asked for %+v", h.listed)
	}
	if w := h.do(t, ask{path: "/v1/containers?limit=5000"}); w.Code != 200 || h.listed.Page.Limit != 1000 || !strings.Contains(w.Body.String(), `"next":null`) {
		t.Errorf("limit %d: %s", h.listed.Page.Limit, w.Body)
	}
	for query, c := range map[string]struct {
		code  int
		title string
	}{
		"limit=0": {400, "Limit must be positive integer"}, "limit=x": {400, "Limit must be positive integer"}, "limit=1&limit=2": {400, "Limit must be positive integer"},
		"sort_dir=up": {400, "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'"},
		"foo=bar":     {400, "Unknown parameters: foo"}, "uuid=1&foo=2": {400, "Unknown parameters: foo, uuid"},
		"host=node-1":        {403, "Policy doesn't allow container:get_one:host to be performed."},
		"all_projects=1":     {403, "Policy doesn't allow container:get_all_all_projects to be performed."},
		"all_projects=maybe": {400, "Valid all_projects values are: 1, t, true, on, y, yes, 0, f, false, off, n, no"},
		"sort_key=nosuch":    {400, `The sort_key value "nosuch" is an invalid field for sorting`},
		"marker=nosuch":      {404, "Container nosuch could not be found."},
	} {
		w := h.do(t, ask{path: "/v1/containers?" + query})
		if f := fault(t, w); w.Code != c.code || f.Title != c.title {
			t.Errorf("%s: %d %s", query, w.Code, f.Title)
		}
	}
	if w := h.do(t, ask{path: "/v1/containers?all_projects=On&host=node-1", token: "admin"}); w.Code != 200 || !h.listed.AllProjects || *h.listed.Filters.Host != "node-1" {
		t.Errorf("%d %+v", w.Code, h.listed)
	}
}

func TestDeleteJudgesForceAndStop(t *testing.T) {
	h := build(t, nil)
	w := h.do(t, ask{method: "DELETE", path: "/v1/containers/web-1?stop=yes"})
	if w.Code != 204 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" || !h.deleted.Stop {
		t.Errorf("%d %q %+v", w.Code, w.Body, h.deleted)
	}
	for _, c := range []struct {
		query, token, version string
		code                  int
	}{
		{"force=true", "member", "1.40", 403}, {"force=true&stop=true", "member", "1.40", 403}, {"force=true", "admin", "1.40", 204},
		{"force=true", "admin", "1.6", 400}, {"force=false", "member", "1.6", 204}, {"stop=1", "member", "1.11", 400},
		{"force=maybe", "member", "1.40", 400}, {"foo=1", "member", "1.40", 400}, {"all_projects=1", "member", "1.40", 403}, {"all_projects=1", "admin", "1.40", 204},
	} {
		if w := h.do(t, ask{method: "DELETE", path: "/v1/containers/web-1?" + c.query, token: c.token, version: "container " + c.version}); w.Code != c.code {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
	if w := h.do(t, ask{method: "DELETE", path: "/v1/containers/nosuch"}); w.Code != 404 || fault(t, w).Code != "container.container-not-found" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestVerbsTakeTheirArguments(t *testing.T) {
	h := build(t, nil)
	seconds := 5
	for _, c := range []struct {
		verb, query, body, version string
		code                       int
		args                       domain.ActionArgs
	}{
		{"start", "", "", "1.1", 202, domain.ActionArgs{}},
		{"stop", "timeout=5", "", "1.1", 202, domain.ActionArgs{TimeoutSeconds: &seconds}},
		{"stop", "", `{"timeout":5}`, "1.1", 202, domain.ActionArgs{TimeoutSeconds: &seconds}},
		{"stop", "timeout=", "", "1.1", 202, domain.ActionArgs{}},
		{"reboot", "timeout=5", "", "1.1", 202, domain.ActionArgs{TimeoutSeconds: &seconds}},
		{"kill", "signal=None", "", "1.1", 202, domain.ActionArgs{}},
		{"kill", "signal=sigterm", "", "1.1", 202, domain.ActionArgs{Signal: "SIGTERM"}},
		{"kill", "signal=HUP", "", "1.1", 202, domain.ActionArgs{Signal: "SIGHUP"}},
		{"kill", "", `{"signal":"9"}`, "1.1", 202, domain.ActionArgs{Signal: "9"}},
		{"pause", "", "", "1.40", 202, domain.ActionArgs{}},
		{"unpause", "", "", "1.40", 202, domain.ActionArgs{}},
		{"rebuild", "image=nginx", "", "1.40", 202, domain.ActionArgs{Image: "nginx", Run: true}},
		{"add_security_group", "name=web", "", "1.14", 202, domain.ActionArgs{Group: "web"}},
		{"network_attach", "network=n1&fixed_ip=fd00::9", "", "1.8", 200, domain.ActionArgs{Net: domain.NetRequest{Network: "n1", FixedV6: "fd00::9"}}},
		{"network_detach", "port=p9", "", "1.17", 202, domain.ActionArgs{Net: domain.NetRequest{Port: "p9"}}},
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers/web-1/" + c.verb + "?" + c.query, body: c.body, version: "container " + c.version})
		if w.Code != c.code || strings.TrimSpace(w.Body.String()) != "null" {
			t.Errorf("%s: %d %s", c.verb, w.Code, w.Body)
		}
		if string(h.verb) != c.verb || !reflect.DeepEqual(h.args, c.args) {
			t.Errorf("%s?%s: %s %+v", c.verb, c.query, h.verb, h.args)
		}
	}
	for path, want := range map[string]string{
		"stop?timeout=x":                   "Invalid input for query parameters 'timeout'. Value: 'x'. 'x' does not match '^[0-9]*$'",
		"stop?timeout=-1":                  "Invalid input for query parameters 'timeout'. Value: '-1'. '-1' does not match '^[0-9]*$'",
		"start?foo=1":                      "Additional properties are not allowed ('foo' was unexpected)",
		"rebuild?image_driver=floppy":      "Invalid input for image_driver, it should be within the image drivers list",
		"network_detach":                   "{} is not valid under any of the given schemas",
		"execute":                          "'command' is a required property",
		"execute_resize?w=1&h=1":           "'exec_id' is a required property",
		"execute_resize?w=1&h=1&exec_id=1": "Invalid input for query parameters 'exec_id'. Value: '1'. '1' is too short",
		"resize?w=1":                       "'h' is a required property",
		"commit":                           "'repository' is a required property",
		"put_archive":                      "'path' is a required property",
		"put_archive?path=/tmp":            "'data' is a required property",
		"put_archive?path=/tmp&data=!":     "Invalid Base 64 file data",
		"execute?command=%20":              "The command is empty.",
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers/web-1/" + path})
		if f := fault(t, w); w.Code != 400 || sentence(f) != want {
			t.Errorf("%s: %d %s", path, w.Code, f.Title)
		}
	}
	if f := fault(t, h.do(t, ask{method: "POST", path: "/v1/containers/web-1/kill?signal=SIGFOO"})); !strings.HasPrefix(f.Title, "Invalid input for field 'signal'.Value: 'SIGFOO'. 'SIGFOO' is not one of ['None', 'SIGHUP'") {
		t.Errorf("kill: %s", f.Title)
	}
}

func TestChangesOfAContainer(t *testing.T) {
	h := build(t, nil)
	for _, c := range []struct {
		method, path string
		code         int
	}{{"PATCH", "/v1/containers/web-1", 200}, {"POST", "/v1/containers/web-1/resize_container", 202}} {
		w := h.do(t, ask{method: c.method, path: c.path, body: `{"cpu":"0.3","memory":64,"name":null,"auto_heal":"False"}`})
		if w.Code != c.code || !strings.Contains(w.Body.String(), `"links"`) {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
	if *h.changed.CPU != 0.3 || *h.changed.MemoryMB != 64 || h.changed.Name != nil || *h.changed.AutoHeal {
		t.Errorf("change %+v", h.changed)
	}
	if *h.args.CPU != 0.3 || *h.args.MemoryMB != 64 || h.verb != domain.VerbResizeContainer {
		t.Errorf("resize %+v", h.args)
	}
	if w := h.do(t, ask{method: "PATCH", path: "/v1/containers/web-1", body: `{"image":"x"}`}); w.Code != 400 {
		t.Errorf("PATCH image: %d", w.Code)
	}
}

func TestLookingInside(t *testing.T) {
	h := build(t, nil)
	for _, c := range []struct{ method, path, version, want string }{
		{"GET", "logs?stdout=Yes&stderr=0&tail=5&since=100", "1.40", `"one\n\ufffdtwo <3\n"`},
		{"POST", "execute?command=sh+-c+%22exit+3%22", "1.40", `{"output":"hi\n","exit_code":3,"exec_id":null,"proxy_url":null}`},
		{"POST", "execute?command=sh&run=false&interactive=true", "1.40", `{"output":null,"exit_code":null,"exec_id":"e1","proxy_url":"ws://console/?token=t"}`},
		{"GET", "attach", "1.40", `"ws://console/?token=t"`},
		{"POST", "resize?w=80&h=24", "1.40", `null`},
		{"GET", "top?ps_args=None", "1.40", `{"Titles":["PID",""],"Processes":[]}`},
		{"GET", "stats", "1.40", `{"CONTAINER":"web-1","CPU %":1.5,"MEM USAGE(MiB)":1,"MEM LIMIT(MiB)":4,"MEM %":25,"BLOCK I/O(B)":"1/2","NET I/O(B)":"3/4"}`},
		{"GET", "get_archive?path=/f", "1.25", `{"data":"dGFyIGJ5dGVz","stat":{"name":"f","size":9,"mode":0,"mtime":"2026-11-22T19:45:23Z","linkTarget":""}}`},
		{"GET", "get_archive?path=/f", "1.24", `{"data":"tar bytes","stat":{"name":"f","size":9,"mode":0,"mtime":"2026-11-22T19:45:23Z","linkTarget":""}}`},
		{"POST", "commit?repository=r", "1.40", `{"uuid":"` + otherID + `"}`},
		{"GET", "network_list", "1.17", `{"networks":[{"net_id":"net-1","subnet_id":"sub-4","port_id":"port-1","version":4,"ip_address":"10.0.0.5"},{"net_id":"net-1","subnet_id":"sub-6","port_id":"port-1","version":6,"ip_address":"fd00::5"}]}`},
		{"GET", "network_list", "1.18", `{"networks":[{"net_id":"net-1","port_id":"port-1","fixed_ips":[{"subnet_id":"sub-4","version":4,"ip_address":"10.0.0.5"},{"subnet_id":"sub-6","version":6,"ip_address":"fd00::5"}]}]}`},
		{"GET", "container_actions/req-1", "1.40", `{"action":"create","container_uuid":"` + rowID + `","request_id":"req-1","user_id":"","project_id":"","start_time":"2026-11-22T19:45:23.725710","finish_time":null,"message":"Error","events":[{"event":"compute__do_container_create","start_time":"2026-11-22T19:45:23.725710","finish_time":null,"result":"Error","traceback":null}]}`},
	} {
		w := h.do(t, ask{method: c.method, path: "/v1/containers/web-1/" + c.path, version: "container " + c.version})
		if got := strings.TrimSpace(w.Body.String()); w.Code >= 300 || got != c.want {
			t.Errorf("%s: %d\n got %s\nwant %s", c.path, w.Code, got, c.want)
		}
	}
	if q := h.logQuery; !q.Stdout || q.Stderr || q.Tail != 5 || !q.Since.Equal(time.Unix(100, 0)) {
		t.Errorf("log query %+v", q)
	}
	if !slices.Equal(h.command, []string{"sh", "-c", "exit 3"}) {
		t.Errorf("command %q", h.command)
	}
	for version, data := range map[string]string{"1.25": "dGFyIGJ5dGVz", "1.24": "tar bytes"} {
		w := h.do(t, ask{method: "POST", path: "/v1/containers/web-1/put_archive?path=/tmp", body: `{"data":"` + data + `"}`, version: "container " + version})
		if w.Code != 200 || h.put != "tar bytes" {
			t.Errorf("%s: %d %q", version, w.Code, h.put)
		}
	}
}

func TestACutArchiveIsSeen(t *testing.T) {
	h := build(t, nil)
	h.failAfter = true
	defer func() {
		if recover() == nil {
			t.Error("the connection must be cut")
		}
	}()
	h.do(t, ask{path: "/v1/containers/web-1/get_archive?path=/f"})
}

func TestFaultsBecomeStatuses(t *testing.T) {
	h := build(t, nil)
	want := map[domain.FaultKind]int{
		domain.Internal: 500, domain.Invalid: 400, domain.Unauthenticated: 401, domain.Forbidden: 403, domain.NotFound: 404, domain.NotAcceptable: 406,
		domain.Conflict: 409, domain.TooLarge: 413, domain.UnsupportedMedia: 415, domain.Unavailable: 503, domain.Timeout: 504, domain.Unsupported: 400,
	}
	for _, kind := range domain.FaultKinds() {
		h.fail = domain.NewFault(kind, "some-code", "Something about it.")
		w := h.do(t, ask{path: "/v1/containers"})
		if w.Code != want[kind] {
			t.Errorf("kind %d: %d, want %d", kind, w.Code, want[kind])
		}
	}
}

func TestOperatorsRoutes(t *testing.T) {
	h := build(t, nil)
	for _, c := range []struct {
		method, path, body, token string
		code                      int
		part                      string
	}{
		{"GET", "/v1/services", "", "admin", 200, `"state":"up"`},
		{"GET", "/v1/services", "", "member", 403, "zun-service:get_all"},
		{"PUT", "/v1/services/enable?host=node-1&binary=zun-compute", "", "admin", 200, `{"service":{"host":"node-1","binary":"zun-compute","disabled":false,"disabled_reason":null}}`},
		{"PUT", "/v1/services/disable", `{"host":"node-1","binary":"zun-compute","disabled_reason":"maint"}`, "admin", 200, `"disabled":true,"disabled_reason":"maint"`},
		{"PUT", "/v1/services/force_down?host=node-1&binary=zun-compute&forced_down=true", "", "admin", 200, `{"service":{"host":"node-1","binary":"zun-compute","forced_down":true}}`},
		{"PUT", "/v1/services/force_down?host=node-1&binary=zun-compute&forced_down=perhaps", "", "admin", 400, "is not one of"},
		{"PUT", "/v1/services/enable?host=node-9&binary=zun-compute", "", "admin", 404, "Zun service zun-compute on host node-9 could not be found."},
		{"PUT", "/v1/services/enable?host=node-1", "", "admin", 400, "'binary' is a required property"},
		{"DELETE", "/v1/services?host=node-1&binary=zun-compute", "", "admin", 200, "null"},
		{"GET", "/v1/hosts", "", "admin", 200, `"hostname":"node-1"`},
		{"GET", "/v1/hosts/node-1", "", "admin", 200, `"kernel_version":null`},
		{"GET", "/v1/hosts/nosuch", "", "admin", 404, "Compute node nosuch could not be found."},
		{"GET", "/v1/availability_zones?limit=2", "", "member", 200, `{"availability_zones":[{"availability_zone":"az1"},{"availability_zone":"nova"}],"next":null}`},
		{"GET", "/v1/availability_zones?sort_dir=desc&limit=1", "", "member", 200, `[{"availability_zone":"nova"}]`},
		{"GET", "/v1/quotas/p1", "", "member", 200, `{"containers":40,"memory":51200,"disk":100,"cpu":20}`},
		{"GET", "/v1/quotas/p1?usages=True", "", "member", 200, `"cpu":{"limit":20,"in_use":0.5}`},
		{"GET", "/v1/quotas/p1?usages=False", "", "member", 200, `"cpu":20`},
		{"GET", "/v1/quotas/p2", "", "member", 403, "quota:get"},
		{"GET", "/v1/quotas/p1/defaults", "", "member", 200, `"cpu":20`},
		{"PUT", "/v1/quotas/p1", `{"cpu":"5","memory":-1}`, "admin", 200, `"cpu":20`},
		{"PUT", "/v1/quotas/p1", `{"cpu":-2}`, "admin", 400, "-2 is less than the minimum of -1"},
		{"PUT", "/v1/quotas/p1", `{"foo":1}`, "admin", 400, "Additional properties"},
		{"DELETE", "/v1/quotas/p1", "", "admin", 200, "null"},
		{"PUT", "/v1/quota_classes/default?containers=5", "", "admin", 200, `"cpu":20`},
		{"GET", "/v1/quota_classes/default", "", "member", 403, "quota_class:get"},
		{"POST", "/v1/registries", `{"registry":{"domain":"reg.example.org:5000","password":"p"}}`, "member", 201, `"name":null`},
		{"POST", "/v1/registries", `{"registry":{"name":"reg1"}}`, "member", 400, "'domain' is a required property"},
		{"POST", "/v1/registries", `{"domain":"a.b"}`, "member", 400, "'registry' is a required property"},
		{"GET", "/v1/registries", "", "member", 200, `"password":"***"`},
		{"GET", "/v1/registries?foo=1", "", "member", 400, "Unknown parameters: foo"},
		{"GET", "/v1/registries/reg1", "", "member", 200, `"links"`},
		{"PATCH", "/v1/registries/reg1", `{"registry":{"username":"u2"}}`, "member", 200, `"password":"***"`},
		{"DELETE", "/v1/registries/reg1", "", "member", 204, ""},
		{"GET", "/v1/registries/nosuch", "", "member", 404, "Registry nosuch could not be found."},
	} {
		w := h.do(t, ask{method: c.method, path: c.path, body: c.body, token: c.token})
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.part) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
	if h.named[domain.ResourceContainers] != 5 {
		t.Errorf("limits by query: %v", h.named)
	}
}

func TestEveryRuleIsNamedOnce(t *testing.T) {
	for _, r := range rest.Routes() {
		if r.Rule == "" && !strings.HasSuffix(r.Pattern, "network_list") {
			t.Errorf("%s %s has no rule", r.Method, r.Pattern)
		}
		if r.Status == 0 || r.On == "" {
			t.Errorf("%s %s is not complete: %+v", r.Method, r.Pattern, r)
		}
	}
}

func TestAdmissions(t *testing.T) {
	h := build(t, func(d *rest.Deps) { d.Options.Extensions = true })
	for _, c := range []struct {
		method, path, body, token string
		code                      int
		part                      string
	}{
		{"GET", "/v1/admissions", "", "admin", 200, `"role":"door","name":"east","uuid":"d","epoch":2`},
		{"GET", "/v1/admissions", "", "member", 403, "admission:get_all"},
		{"DELETE", "/v1/admissions/east", "", "admin", 204, ""},
		{"DELETE", "/v1/admissions/east", "", "member", 403, "admission:revoke"},
		{"DELETE", "/v1/admissions/nosuch", "", "admin", 404, "Admission nosuch could not be found."},
	} {
		w := h.do(t, ask{method: c.method, path: c.path, body: c.body, token: c.token})
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.part) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}
