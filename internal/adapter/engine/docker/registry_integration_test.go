//go:build integration

package docker_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/crypto/bcrypt"
)

const (
	image    = "cirros:latest"
	user     = "user"
	password = "secret"
)

// raw is the engine's own client, for what the adapter has no call for.
func raw(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost(host(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// loadImage builds the test image and gives it to the engine.
func loadImage(t *testing.T) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "../../../../scripts/image.sh", host(t), image)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test image: %v\n%s", err, out)
	}
}

// startRegistry serves a registry that holds the test image; it returns its address.
func startRegistry(t *testing.T, private bool) string {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
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
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	serve := exec.CommandContext(ctx, "docker-registry", "serve", filepath.Join(dir, "config.yml"))
	if err := serve.Start(); err != nil {
		t.Fatalf("start docker-registry (is it installed?): %v", err)
	}
	t.Cleanup(func() { cancel(); _ = serve.Wait() })
	awaitHTTP(t, "http://"+address+"/v2/")
	push(t, address+"/"+image)
	return address
}

func push(t *testing.T, ref string) {
	t.Helper()
	c := raw(t)
	if _, err := c.ImageTag(t.Context(), client.ImageTagOptions{Source: image, Target: ref}); err != nil {
		t.Fatal(err)
	}
	auth := base64.URLEncoding.EncodeToString(fmt.Appendf(nil, `{"username":%q,"password":%q}`, user, password))
	answer, err := c.ImagePush(t.Context(), ref, client.ImagePushOptions{RegistryAuth: auth})
	if err == nil {
		err = answer.Wait(t.Context())
	}
	if err != nil {
		t.Fatalf("push %s: %v", ref, err)
	}
	if _, err := c.ImageRemove(t.Context(), ref, client.ImageRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
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

func awaitHTTP(t *testing.T, url string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("nothing answers at %s", url)
		}
	}
}
