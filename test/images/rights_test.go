//go:build integration

package images_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrivilegedByPolicy holds that extended rights are for those whom the operator's
// policy gives them, and that they are what the kernel then allows. Where the engine
// itself may not do everything it cannot give them, and the container says so.
func TestPrivilegedByPolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	write(t, file, "\"container:create:privileged\": \"role:admin\"\n")
	w := open(t, "10.199.80.0/20", "[oslo_policy]\npolicy_file = "+file)
	if code, answer := w.ask("demo", http.MethodPost, "/v1/containers", `{"image": "`+local+`", "privileged": true}`); code != http.StatusForbidden {
		t.Errorf("a member asked for extended rights: %d %v", code, answer)
	}
	image := map[string]any{"image": local, "image_pull_policy": "never"}
	plain := w.want("an ordinary container", "admin", image, "Running", "")
	const mount = "mkdir -p /mnt/own && mount -t tmpfs own /mnt/own && echo mounted"
	if said := w.inside(plain, mount); strings.Contains(said, "mounted") || said == "" {
		t.Errorf("an ordinary container mounted: %q", said)
	}
	image["privileged"] = true
	if !almighty(t) {
		w.delete(plain, w.want("a privileged container of an engine that is not", "admin", image, "Error", "operation not permitted"))
		return
	}
	privileged := w.want("a privileged container", "admin", image, "Running", "")

	if said := w.inside(privileged, mount); !strings.Contains(said, "mounted") {
		t.Errorf("a privileged container could not mount: %q", said)
	}
	const status = "grep -E 'CapBnd|NoNewPrivs' /proc/self/status"
	bound, free := w.inside(plain, status), w.inside(privileged, status)
	if !strings.Contains(bound, "NoNewPrivs:\t1") || strings.Contains(free, "NoNewPrivs:\t1") || capabilities(bound) == capabilities(free) {
		t.Errorf("ordinary: %q, privileged: %q", bound, free)
	}
	w.delete(plain, privileged)
}

// inside runs a shell's command in a container and returns what it printed.
func (w *world) inside(uuid, command string) string {
	w.t.Helper()
	query := url.Values{"command": {"sh -c \"" + command + "\""}, "run": {"true"}}
	code, answer := w.ask("admin", http.MethodPost, "/v1/containers/"+uuid+"/execute?"+query.Encode(), "")
	if code != http.StatusOK {
		w.t.Fatalf("execute %s: %d %v", command, code, answer)
	}
	said, _ := answer["output"].(string)
	return said
}

// almighty says whether root may do on this machine all that the kernel knows of.
func almighty(t *testing.T) bool {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	last, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		t.Fatal(err)
	}
	var highest, bound uint64
	_, err = fmt.Sscan(string(last), &highest)
	if _, scan := fmt.Sscanf(capabilities(string(status)), "CapBnd:\t%x", &bound); errors.Join(err, scan) != nil {
		t.Fatal(err, scan)
	}
	return bound == 1<<(highest+1)-1
}

func capabilities(status string) string {
	for line := range strings.Lines(status) {
		if strings.HasPrefix(line, "CapBnd:") {
			return line
		}
	}
	return ""
}
