package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCapsulesAreMadeFromATemplateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(file, []byte("kind: capsule\nmetadata: {name: web}\nspec:\n  containers:\n  - image: nginx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-f", "--file", "--template-file"} {
		s, code, out, errs := run(t, "capsule-create", flag, file)
		if code != 0 || out != "Request to create capsule has been accepted.\n" {
			t.Fatalf("%s: %d %q %q", flag, code, out, errs)
		}
		template, _ := s.bodies[0]["template"].(map[string]any)
		if !strings.HasPrefix(s.requests[0], "POST /v1/capsules ") || template["kind"] != "capsule" {
			t.Errorf("%s: asked %v with %v", flag, s.requests, s.bodies)
		}
	}
	if _, code, _, errs := run(t, "capsule-create"); code != 1 || !strings.Contains(errs, "a template is needed") {
		t.Errorf("without a file: %d %q", code, errs)
	}
	if _, code, out, _ := run(t, "capsule-delete", "web"); code != 0 || out != "Request to delete capsule web has been accepted.\n" {
		t.Errorf("delete: %d %q", code, out)
	}
}

func TestImageCommandsAskTheService(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"pull busybox:1.36 node-1", "POST /v1/images "},
		{"image-list --limit 5", "GET /v1/images?limit=5 "},
		{"image-show u-1", "GET /v1/images/u-1 "},
		{"image-delete u-1", "DELETE /v1/images/u-1 "},
		{"capsule-list --all-projects", "GET /v1/capsules?all_projects="},
		{"capsule-describe web", "GET /v1/capsules/web "},
	} {
		s, code, _, errs := run(t, strings.Fields(c.line)...)
		if code != 0 || len(s.requests) == 0 || !strings.HasPrefix(s.requests[0], c.want) {
			t.Errorf("%s: %d %v %q", c.line, code, s.requests, errs)
		}
	}
}

func TestNetworkCommandsAskTheService(t *testing.T) {
	s, code, out, _ := run(t, "network-attach", "--network", "net2", "c2")
	if code != 0 || out != "Request to attach network to container c2 has been accepted.\n" || !strings.HasPrefix(s.requests[0], "POST /v1/containers/c2/network_attach?network=net2 ") {
		t.Errorf("attach: %d %q %v", code, out, s.requests)
	}
	s, code, out, _ = run(t, "network-detach", "--port", "p1", "c2")
	if code != 0 || out != "Request to detach network from container c2 has been accepted.\n" || !strings.HasPrefix(s.requests[0], "POST /v1/containers/c2/network_detach?port=p1 ") {
		t.Errorf("detach: %d %q %v", code, out, s.requests)
	}
	if s, code, _, _ := run(t, "network-list", "c2"); code != 0 || !strings.HasPrefix(s.requests[0], "GET /v1/containers/c2/network_list ") {
		t.Errorf("list: %d %v", code, s.requests)
	}
}

// TestWhatIsGivenIsAsked holds that a value which is given is asked for, also an empty one as
// of a variable that is not set: a list without it would be another list, and a script may
// delete what it holds.
func TestWhatIsGivenIsAsked(t *testing.T) {
	for line, want := range map[string]string{
		"list --name=":               "GET /v1/containers?name= ",
		"list --host= --status=":     "GET /v1/containers?host=&status= ",
		"list":                       "GET /v1/containers ",
		"registry-list --domain=":    "GET /v1/registries?domain= ",
		"exec test -- ls":            "POST /v1/containers/test/execute?command=%27ls%27",
		"exec -- test -- ls":         "POST /v1/containers/test/execute?command=%27ls%27",
		"exec test -- --":            "POST /v1/containers/test/execute?command=%27--%27",
		"registry-update r --name n": "PATCH /v1/registries/r ",
	} {
		s, code, _, errs := run(t, strings.Fields(line)...)
		if len(s.requests) != 1 || !strings.HasPrefix(s.requests[0], want) {
			t.Errorf("%s: %d %v %q", line, code, s.requests, errs)
		}
	}
	s, _, _, errs := run(t, "create", "cirros", "--", "sleep", "1")
	if words, _ := s.bodies[0]["command"].([]any); len(words) != 2 || words[0] != "sleep" {
		t.Errorf("create: %v %q", s.bodies, errs)
	}
}

func TestWhatMakesNoSenseIsNotAsked(t *testing.T) {
	for line, want := range map[string]string{
		"list --limit 0":                         `ERROR: --limit takes a whole number from 1, not "0"`,
		"host-list --limit -1":                   `ERROR: --limit takes a whole number from 1, not "-1"`,
		"image-list --limit x":                   `ERROR: --limit takes a whole number from 1, not "x"`,
		"registry-update r":                      "ERROR: nothing to change: give --name, --domain, --username or --password",
		"exec test --":                           "ERROR: no command is given",
		"registry-create":                        "ERROR: --domain is needed",
		"run --restart no --auto-remove x1":      "ERROR: --restart and --auto-remove exclude each other",
		"create -p 80 --security-group web x1":   "ERROR: --security-group and --expose-port exclude each other",
		"update --auto-heal --no-auto-heal test": "ERROR: --auto-heal and --no-auto-heal exclude each other",
		"show ''":                                "ERROR: a name or uuid is empty",
		"host-show ''":                           "ERROR: a name or uuid is empty",
		"action-show test ''":                    "ERROR: a name or uuid is empty",
		"logs ''":                                "ERROR: a name or uuid is empty",
		"logs --follow ''":                       "ERROR: a name or uuid is empty",
		"quota-get ''":                           "ERROR: a name or uuid is empty",
		"delete ''":                              "a name or uuid is empty",
		"image-search ''":                        "ERROR: a name or uuid is empty",
		"capsule-describe ''":                    "ERROR: a name or uuid is empty",
		"exec '' ls":                             "ERROR: a name or uuid is empty",
		"admission-revoke ''":                    "a name or uuid is empty",
		"registry-show ''":                       "ERROR: a name or uuid is empty",
		"update --cpu 1 ''":                      "ERROR: a name or uuid is empty",
		"network-list ''":                        "ERROR: a name or uuid is empty",
		"quota-class-update --cpu 1 ''":          "ERROR: a name or uuid is empty",
	} {
		words := strings.Fields(line)
		for i := range words {
			words[i] = strings.Trim(words[i], "'")
		}
		s, code, out, errs := run(t, words...)
		if code != 1 || len(s.requests) != 0 || out != "" || errs != want+"\n" {
			t.Errorf("%s: %d %v %q %q", line, code, s.requests, out, errs)
		}
	}
}

// TestALogIsFollowedByTheUUID holds that a container which is given another name while its
// log is followed is still followed when the connection is taken up again.
func TestALogIsFollowedByTheUUID(t *testing.T) {
	s, code, _, errs := run(t, "logs", "--follow", "test")
	if code != 0 || len(s.requests) != 2 || !strings.HasPrefix(s.requests[0], "GET /v1/containers/test ") || !strings.HasPrefix(s.requests[1], "GET /v1/containers/u-1/logs/follow?") {
		t.Errorf("%d %v %q", code, s.requests, errs)
	}
	if s, code, _, errs := run(t, "logs", "--follow", "gone"); code != 1 || len(s.requests) != 1 || errs != "ERROR: Container gone could not be found. (HTTP 404)\n" {
		t.Errorf("%d %v %q", code, s.requests, errs)
	}
}
