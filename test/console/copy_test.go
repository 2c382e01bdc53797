//go:build integration

package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
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

// large copies a file there and back, which no process on the way holds.
func large(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	const length, most = 256 << 20, 48 << 20
	home := t.TempDir()
	source, back := filepath.Join(home, "large"), filepath.Join(home, "back")
	f, err := os.Create(source)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	noise := rand.NewChaCha8([32]byte{7})
	if _, err := io.CopyN(io.MultiWriter(f, sum), noise, length); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(sum.Sum(nil))
	before := [2]int64{d.service.memory(t), d.compute.memory(t)}
	there := d.cp(t, source, box+":/tmp/large")
	again := d.cp(t, box+":/tmp/large", back)
	d.inside(box, "rm", "/tmp/large")
	for i, p := range []*process{d.service, d.compute} {
		if grown := p.memory(t) - before[i]; grown > most {
			t.Errorf("process %d grew by %d MiB", i, grown>>20)
		}
	}
	if there > 2*most || again > 2*most {
		t.Errorf("the command took %d MiB there and %d MiB back", there>>20, again>>20)
	}
	copied, err := os.Open(back)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = copied.Close() }()
	sum.Reset()
	if _, err := io.Copy(sum, copied); err != nil || hex.EncodeToString(sum.Sum(nil)) != want {
		t.Errorf("what came back differs, %v", err)
	}
}
