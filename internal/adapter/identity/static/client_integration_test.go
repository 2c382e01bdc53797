//go:build integration

package static_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/identity/static"
)

// TestUnchangedClientsLogIn needs Debian's python3-openstackclient and python3-zunclient.
func TestUnchangedClientsLogIn(t *testing.T) {
	for _, client := range []string{"/usr/bin/openstack", "/usr/bin/zun"} {
		if _, err := os.Stat(client); err != nil {
			t.Fatalf("%v: apt-get install python3-openstackclient python3-zunclient", err)
		}
	}
	options := serve(t)
	for _, c := range []struct{ cloud, command, want string }{
		{"zun", "openstack token issue -f value -c id", "zun1."},
		{"zun", "openstack catalog list -f value", "container"},
		{"zun", "openstack project list -f value -c Name", "demo"},
		{"zun", "openstack project show demo -f value -c name", "demo"},
		{"zun", "openstack user list -f value -c Name", "demo"},
		{"zun", "openstack user show demo -f value -c name", "demo"},
		{"zun", "openstack role list -f value -c Name", "reader"},
		{"zun-demo", "openstack token issue -f value -c project_id", ""},
		{"zun-demo", "openstack catalog show container -f value -c type", "container"},
		{"zun-demo", "openstack appcontainer list -f value", "box-of-demo"},
		{"", "zun list", "box-of-admin"},
	} {
		if got := run(t, options, c.cloud, c.command); !strings.Contains(got, c.want) {
			t.Errorf("%s as %q: %s", c.command, c.cloud, got)
		}
	}
	token := strings.TrimSpace(run(t, options, "zun-demo", "openstack token issue -f value -c id"))
	again := "env -u OS_USERNAME -u OS_PASSWORD -u OS_USER_DOMAIN_NAME -u OS_PROJECT_NAME -u OS_PROJECT_DOMAIN_NAME OS_AUTH_TYPE=token OS_TOKEN=" + token + " openstack token issue"
	if got := run(t, options, "", again); !strings.Contains(got, "expires") {
		t.Errorf("a token does not log in: %s", got)
	}
	run(t, options, "zun-demo", "openstack token revoke "+token)
	if got := run(t, options, "", again); !strings.Contains(got, "401") {
		t.Errorf("a revoked token logs in: %s", got)
	}
}

// serve runs the identity beside an API that names itself in its one answer.
func serve(t *testing.T) static.Options {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base, dir := "http://"+listener.Addr().String(), t.TempDir()
	options := static.Options{UsersFile: dir + "/users.yaml", KeyFile: dir + "/token.key", RevocationFile: dir + "/revoked",
		OpenRCFile: dir + "/openrc", CloudsFile: dir + "/clouds.yaml", IdentityURL: base + "/identity", ContainerURL: base + "/v1",
		Region: "RegionOne", TokenLife: time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	identity, err := static.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/identity/", http.StripPrefix("/identity", identity.Handler()))
	list := func(w http.ResponseWriter, r *http.Request) {
		actor, err := identity.Authenticate(r.Context(), r.Header.Get("X-Auth-Token"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"containers":[{"uuid":"c1","name":"box-of-%s","addresses":{},"ports":[]}],"next":null}`, actor.UserName)
	}
	mux.HandleFunc("/v1/containers", list)
	mux.HandleFunc("/v1/containers/", list)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"versions":[{"id":"v1","status":"CURRENT","min_version":"1.1","max_version":"1.40","links":[]}]}`))
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return options
}

// run starts a client with the log-in of clouds.yaml, or of openrc where cloud is "".
func run(t *testing.T, options static.Options, cloud, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	line := command
	if cloud == "" {
		line = ". " + options.OpenRCFile + " && " + command
	}
	client := exec.CommandContext(ctx, "sh", "-c", line)
	client.Dir = filepath.Dir(options.CloudsFile)
	client.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + client.Dir, "OS_CLIENT_CONFIG_FILE=" + options.CloudsFile, "LANG=C.UTF-8"}
	if cloud != "" {
		client.Env = append(client.Env, "OS_CLOUD="+cloud)
	}
	out, err := client.CombinedOutput()
	t.Logf("$ %s\n%s(%v)", command, out, err)
	return string(out)
}
