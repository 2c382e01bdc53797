// Package allinone starts a whole service on the fake engine for tests: an
// all-in-one in a directory of its own, with users of every role.
package allinone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// The ids of the recorded exchanges; users of the same roles get them here, so that
// they need no translation.
const (
	DemoProject  = "e535f5d5f46b4506a6d51e5669c1fb08"
	adminProject = "83869945106d4b3db9524ff3811d9012"
	altProject   = "17004eda201a4c11b4a21832a5db325f"
)

// Person is a user with one role in one project.
type Person struct{ Name, ID, Project, ProjectID, Role string }

// People are the users of the service; Password is that of all of them.
func People() []Person {
	return []Person{
		{"admin", "00000000000000000000000000000001", "admin", adminProject, "admin"},
		{"demo", "7ec807edecc44fa78ba5934f6373c755", "demo", DemoProject, "member"},
		{"reader", "00000000000000000000000000000002", "demo", DemoProject, "reader"},
		{"operator", "993b9d6d43064ff1b94fa7b1082bb4fc", "demo", DemoProject, "admin"},
		{"alt", "02c55661f5664128aca79053da362d63", "alt", altProject, "member"},
	}
}

// Password is what everybody logs in with.
const Password = "recorded"

const startWithin = 30 * time.Second

// Service is a running all-in-one.
type Service struct {
	URL    string            // without a path
	Tokens map[string]string // by name of the user
	Dir    string            // of its state and its log
}

// Options shape a service.
type Options struct {
	Pool string // IPv4 range of the projects' networks; no two services may share one
	// Extensions serves what the original does not have.
	Extensions bool
	Slow       bool // the engine takes its time, so that states in between are met
	// Engine are the lines of zun.conf on the engine; empty is the simulated one.
	Engine   string
	Settings string // more lines of zun.conf
}

// Bin is the directory of the built binaries.
func Bin(tb testing.TB) string {
	tb.Helper()
	bin := os.Getenv("ZUN_TEST_BIN")
	if bin == "" {
		tb.Fatal("ZUN_TEST_BIN must name the directory of the built binaries; make test SUITE=... sees to it")
	}
	return bin
}

// Start starts the all-in-one and stops it when the test ends.
func Start(tb testing.TB, o Options) Service {
	tb.Helper()
	bin := Bin(tb)
	dir, address := tb.TempDir(), freeAddress(tb)
	WriteUsers(tb, filepath.Join(dir, "users.yaml"), People())
	_, port, _ := net.SplitHostPort(address)
	conf := fmt.Sprintf(`[DEFAULT]
state_path = %s
host = vm
my_ip = 127.0.0.1
graceful_shutdown_timeout = 5
default_cpu = 0
default_memory = 0
[api]
host_ip = 127.0.0.1
port = %s
extensions = %t
%s
[local]
ipv4_pool = %s
ipv6_pool =
%s
`, dir, port, o.Extensions, cmp.Or(o.Engine, "[engine]\ndriver = fake"), o.Pool, o.Settings)
	if err := os.WriteFile(filepath.Join(dir, "zun.conf"), []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	run(tb, dir, filepath.Join(bin, "zun-allinone"))
	s := Service{URL: "http://" + address, Tokens: map[string]string{}, Dir: dir}
	if err := Poll(tb.Context(), startWithin, func() error { return s.up(tb.Context()) }); err != nil {
		tb.Fatalf("the service is not up after %s: %v", startWithin, err)
	}
	if o.Slow {
		slow(tb, dir)
	}
	return s
}

// slow has the engine wait before each effect.
func slow(tb testing.TB, dir string) {
	tb.Helper()
	engines, err := filepath.Glob(filepath.Join(dir, "agent", "fake-*"))
	if err != nil || len(engines) != 1 {
		tb.Fatalf("the engine's directory: %v, %v", engines, err)
	}
	cues, err := json.Marshal([]map[string]any{
		{"op": "member.create", "delay": 800 * time.Millisecond},
		{"op": "member.start", "delay": 2500 * time.Millisecond},
		{"op": "member.stop", "delay": 800 * time.Millisecond},
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(engines[0], "cues.json"), cues, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// run starts the program, and at the end of the test stops it.
func run(tb testing.TB, dir, program string) {
	tb.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(program, "--config-file", filepath.Join(dir, "zun.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", program, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(startWithin):
			tb.Error("the service did not stop when asked to")
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = log.Close()
		if tb.Failed() {
			complaints(tb, log.Name())
		}
		teardown := exec.Command(program, "teardown", "--config-file", filepath.Join(dir, "zun.conf"))
		if out, err := teardown.CombinedOutput(); err != nil {
			tb.Errorf("teardown: %v\n%s", err, out)
		}
	})
}

// complaints shows what the service logged beside requests that went well.
func complaints(tb testing.TB, path string) {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Error(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "level=INFO") && !strings.Contains(line, "level=DEBUG") {
			tb.Log(line)
		}
	}
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// WriteUsers writes the users file of a service that people may log in to.
func WriteUsers(tb testing.TB, path string, people []Person) {
	tb.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil {
		tb.Fatal(err)
	}
	type row struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	type user struct {
		row
		Hash    string              `json:"password_hash"`
		Project string              `json:"default_project"`
		Roles   map[string][]string `json:"roles"`
	}
	var ledger struct {
		Projects []row  `json:"projects"`
		Users    []user `json:"users"`
	}
	seen := map[string]bool{}
	for _, p := range people {
		if !seen[p.Project] {
			ledger.Projects = append(ledger.Projects, row{p.ProjectID, p.Project})
		}
		seen[p.Project] = true
		ledger.Users = append(ledger.Users, user{row{p.ID, p.Name}, string(hash), p.Project, map[string][]string{p.Project: {p.Role}}})
	}
	text, err := json.Marshal(ledger) // JSON is YAML too
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// up logs everybody in and sees whether the host can take containers.
func (s Service) up(ctx context.Context) error {
	for _, p := range People() {
		token, err := s.login(ctx, p)
		if err != nil {
			return err
		}
		s.Tokens[p.Name] = token
	}
	var answer struct {
		Hosts []struct {
			Memory int `json:"mem_total"`
		}
	}
	if err := s.Get(ctx, "/v1/hosts", &answer); err != nil {
		return err
	}
	if len(answer.Hosts) != 1 || answer.Hosts[0].Memory == 0 {
		return fmt.Errorf("no host has told what it offers: %+v", answer)
	}
	return nil
}

func (s Service) login(ctx context.Context, p Person) (string, error) {
	body := fmt.Sprintf(`{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": %q, "password": %q, "domain": {"id": "default"}}}},
		"scope": {"project": {"id": %q}}}}`, p.Name, Password, p.ProjectID)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/identity/v3/auth/tokens", bytes.NewBufferString(body))
	if err != nil {
		return "", err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("log %s in: %s", p.Name, reply.Status)
	}
	return reply.Header.Get("X-Subject-Token"), nil
}

// Get reads path as the administrator.
func (s Service) Get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Auth-Token", s.Tokens["admin"])
	request.Header.Set("OpenStack-API-Version", "container 1.40")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", path, reply.Status)
	}
	return json.NewDecoder(reply.Body).Decode(into)
}

// Settled says whether no container is under way.
func (s Service) Settled(ctx context.Context) error {
	var answer struct {
		Containers []struct {
			UUID, Status string
			Task         *string `json:"task_state"`
		}
	}
	if err := s.Get(ctx, "/v1/containers?all_projects=1", &answer); err != nil {
		return err
	}
	for _, c := range answer.Containers {
		switch c.Status {
		case "Creating", "Restarting", "Rebuilding", "Deleting":
			return fmt.Errorf("container %s is %s", c.UUID, c.Status)
		}
		if c.Task != nil {
			return fmt.Errorf("container %s is in %s", c.UUID, *c.Task)
		}
	}
	return nil
}

// Poll tries until there is no error or the time is over, and returns the last error.
func Poll(ctx context.Context, limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
