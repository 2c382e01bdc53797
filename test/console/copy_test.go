//go:build integration

package console

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCopies(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	box := d.container("box")
	t.Run("trees", func(t *testing.T) { trees(t, d, box) })
	t.Run("as docker cp", func(t *testing.T) { likeDocker(t, d, box) })
	t.Run("a large file", func(t *testing.T) { large(t, d, box) })
	t.Run("large archives", func(t *testing.T) { forms(t, d, box) })
}

// cp runs the command, which must succeed, and returns its memory at most, in bytes.
func (d *deployment) cp(t *testing.T, words ...string) int64 {
	t.Helper()
	cmd := d.zun(append([]string{"cp"}, words...)...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("cp %v: %v\n%s", words, err, out)
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// trees brings a tree into a container and back.
func trees(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	home := t.TempDir()
	script := "mkdir -p tree/sub && echo hi >tree/run && chmod 751 tree/run && ln -s run tree/link && ln -s /etc/passwd tree/sub/out && chmod 700 tree/sub && touch -d @1714558830 tree/run"
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = home
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d.cp(t, filepath.Join(home, "tree"), box+":/tmp")
	if got := d.inside(box, "sh", "-c", "cd /tmp/tree; cat link; stat -c '%a %Y %u' run; stat -c %a sub; readlink sub/out"); got != "hi\n751 1714558830 0\n700\n/etc/passwd\n" {
		t.Errorf("inside it is %q", got)
	}
	d.cp(t, box+":/tmp/tree", filepath.Join(home, "back"))
	if out, err := exec.Command("diff", "--recursive", "--no-dereference", filepath.Join(home, "tree"), filepath.Join(home, "back")).CombinedOutput(); err != nil {
		t.Errorf("what came back differs: %v %s", err, out)
	}
	if info, err := os.Stat(filepath.Join(home, "back", "run")); err != nil || info.Mode() != 0o751 || info.ModTime().Unix() != 1714558830 {
		t.Errorf("the file came back as %v, %v", info, err)
	}
	tar, err := d.zun("cp", box+":/tmp/tree/.", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	d.inside(box, "mkdir", "/tmp/piped")
	in := d.zun("cp", "-", box+":/tmp/piped")
	in.Stdin = bytes.NewReader(tar)
	if out, err := in.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if got := d.inside(box, "sh", "-c", "cat /tmp/piped/*/run"); got != "hi\n" {
		t.Errorf("piped it is %q", got)
	}
	for want, words := range map[string][]string{
		"Could not find the file /no/such": {box + ":/no/such", home},
		"between a container and this":     {box + ":/a", box + ":/b"},
		"is a file":                        {filepath.Join(home, "tree"), box + ":/etc/passwd"},
	} {
		out, err := d.zun(append([]string{"cp"}, words...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("cp %v: %v %q, want %q", words, err, out, want)
		}
	}
}

// likeDocker lets docker cp and our cp do the same to two directories of a container.
func likeDocker(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	home := t.TempDir()
	setup := exec.Command("sh", "-c", "mkdir -p dir/sub; echo f >file; echo s >dir/sub/s; ln -s dir link; ln -s nowhere dangling")
	setup.Dir = home
	if out, err := setup.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	id := d.engineName(t, box)
	cases := []struct{ flags, from, to string }{
		{"", "file", "/new"}, {"", "file", "/there"}, {"", "file", "/there/"}, {"", "file", "/missing/"}, {"", "file", "/plain"},
		{"", "dir", "/new"}, {"", "dir", "/there"}, {"", "dir/.", "/there"}, {"", "dir/.", "/new"}, {"", "dir", "/plain"},
		{"", "link", "/there"}, {"-L", "link", "/there"}, {"", "link/.", "/there"}, {"", "dangling", "/there"},
		{"", "file", "/tolink"}, {"", "dir", "/tolink"}, {"", "nosuch", "/there"},
	}
	whose := []string{"ours", "docker's"}
	d.inside(box, "sh", "-c", fmt.Sprintf(`for n in $(seq 0 %d); do for who in 0 1; do p=/tmp/$n-$who
		mkdir -p $p/there; echo p >$p/plain; ln -s there $p/tolink; done; done`, len(cases)-1))
	results := make([][2]string, len(cases))
	for n, c := range cases {
		for i := range whose {
			words := []string{"cp"}
			if c.flags != "" {
				words = append(words, c.flags)
			}
			place := fmt.Sprintf("/tmp/%d-%d%s", n, i, c.to)
			cmd := d.zun(append(words, c.from, box+":"+place)...)
			if i == 1 {
				cmd = exec.Command("docker", append(append([]string{"--host", os.Getenv("ZUN_TEST_DOCKER")}, words...), c.from, id+":"+place)...)
			}
			cmd.Dir = home
			results[n][i] = fmt.Sprintf("failed: %t\n", cmd.Run() != nil)
		}
	}
	for n, c := range cases {
		for i := range whose {
			results[n][i] += d.inside(box, "sh", "-c", fmt.Sprintf("cd /tmp/%d-%d; find . | sort; cat plain; for l in there/link there/dangling; do readlink $l || echo none; done", n, i))
		}
		if results[n][0] != results[n][1] {
			t.Errorf("cp %s %s %s\n%s: %s\n%s: %s", c.flags, c.from, c.to, whose[0], results[n][0], whose[1], results[n][1])
		}
	}
}

// engineName is what the engine calls the container.
func (d *deployment) engineName(t *testing.T, name string) string {
	t.Helper()
	out, err := d.zun("show", name, "-f", "value", "-c", "uuid").Output()
	if err != nil {
		t.Fatal(err)
	}
	return "zun-" + strings.TrimSpace(string(out))
}

// length is how much is copied at a time, and most what a process may grow for it at any
// moment: who held the archive would grow by more than its length, and what is passed on
// in pieces leaves some of them to be collected.
const length, most = 256 << 20, 128 << 20

// held runs fn, during which neither zun-api nor zun-compute may take up what passes.
func (d *deployment) held(t *testing.T, fn func()) {
	t.Helper()
	service, compute := d.service.grown(t), d.compute.grown(t)
	fn()
	api, agent := service(), compute()
	t.Logf("zun-api grew by %d KiB at most, zun-compute by %d", api>>10, agent>>10)
	if api > most || agent > most {
		t.Errorf("that is more than %d", most>>10)
	}
}

// hiss is the same bytes each time.
func hiss() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{7}), length) }

func sumOf(t *testing.T, r io.Reader) string {
	t.Helper()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		t.Error(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// large copies a file there and back, which no process on the way holds.
func large(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	home := t.TempDir()
	source, back := filepath.Join(home, "large"), filepath.Join(home, "back")
	f, err := os.Create(source)
	if err == nil {
		_, err = io.Copy(f, hiss())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	d.held(t, func() {
		there := d.cp(t, source, box+":/tmp/large")
		again := d.cp(t, box+":/tmp/large", back)
		if there > most || again > most {
			t.Errorf("the command took %d MiB there and %d MiB back", there>>20, again>>20)
		}
	})
	d.inside(box, "rm", "/tmp/large")
	copied, err := os.Open(back)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = copied.Close() }()
	if sumOf(t, copied) != sumOf(t, hiss()) {
		t.Error("what came back differs")
	}
}

// withoutTar is a way on which nobody knows archives as they are: they travel in JSON.
type withoutTar struct{}

func (withoutTar) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	return http.DefaultTransport.RoundTrip(r)
}

// forms puts an archive and gets it back in each form in which archives travel.
func forms(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	for name, way := range map[string]http.RoundTripper{"as it is": http.DefaultTransport, "in JSON": withoutTar{}} {
		t.Run(name, func(t *testing.T) {
			cli := d.clientOver(way)
			d.held(t, func() {
				packed, w := io.Pipe()
				go func() { w.CloseWithError(pack(w)) }()
				if err := cli.PutArchive(t.Context(), box, "/tmp", packed); err != nil {
					t.Fatal(err)
				}
				archive, err := cli.GetArchive(t.Context(), box, "/tmp/noise")
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = archive.Close() }()
				files := tar.NewReader(archive)
				if _, err := files.Next(); err != nil {
					t.Fatal(err)
				}
				if sumOf(t, files) != sumOf(t, hiss()) {
					t.Error("what came back differs")
				}
			})
			d.inside(box, "rm", "/tmp/noise")
		})
	}
}

// pack writes an archive of one large file.
func pack(to io.Writer) error {
	w := tar.NewWriter(to)
	if err := w.WriteHeader(&tar.Header{Name: "noise", Typeflag: tar.TypeReg, Mode: 0o644, Size: length}); err != nil {
		return err
	}
	if _, err := io.Copy(w, hiss()); err != nil {
		return err
	}
	return w.Close()
}
