//go:build integration

package images_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/go-zun/zun/test/allinone"
)

const (
	local    = "cirros:latest" // the engine's own name of the test image
	user     = "user"
	password = "secret"
)

// world is a service on a Docker engine.
type world struct {
	allinone.Service
	t      *testing.T
	engine string
}

func open(t *testing.T, pool, settings string) *world {
	t.Helper()
	engine := os.Getenv("ZUN_TEST_DOCKER")
	if engine == "" {
		t.Fatal("ZUN_TEST_DOCKER must name a Docker engine; run make test SUITE=images")
	}
	build := exec.CommandContext(t.Context(), "../../scripts/image.sh", engine, local)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test image: %v\n%s", err, out)
	}
	return &world{
		Service: allinone.Start(t, allinone.Options{Pool: pool, Settings: settings,
			Engine: "[engine]\ndriver = docker\nready_sandboxes = 0\n[docker]\napi_url = " + engine}),
		t: t, engine: engine,
	}
}

// docker runs the engine's own client.
func (w *world) docker(args ...string) string {
	w.t.Helper()
	out, err := exec.CommandContext(w.t.Context(), "docker", append([]string{"--host", w.engine}, args...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("docker %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// has says whether the engine holds an image of that name.
func (w *world) has(reference string) bool {
	return exec.CommandContext(w.t.Context(), "docker", "--host", w.engine, "image", "inspect", reference).Run() == nil
}

// registry serves a registry, with a password if private, and returns its address.
func (w *world) registry(private bool) string {
	t := w.t
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	dir := t.TempDir()
	config := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %q}\n", dir, address)
	if private {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "htpasswd"), user+":"+string(hash)+"\n")
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n", dir)
	}
	write(t, filepath.Join(dir, "config.yml"), config)
	serve := exec.Command("docker-registry", "serve", filepath.Join(dir, "config.yml"))
	if err := serve.Start(); err != nil {
		t.Fatalf("start docker-registry: %v", err)
	}
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
	err = allinone.Poll(t.Context(), 20*time.Second, func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// push puts an image of its own content into a registry, and takes it off the engine.
func (w *world) push(reference string, private bool) {
	w.t.Helper()
	made := w.docker("create", "--label", "content="+reference, "--network", "none", local, "true")
	w.docker("commit", "--change", "LABEL content="+reference, made, reference)
	w.docker("rm", made)
	config := w.t.TempDir()
	args := []string{"--config", config}
	if private {
		login := exec.CommandContext(w.t.Context(), "docker", append(args, "--host", w.engine, "login", "--username", user, "--password", password, strings.Split(reference, "/")[0])...)
		if out, err := login.CombinedOutput(); err != nil {
			w.t.Fatalf("log in: %v\n%s", err, out)
		}
	}
	w.docker(append(args, "push", reference)...)
	w.docker("rmi", reference)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request as who and returns the status and the answer.
func (w *world) ask(who, method, path, body string) (int, map[string]any) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, bytes.NewBufferString(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", w.Tokens[who])
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("OpenStack-API-Version", "container 1.40")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := map[string]any{}
	_ = json.Unmarshal(text, &answer) // not every answer is an object
	return reply.StatusCode, answer
}

// run runs a container to its settled status and returns its uuid, status and reason.
func (w *world) run(who string, members map[string]any) (uuid, status, reason string) {
	w.t.Helper()
	members["command"] = []string{"sleep", "1000"}
	body, err := json.Marshal(members)
	if err != nil {
		w.t.Fatal(err)
	}
	code, answer := w.ask(who, http.MethodPost, "/v1/containers?run=true", string(body))
	if code != http.StatusAccepted {
		w.t.Fatalf("create %s: %d %v", body, code, answer)
	}
	uuid, _ = answer["uuid"].(string)
	err = allinone.Poll(w.t.Context(), time.Minute, func() error {
		_, answer = w.ask("admin", http.MethodGet, "/v1/containers/"+uuid, "")
		status, _ = answer["status"].(string)
		if status == "Creating" || answer["task_state"] != nil {
			return fmt.Errorf("container %s is %s", uuid, status)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	reason, _ = answer["status_reason"].(string)
	return uuid, status, reason
}

// want runs a container and holds it to a status and a part of its reason.
func (w *world) want(what, who string, members map[string]any, status, reason string) string {
	w.t.Helper()
	uuid, got, why := w.run(who, members)
	if got != status || !strings.Contains(why, reason) {
		w.t.Errorf("%s: %s %q, want %s %q", what, got, why, status, reason)
	}
	return uuid
}

func (w *world) delete(uuids ...string) {
	w.t.Helper()
	for _, uuid := range uuids {
		if code, answer := w.ask("admin", http.MethodDelete, "/v1/containers/"+uuid+"?stop=true", ""); code != http.StatusNoContent {
			w.t.Errorf("delete %s: %d %v", uuid, code, answer)
		}
	}
	err := allinone.Poll(w.t.Context(), time.Minute, func() error {
		for _, uuid := range uuids {
			if code, _ := w.ask("admin", http.MethodGet, "/v1/containers/"+uuid, ""); code != http.StatusNotFound {
				return fmt.Errorf("container %s is still there", uuid)
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	err := allinone.Poll(w.t.Context(), time.Minute, func() error {
		if !is() {
			return fmt.Errorf("not yet: %s", what)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
