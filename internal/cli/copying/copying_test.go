package copying_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/copying"
	"github.com/go-zun/zun/internal/cli/tarball"
)

// service has one container, whose files are those of a directory.
type service struct {
	t     *testing.T
	root  string
	plain bool // knows archives as they are
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := filepath.Join(s.root, r.URL.Query().Get("path"))
	refuse := func(status int, why string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"status": status, "title": why}}})
	}
	if _, err := os.Lstat(at); err != nil {
		refuse(http.StatusBadRequest, "Could not find the file "+r.URL.Query().Get("path")+" in the container.")
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/containers/busy/"):
		refuse(http.StatusConflict, "Cannot get_archive container busy in Error state")
	case strings.HasSuffix(r.URL.Path, "/get_archive"):
		s.give(w, r, at)
	case r.Header.Get("Content-Type") == "application/x-tar":
		if !s.plain {
			refuse(http.StatusInternalServerError, "what is that?")
			return
		}
		s.take(r.Body, at)
	default:
		var body struct{ Data string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			s.t.Error(err)
		}
		s.take(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body.Data)), at)
	}
}

func (s *service) give(w http.ResponseWriter, r *http.Request, at string) {
	var packed bytes.Buffer
	if err := tarball.Pack(r.Context(), &packed, tarball.Packing{Source: at, Name: path.Base(r.URL.Query().Get("path"))}); err != nil {
		s.t.Error(err)
	}
	if s.plain && strings.HasPrefix(r.Header.Get("Accept"), "application/x-tar") {
		w.Header().Set("Content-Type", "application/x-tar")
		_, _ = w.Write(packed.Bytes())
		return
	}
	_ = json.NewEncoder(w).Encode(api.Archive{Data: base64.StdEncoding.EncodeToString(packed.Bytes())})
}

func (s *service) take(archive io.Reader, at string) {
	cmd := exec.Command("tar", "--extract", "--directory", at)
	cmd.Stdin = archive
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Errorf("unpack: %v %s", err, out)
	}
}

// desk is a service and a directory of this machine.
type desk struct {
	t           *testing.T
	root, local string
	client      *client.Client
	out, errs   bytes.Buffer
	follow      bool
}

func newDesk(t *testing.T, plain bool) *desk {
	t.Helper()
	d := &desk{t: t, root: t.TempDir(), local: t.TempDir()}
	server := httptest.NewServer(&service{t: t, root: d.root, plain: plain})
	t.Cleanup(server.Close)
	d.client = client.New(client.Options{Auth: client.Static{URL: server.URL, Value: "t"}, Version: api.MaxVersion})
	d.plant(d.root, "etc/hosts", "etc/conf/one", "tmp/old")
	d.plant(d.local, "file", "tree/a", "tree/sub/b")
	for _, link := range []struct{ at, to string }{
		{filepath.Join(d.root, "link"), "etc/conf"}, {filepath.Join(d.root, "abs"), "/link"}, {filepath.Join(d.root, "loop"), "loop"},
		{filepath.Join(d.local, "link"), "tree"},
	} {
		if err := os.Symlink(link.to, link.at); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// plant makes files whose content is their name.
func (d *desk) plant(in string, names ...string) {
	d.t.Helper()
	for _, name := range names {
		at := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(name), 0o640); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *desk) copy(stdin io.Reader, source, target string) error {
	d.out.Reset()
	job := copying.Job{Client: d.client, In: stdin, Out: &d.out, Err: &d.errs, FollowLink: d.follow}
	return job.Run(d.t.Context(), source, target)
}

func (d *desk) holds(in, name, want string) {
	d.t.Helper()
	if got, err := os.ReadFile(filepath.Join(in, name)); err != nil || string(got) != want {
		d.t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
	}
}

func TestCopyingInBothFormsOfArchives(t *testing.T) {
	for name, plain := range map[string]bool{"tar": true, "the contract's": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, plain)
			at := func(name string) string { return filepath.Join(d.local, name) }
			for _, c := range []struct{ from, to, in, name, content string }{
				{"box:/etc/hosts", at("mine"), d.local, "mine", "etc/hosts"},
				{"box:etc/hosts", at("."), d.local, "hosts", "etc/hosts"},
				{"box:/etc/conf", at("new"), d.local, "new/one", "etc/conf/one"},
				{"box:/etc/conf", at("tree"), d.local, "tree/conf/one", "etc/conf/one"},
				{"box:/etc/conf/.", at("tree"), d.local, "tree/one", "etc/conf/one"},
				{"box:/link/", at("entered"), d.local, "entered/one", "etc/conf/one"},
				{at("file"), "box:/tmp/renamed", d.root, "tmp/renamed", "file"},
				{at("file"), "box:/tmp/old", d.root, "tmp/old", "file"},
				{at("file"), "box:/tmp", d.root, "tmp/file", "file"},
				{at("file"), "box:/link", d.root, "etc/conf/file", "file"},
				{at("file"), "box:/abs/", d.root, "etc/conf/file", "file"},
				{at("file"), "box:/", d.root, "file", "file"},
				{at("tree"), "box:/tmp", d.root, "tmp/tree/sub/b", "tree/sub/b"},
				{at("tree") + "/.", "box:/tmp", d.root, "tmp/sub/b", "tree/sub/b"},
				{at("tree"), "box:/tmp/fresh", d.root, "tmp/fresh/a", "tree/a"},
				{at("link") + "/", "box:/tmp/through", d.root, "tmp/through/a", "tree/a"},
			} {
				if err := d.copy(nil, c.from, c.to); err != nil {
					t.Errorf("%s to %s: %v", c.from, c.to, err)
					continue
				}
				d.holds(c.in, c.name, c.content)
			}
			for _, c := range []struct{ from, to, says string }{
				{"box:/a", "case:/b", "between a container and this machine"},
				{at("file"), at("other"), "neither is in a container"},
				{"box:/nosuch", at("x"), "Could not find the file /nosuch"},
				{"busy:/etc/hosts", at("x"), "Cannot get_archive"},
				{at("file"), "busy:/tmp", "Cannot get_archive"},
				{at("nosuch"), "box:/tmp", "no such file"},
				{at("file"), "box:/no/such", "Could not find the file /no"},
				{at("tree"), "box:/etc/hosts", "is a file"},
				{"box:/etc", at("file"), "is a file"},
				{"box:/etc/hosts/", at("x"), "is no directory"},
				{"box:/loop/", at("x"), "more than 40 links"},
				{"box:/etc/hosts", at("no/such/place"), "no such file"},
			} {
				if err := d.copy(nil, c.from, c.to); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s to %s: %v, want %q", c.from, c.to, err, c.says)
				}
			}
		})
	}
}

func TestLinksAreCopiedAsTheyAreOrFollowed(t *testing.T) {
	d := newDesk(t, true)
	if err := d.copy(nil, "box:/link", filepath.Join(d.local, "l")); err != nil {
		t.Fatal(err)
	}
	if to, _ := os.Readlink(filepath.Join(d.local, "l")); to != "etc/conf" {
		t.Errorf("it leads to %q", to)
	}
	if err := d.copy(nil, filepath.Join(d.local, "link"), "box:/tmp"); err != nil {
		t.Fatal(err)
	}
	if to, _ := os.Readlink(filepath.Join(d.root, "tmp", "link")); to != "tree" {
		t.Errorf("in the container it leads to %q", to)
	}
	d.follow = true
	if err := d.copy(nil, "box:/abs", d.local); err != nil {
		t.Fatal(err)
	}
	d.holds(d.local, "abs/one", "etc/conf/one")
	if err := d.copy(nil, filepath.Join(d.local, "link"), "box:/etc"); err != nil {
		t.Fatal(err)
	}
	d.holds(d.root, "etc/link/a", "tree/a")
}

func TestTarsComeAndGoByTheStandardStreams(t *testing.T) {
	d := newDesk(t, true)
	if err := d.copy(nil, "box:/etc/conf", "-"); err != nil {
		t.Fatal(err)
	}
	packed := bytes.Clone(d.out.Bytes())
	if h, err := tar.NewReader(bytes.NewReader(packed)).Next(); err != nil || h.Name != "conf/" {
		t.Errorf("the tar begins with %+v, %v", h, err)
	}
	if err := d.copy(bytes.NewReader(packed), "-", "box:/tmp"); err != nil {
		t.Fatal(err)
	}
	d.holds(d.root, "tmp/conf/one", "etc/conf/one")
	if err := d.copy(bytes.NewReader(packed), "-", "box:/no/such"); err == nil || !strings.Contains(err.Error(), "Could not find") {
		t.Errorf("into nothing: %v", err)
	}
}
