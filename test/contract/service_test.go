//go:build integration

package contract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// The ids of the recording; users of the same roles get them here, so that they need
// no translation.
const (
	demoProject  = "e535f5d5f46b4506a6d51e5669c1fb08"
	adminProject = "56b304c12e174110a7cb3b0af595632d"
	altProject   = "17004eda201a4c11b4a21832a5db325f"
)

// person is a user of the recording.
type person struct{ name, id, project, projectID, role string }

func people() []person {
	return []person{
		{"admin", "00000000000000000000000000000001", "admin", adminProject, "admin"},
		{"demo", "7ec807edecc44fa78ba5934f6373c755", "demo", demoProject, "member"},
		{"reader", "00000000000000000000000000000002", "demo", demoProject, "reader"},
		{"operator", "993b9d6d43064ff1b94fa7b1082bb4fc", "demo", demoProject, "admin"},
		{"alt", "02c55661f5664128aca79053da362d63", "alt", altProject, "member"},
	}
}

const (
	password    = "recorded"
	startWithin = 30 * time.Second
)

// service is an all-in-one on the fake engine, in a directory of its own.
type service struct {
	url    string
	tokens map[string]string // by name of the user
}

// startService starts the all-in-one and stops it when the test ends. Projects get
// their subnets from pool.
func startService(t *testing.T, pool string) service {
	t.Helper()
	bin := os.Getenv("ZUN_TEST_BIN")
	if bin == "" {
		t.Fatal("ZUN_TEST_BIN must name the directory of the built binaries; run make test SUITE=contract")
	}
	dir, address := t.TempDir(), freeAddress(t)
	writeUsers(t, filepath.Join(dir, "users.yaml"))
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
[engine]
driver = fake
[local]
ipv4_pool = %s
ipv6_pool =
`, dir, port, pool)
	if err := os.WriteFile(filepath.Join(dir, "zun.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, filepath.Join(bin, "zun-allinone"))
	s := service{url: "http://" + address, tokens: map[string]string{}}
	within(t, startWithin, "the service is up", func() error { return s.up(t.Context()) })
	slow(t, dir)
	return s
}

// slow makes the engine take its time, as the recorded one did, so that what was asked
// in between meets the states in between here too.
func slow(t *testing.T, dir string) {
	t.Helper()
	engines, err := filepath.Glob(filepath.Join(dir, "agent", "fake-*"))
	if err != nil || len(engines) != 1 {
		t.Fatalf("the engine's directory: %v, %v", engines, err)
	}
	cues, err := json.Marshal([]map[string]any{
		{"op": "member.create", "delay": 800 * time.Millisecond},
		{"op": "member.start", "delay": 1200 * time.Millisecond},
		{"op": "member.stop", "delay": 800 * time.Millisecond},
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(engines[0], "cues.json"), cues, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run starts the program, and at the end of the test stops it.
func run(t *testing.T, dir, program string) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config-file", filepath.Join(dir, "zun.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(startWithin):
			t.Error("the service did not stop when asked to")
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the end of the log:\n%s", text[max(0, len(text)-8000):])
		}
		teardown := exec.Command(program, "teardown", "--config-file", filepath.Join(dir, "zun.conf"))
		if out, err := teardown.CombinedOutput(); err != nil {
			t.Errorf("teardown: %v\n%s", err, out)
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func writeUsers(t *testing.T, path string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
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
	for _, p := range people() {
		if !seen[p.project] {
			ledger.Projects = append(ledger.Projects, row{p.projectID, p.project})
		}
		seen[p.project] = true
		ledger.Users = append(ledger.Users, user{row{p.id, p.name}, string(hash), p.project, map[string][]string{p.project: {p.role}}})
	}
	text, err := json.Marshal(ledger) // JSON is YAML too
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// up logs everybody in and sees whether the host can take containers.
func (s service) up(ctx context.Context) error {
	for _, p := range people() {
		token, err := s.login(ctx, p)
		if err != nil {
			return err
		}
		s.tokens[p.name] = token
	}
	var answer struct {
		Hosts []struct {
			Memory int `json:"mem_total"`
		}
	}
	if err := s.get(ctx, "/v1/hosts", &answer); err != nil {
		return err
	}
	if len(answer.Hosts) != 1 || answer.Hosts[0].Memory == 0 {
		return fmt.Errorf("no host has told what it offers: %+v", answer)
	}
	return nil
}

func (s service) login(ctx context.Context, p person) (string, error) {
	body := fmt.Sprintf(`{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": %q, "password": %q, "domain": {"id": "default"}}}},
		"scope": {"project": {"id": %q}}}}`, p.name, password, p.projectID)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/identity/v3/auth/tokens", bytes.NewBufferString(body))
	if err != nil {
		return "", err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("log %s in: %s", p.name, reply.Status)
	}
	return reply.Header.Get("X-Subject-Token"), nil
}

// get asks as the administrator.
func (s service) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Auth-Token", s.tokens["admin"])
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

// settled says whether no container is under way.
func (s service) settled(ctx context.Context) error {
	var answer struct {
		Containers []struct {
			UUID, Status string
			Task         *string `json:"task_state"`
		}
	}
	if err := s.get(ctx, "/v1/containers?all_projects=1", &answer); err != nil {
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

// within polls until try gives no error, or fails the test.
func within(t *testing.T, limit time.Duration, what string, try func() error) {
	t.Helper()
	if err := poll(t.Context(), limit, try); err != nil {
		t.Fatalf("after %s it does not hold that %s: %v", limit, what, err)
	}
}

// poll tries until there is no error or the time is over, and returns the last error.
func poll(ctx context.Context, limit time.Duration, try func() error) error {
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
