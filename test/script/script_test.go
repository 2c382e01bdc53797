//go:build integration

package script_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
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
	for _, version := range []string{"", "1.1", "1.20", "1.32", "1.40"} {
		for _, c := range []struct{ client, stories string }{
			{"debian", "zun"}, {"debian", "openstack"}, {"ours", "zun"},
		} {
			name := c.client + "-" + c.stories + "-" + version
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tell(t, service, c.client, version, "clients/"+c.stories+"-*.txtar")
			})
		}
	}
}

// TestCLI tells the stories of our own client alone.
func TestCLI(t *testing.T) {
	service := allinone.Start(t, allinone.Options{Pool: "10.181.0.0/16"})
	tell(t, service, "ours", "", "cli/*.txtar")
}

func goldens() string {
	if dir := os.Getenv("ZUN_GOLDEN_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "golden")
}

func tell(t *testing.T, service allinone.Service, client, version, stories string) {
	t.Helper()
	unique := strings.ReplaceAll(client+version, ".", "-")
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
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			r := &run{client: client, version: version, bin: bin}
			env.Values[keyOfRun{}] = r
			login(env, service, unique+strings.TrimPrefix(filepath.Base(env.WorkDir), "script"))
			if client != "debian" {
				return nil
			}
			clients, err := startResident(program, env.WorkDir, env.Vars)
			if err != nil {
				return err
			}
			r.clients = clients
			env.Defer(clients.stop)
			return nil
		},
		Condition: func(condition string) (bool, error) { return holds(client, version, condition) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"zun": zun, "openstack": openstack, "recorded": recorded(all), "await": waiter(service), "envsubst": envsubst,
		},
	})
}

// login gives a script the environment of an administrator in the project demo, and
// names of its own.
func login(env *testscript.Env, service allinone.Service, unique string) {
	for key, value := range map[string]string{
		"OS_AUTH_URL": service.URL + "/identity/v3", "OS_USERNAME": "operator", "OS_PASSWORD": allinone.Password,
		"OS_PROJECT_NAME": "demo", "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
		"OS_IDENTITY_API_VERSION": "3", "PROJECT": allinone.DemoProject, "HOST": "vm", "URL": service.URL,
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
// there is none of that name. capsules/NAME is a capsule.
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

// envsubst replaces ${NAME} in a file of the script by its value.
func envsubst(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
