//go:build integration

package script_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/go-zun/zun/test/allinone"
)

// TestClients tells the stories with every client at every version that matters.
func TestClients(t *testing.T) {
	service := allinone.Start(t, allinone.Options{Pool: "10.180.0.0/16"})
	versions := []string{"", "1.1", "1.20", "1.32", "1.40"}
	given, err := newTold(goldens())
	if err != nil {
		t.Fatalf("the contract is needed beside the recordings: %v", err)
	}
	t.Run("stories", func(t *testing.T) {
		for _, version := range versions {
			for _, c := range []struct{ client, stories string }{
				{"debian", "zun"}, {"debian", "openstack"}, {"ours", "zun"},
			} {
				t.Run(c.client+"-"+c.stories+"-"+version, func(t *testing.T) {
					t.Parallel()
					tell(t, service, teller{c.client, version, given}, "clients/"+c.stories+"-*.txtar")
				})
			}
		}
	})
	t.Run("operators", func(t *testing.T) {
		alone := allinone.Start(t, allinone.Options{Pool: "10.183.0.0/16"})
		for _, version := range versions {
			t.Run(shown(version), func(t *testing.T) { tell(t, alone, teller{"debian", version, given}, "operators/*.txtar") })
		}
	})
	complete(t, given, versions)
}

// teller is who tells stories: a client at a version.
type teller struct {
	client, version string
	told            *told
}

// TestCLI tells the stories of our own client alone.
func TestCLI(t *testing.T) {
	service := allinone.Start(t, allinone.Options{Pool: "10.181.0.0/16", Extensions: true})
	tell(t, service, teller{client: "ours"}, "cli/*.txtar")
}

func goldens() string {
	if dir := os.Getenv("ZUN_GOLDEN_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "golden")
}

func tell(t *testing.T, service allinone.Service, by teller, stories string) {
	t.Helper()
	unique := strings.ReplaceAll(by.client+by.version, ".", "-")
	files, err := filepath.Glob(stories)
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories at %s: %v", stories, err)
	}
	all := transcript{}
	for _, file := range []string{"cli-transcript.txt", "cli-osc-transcript.txt"} {
		more, err := readTranscript(goldens(), file)
		if err != nil {
			t.Fatalf("the recordings are needed beside the clone or where ZUN_GOLDEN_DIR says: %v", err)
		}
		maps.Copy(all, more)
	}
	program, err := filepath.Abs("debian.py")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(allinone.Bin(t), "zun")
	web := httptest.NewServer(http.HandlerFunc(serveTemplate))
	t.Cleanup(web.Close) // scripts run in parallel, and end before their test does
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			r := &run{client: by.client, version: by.version, bin: bin, told: by.told, dir: env.WorkDir}
			env.Values[keyOfRun{}] = r
			login(env, service, web.URL, unique+strings.TrimPrefix(filepath.Base(env.WorkDir), "script"))
			if by.client != "debian" {
				return nil
			}
			clients, err := startResident(program, env.WorkDir, env.Vars)
			if err != nil {
				return err
			}
			r.clients, r.env = clients, env.Vars
			env.Defer(clients.stop)
			return nil
		},
		Condition: func(condition string) (bool, error) { return holds(by.client, by.version, condition) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"zun": zun, "openstack": openstack, "recorded": recorded(all), "await": waiter(service), "envsubst": envsubst,
			"request": requester(service), "remember": remember,
		},
	})
}

// serveTemplate answers /NAME with the template of a capsule called so.
func serveTemplate(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if strings.Contains(name, "/") {
		http.NotFound(w, r)
		return
	}
	_, _ = fmt.Fprintf(w, pod, name)
}

// login gives a script the environment of an administrator in the project demo, and
// names of its own.
func login(env *testscript.Env, service allinone.Service, templates, unique string) {
	for key, value := range map[string]string{
		"OS_AUTH_URL": service.URL + "/identity/v3", "OS_USERNAME": "operator", "OS_PASSWORD": allinone.Password,
		"OS_PROJECT_NAME": "demo", "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
		"OS_IDENTITY_API_VERSION": "3", "PROJECT": allinone.DemoProject, "HOST": "vm", "URL": service.URL, "TEMPLATES": templates,
		"A": "a-" + unique, "B": "b-" + unique, "R": "r-" + unique, "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore",
	} {
		env.Setenv(key, value)
	}
}

// holds answers the conditions [since:1.20], [before:1.20] and [client:ours].
func holds(client, version, condition string) (bool, error) {
	kind, value, _ := strings.Cut(condition, ":")
	switch kind {
	case "client":
		return client == value, nil
	case "since", "before":
		since := minor(version) >= minor(value)
		return since == (kind == "since"), nil
	}
	return false, fmt.Errorf("unknown condition %q", condition)
}

// minor is the number after the dot; the default is the newest.
func minor(version string) int {
	const newest = 40
	_, after, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(after)
	if err != nil {
		return newest
	}
	return n
}

const changeWithin = 20 * time.Second

// waiter makes the command await NAME STATUS: until the container has it; "gone" until
// there is none of that name, "networks=2" until it has two of them. capsules/NAME is a capsule.
func waiter(service allinone.Service) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		name, want := args[0], args[1]
		path := name
		if !strings.Contains(name, "/") {
			path = "containers/" + name
		}
		err := allinone.Poll(context.Background(), changeWithin, func() error {
			var c struct {
				Status string
				Reason *string `json:"status_reason"`
				Task   *string `json:"task_state"`
			}
			err := service.Get(context.Background(), "/v1/"+path, &c)
			if networks, asked := strings.CutPrefix(want, "networks="); asked {
				return wired(service, path, networks)
			}
			if want == "gone" {
				if err != nil && strings.Contains(err.Error(), strconv.Itoa(http.StatusNotFound)) {
					return nil
				}
				return errors.Join(err, errors.New("it is still there"))
			}
			if err == nil && (c.Status != want || c.Task != nil) {
				err = fmt.Errorf("it is %s (%v)", c.Status, c.Reason)
			}
			return err
		})
		if err != nil {
			ts.Fatalf("%s is not %s: %v", name, want, err)
		}
	}
}

// wired says whether a container has as many networks.
func wired(service allinone.Service, path, want string) error {
	var shown struct{ Networks []any }
	err := service.Get(context.Background(), "/v1/"+path+"/network_list", &shown)
	if err == nil && strconv.Itoa(len(shown.Networks)) != want {
		err = fmt.Errorf("it has %d networks", len(shown.Networks))
	}
	return err
}

// requester makes the command request METHOD PATH BODY: what no client of these
// stories can ask for. It asks at the newest version.
func requester(service allinone.Service) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		request, err := http.NewRequestWithContext(context.Background(), args[0], service.URL+args[1], strings.NewReader(args[2]))
		ts.Check(err)
		request.Header.Set("X-Auth-Token", service.Tokens["operator"])
		request.Header.Set("OpenStack-API-Version", "container 1.40")
		request.Header.Set("Content-Type", "application/json")
		reply, err := http.DefaultClient.Do(request)
		ts.Check(err)
		defer func() { _ = reply.Body.Close() }()
		if reply.StatusCode >= http.StatusMultipleChoices {
			text, _ := io.ReadAll(reply.Body)
			ts.Fatalf("%s %s: %s %s", args[0], args[1], reply.Status, text)
		}
	}
}

// remember is the command remember NAME PATTERN: the variable is set to what the
// pattern, or its group, finds first in what was printed last.
func remember(ts *testscript.TestScript, _ bool, args []string) {
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("nothing printed fits %s", args[1])
	}
	ts.Setenv(args[0], found[len(found)-1])
}

// envsubst replaces ${NAME} in a file of the script by its value.
func envsubst(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
