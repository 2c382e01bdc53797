package rest_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

const template = `{"capsuleVersion":"beta","kind":"capsule","metadata":{"name":"cap-1","labels":{"app":"web"},"annotations":{"k":"v"}},
	"spec":{"restartPolicy":"Always",
	"containers":[{"image":"nginx","command":["/bin/sh"],"args":["-c","sleep 60"],"env":{"E":"1"},"imagePullPolicy":"Never",
		"ports":[{"containerPort":80,"protocol":"UDP"},{"containerPort":"81"}],"resources":{"requests":{"cpu":"1","memory":256}},
		"volumeMounts":[{"name":"v1","mountPath":"/data"},{"name":"undeclared","mountPath":"/x"}]},
		{"image":"redis","resources":{"requests":{"cpu":0.5}}}],
	"initContainers":[{"image":"busybox","resources":{"requests":{"cpu":2,"memory":64}}}],
	"volumes":[{"name":"v1","cinder":{"size":1,"autoRemove":true}}]}}`

func TestACapsuleIsReadFromItsTemplate(t *testing.T) {
	h := build(t, nil)
	asText := `"` + strings.NewReplacer(`"`, `\"`, "\n", ` `, "\t", ` `).Replace(template) + `"`
	for name, given := range map[string]string{"object": template, "text": asText} {
		w := h.do(t, ask{method: "POST", path: "/v1/capsules", body: `{"template":` + given + `}`})
		if w.Code != 202 || w.Header().Get("Location") != "http://zun.test/v1/capsules/"+otherID {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		always := domain.RestartPolicy{Name: "always"}
		nginx := domain.Spec{Image: "nginx", Command: []string{"/bin/sh", "-c", "sleep 60"}, Environment: map[string]string{"E": "1"}, PullPolicy: domain.PullAlways,
			CPU: 1, MemoryMB: 256, ExposedPorts: []string{"80/udp", "81/tcp"}, Restart: always,
			Mounts: []domain.MountRequest{{Type: "volume", SizeGB: 1, Destination: "/data"}}}
		if got := h.draft.Members[0].Spec; !reflect.DeepEqual(got, nginx) {
			t.Errorf("%s: member\n got %+v\nwant %+v", name, got, nginx)
		}
		if got := h.draft.Inits[0].Spec.Restart; got != (domain.RestartPolicy{Name: "on-failure", MaxRetries: 10}) {
			t.Errorf("%s: init restarts %+v", name, got)
		}
		if got := h.draft.Members[1].Spec.Restart; got != always {
			t.Errorf("%s: the init's policy leaks: %+v", name, got)
		}
		if g := h.draft.Group.Spec; g.CPU != 2 || g.MemoryMB != 256 || g.Name != "cap-1" || g.Annotations["k"] != "v" {
			t.Errorf("%s: group %+v", name, g)
		}
	}
}

func TestTemplatesAreRefusedInTheContractsWords(t *testing.T) {
	h := build(t, nil)
	spec := func(text string) string { return `{"template":{"kind":"capsule","metadata":{},"spec":` + text + `}}` }
	for body, want := range map[string]string{
		`{}`:                      "'template' is a required property",
		`{"template":"x"}`:        "The template is neither an object nor the JSON of one.",
		`{"template":{},"foo":1}`: "Invalid input for field 'template'.Value: '{}'. 'kind' is a required property",
		`{"template":{"kind":"pod","metadata":{},"spec":{"containers":[{"image":"a1"}]}}}`:    "Invalid input for field 'kind'.Value: 'pod'. 'pod' is not one of ['capsule', 'Capsule']",
		spec(`{"restartPolicy":"Always"}`):                                                    "Invalid input for field 'spec'.Value: '{'restartPolicy': 'Always'}'. 'containers' is a required property",
		spec(`{"containers":[]}`):                                                             "Invalid input for field 'containers'.Value: '[]'. [] is too short",
		spec(`{"containers":[{"command":["x"]}]}`):                                            "Invalid input for field '0'.Value: '{'command': ['x']}'. 'image' is a required property",
		spec(`{"containers":[{"image":"a1"}],"restartPolicy":"x"}`):                           "Invalid input for field 'restartPolicy'.Value: 'x'. 'x' is not one of ['Always', 'OnFailure', 'Never']",
		spec(`{"containers":[{"image":"a1","resources":{"requests":{"memory":"x"}}}]}`):       "Invalid input for field 'memory'.Value: 'x'. 'x' does not match '^[0-9]+$'",
		spec(`{"containers":[{"image":"a1"}],"volumes":[{"name":"v1","cinder":{"size":1}}]}`): "volume mount parameters is invalid. No container mounts v1.",
	} {
		w := h.do(t, ask{method: "POST", path: "/v1/capsules", body: body})
		if f := fault(t, w); w.Code != 400 || sentence(f) != want {
			t.Errorf("%s:\n got %d %s\nwant %s", body, w.Code, f.Title, want)
		}
	}
}

func TestCapsulesAreShownByVersion(t *testing.T) {
	h := build(t, nil)
	for version, parts := range map[string][]string{
		"container 1.31": {`"meta_name":"cap-1"`, `"restart_policy":"always"`, `"volumes_info":{}`, `"containers_uuids":[]`, `"capsule_version":""`, `"init_containers":[]`},
		"container 1.32": {`"name":"cap-1"`, `"restart_policy":{"Name":"always","MaximumRetryCount":"0"}`, `"memory":"0"`, `"links":[`},
	} {
		w := h.do(t, ask{path: "/v1/capsules/cap-1", version: version})
		for _, p := range parts {
			if !strings.Contains(w.Body.String(), p) {
				t.Errorf("%s: no %s in %s", version, p, w.Body)
			}
		}
	}
	for path, want := range map[string]int{"/v1/capsules?foo=1&all_projects=1": 200, "/v1/capsules?limit=x": 400, "/v1/capsules/nosuch": 404} {
		if w := h.do(t, ask{path: path}); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for query, want := range map[string]int{"": 204, "?all_projects=1": 403} {
		if w := h.do(t, ask{method: "DELETE", path: "/v1/capsules/cap-1" + query}); w.Code != want {
			t.Errorf("delete %s: %d %s", query, w.Code, w.Body)
		}
	}
	without := build(t, func(d *rest.Deps) { d.Capsules = nil })
	if w := without.do(t, ask{path: "/v1/capsules"}); w.Code != 404 {
		t.Errorf("without use cases: %d", w.Code)
	}
}
