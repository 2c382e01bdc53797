package tarball_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/cli/tarball"
)

// plant makes a small tree with all that a tree can hold.
func plant(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	at := time.Date(2024, 5, 1, 10, 20, 30, 5000, time.UTC)
	must(t, os.MkdirAll(filepath.Join(dir, "sub", "empty"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "run.sh"), []byte("echo hi\n"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "sub", "secret"), []byte("s"), 0o600))
	must(t, os.Symlink("run.sh", filepath.Join(dir, "link")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "outside")))
	must(t, os.WriteFile(filepath.Join(dir, strings.Repeat("long", 60)), nil, 0o644))
	must(t, os.Chtimes(filepath.Join(dir, "run.sh"), at, at))
	must(t, os.Chtimes(filepath.Join(dir, "sub"), at, at))
	must(t, os.Chmod(filepath.Join(dir, "sub"), 0o500))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "sub"), 0o700) })
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// census describes every entry below dir.
func census(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	must(t, filepath.WalkDir(dir, func(at string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		below, _ := filepath.Rel(dir, at)
		text := fmt.Sprintf("%s %s", below, info.Mode())
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %q %s", content, info.ModTime().UTC())
		case info.Mode()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(at)
			text += " " + target
		case below != ".":
			text += " " + info.ModTime().UTC().String()
		}
		all = append(all, text)
		return nil
	}))
	return all
}

func TestATreeComesBackAsItWas(t *testing.T) {
	source, target := plant(t), t.TempDir()
	var packed bytes.Buffer
	must(t, tarball.Pack(t.Context(), &packed, tarball.Packing{Source: source, Name: "tree"}))
	content := bytes.Clone(packed.Bytes())
	for name, want := range map[string]string{"same": "same", "": "."} {
		into := filepath.Join(target, "for-"+name)
		must(t, os.Mkdir(into, 0o755))
		for range 2 { // again over what is there
			must(t, tarball.Unpack(t.Context(), bytes.NewReader(content), tarball.Unpacking{Dir: into, Name: name}))
			must(t, os.Chmod(filepath.Join(into, want, "sub"), 0o700))
		}
		must(t, os.Chmod(filepath.Join(into, want, "sub"), 0o500))
		if got, want := census(t, filepath.Join(into, want)), census(t, source); !slices.Equal(got, want) {
			t.Errorf("as %q:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		must(t, os.Chmod(filepath.Join(into, want, "sub"), 0o700))
	}
}

func TestWhatATarCarries(t *testing.T) {
	source := plant(t)
	must(t, syscall.Mkfifo(filepath.Join(source, "pipe"), 0o600))
	var packed bytes.Buffer
	var skipped []string
	must(t, tarball.Pack(t.Context(), &packed, tarball.Packing{Source: source, Skipped: func(p string) { skipped = append(skipped, filepath.Base(p)) }}))
	r := tar.NewReader(&packed)
	var names []string
	for h, err := r.Next(); err == nil; h, err = r.Next() {
		names = append(names, h.Name)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s belongs to %d:%d %s", h.Name, h.Uid, h.Gid, h.Uname)
		}
	}
	if strings.Join(names, " ") != "link "+strings.Repeat("long", 60)+" outside run.sh sub/ sub/empty/ sub/secret" || strings.Join(skipped, " ") != "pipe" {
		t.Errorf("it carries %q without %q", names, skipped)
	}
	if err := tarball.Pack(t.Context(), io.Discard, tarball.Packing{Source: filepath.Join(source, "nosuch")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tarball.Pack(ctx, io.Discard, tarball.Packing{Source: source}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func entry(name string, kind byte, rest string) tar.Header {
	h := tar.Header{Name: name, Typeflag: kind, Mode: 0o644, Size: int64(len(rest))}
	if kind != tar.TypeReg {
		h.Linkname, h.Size, h.Mode = rest, 0, 0o755
	}
	return h
}

func archive(t *testing.T, entries ...tar.Header) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		must(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
			must(t, err)
		}
	}
	must(t, w.Close())
	return &b
}

// TestNothingIsWrittenOutside unpacks what a hostile container may send.
func TestNothingIsWrittenOutside(t *testing.T) {
	const file, dir, link, hard = tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink
	for name, entries := range map[string][]tar.Header{
		"up":                     {entry("../evil", file, "x")},
		"up inside":              {entry("t", dir, ""), entry("t/../../evil", file, "x")},
		"beside":                 {entry("t", dir, ""), entry("evil", file, "x")},
		"through a link":         {entry("t", dir, ""), entry("t/l", link, ".."), entry("t/l/../../evil", file, "x")},
		"through a link up":      {entry("t", dir, ""), entry("t/l", link, "../../out"), entry("t/l/evil", file, "x")},
		"through a link to root": {entry("t", dir, ""), entry("t/l", link, "/"), entry("t/l/evil", file, "x")},
		"the tree is a link":     {entry("t", link, "../out"), entry("t/evil", file, "x")},
		"a link to a directory":  {entry("t", dir, ""), entry("t/l", link, "../../out"), entry("t/l", dir, ""), entry("t/l/evil", file, "x")},
		"a hard link out":        {entry("t", dir, ""), entry("t/h", hard, "../out/there")},
		"a hard link by root":    {entry("t", dir, ""), entry("t/h", hard, "/out/there")},
	} {
		home := t.TempDir()
		must(t, os.Mkdir(filepath.Join(home, "in"), 0o755))
		must(t, os.Mkdir(filepath.Join(home, "out"), 0o755))
		must(t, os.WriteFile(filepath.Join(home, "out", "there"), []byte("mine"), 0o600))
		err := tarball.Unpack(t.Context(), archive(t, entries...), tarball.Unpacking{Dir: filepath.Join(home, "in"), Name: "t"})
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		if _, err := os.Lstat(filepath.Join(home, "evil")); err == nil {
			t.Errorf("%s: it is beside the directory", name)
		}
		if left := census(t, filepath.Join(home, "out")); len(left) != 2 || !strings.Contains(left[1], `"mine"`) {
			t.Errorf("%s: outside there is %q", name, left)
		}
		if _, err := os.Lstat("/evil"); err == nil {
			t.Errorf("%s: it is in the root", name)
		}
	}
}

func TestLinksOfTheUserAreNotWrittenThrough(t *testing.T) {
	home := t.TempDir()
	must(t, os.Mkdir(filepath.Join(home, "in"), 0o755))
	must(t, os.WriteFile(filepath.Join(home, "precious"), []byte("mine"), 0o600))
	must(t, os.Symlink("../precious", filepath.Join(home, "in", "f")))
	must(t, tarball.Unpack(t.Context(), archive(t, entry("f", tar.TypeReg, "new")), tarball.Unpacking{Dir: filepath.Join(home, "in"), Name: "f"}))
	if kept, _ := os.ReadFile(filepath.Join(home, "precious")); string(kept) != "mine" {
		t.Errorf("the link was written through: %q", kept)
	}
	if now, _ := os.ReadFile(filepath.Join(home, "in", "f")); string(now) != "xxx" {
		t.Errorf("the file is %q", now)
	}
}

func TestWhatIsUnpackedOtherwise(t *testing.T) {
	var skipped []string
	device, setuid := entry("t/dev", tar.TypeChar, ""), entry("t/su", tar.TypeReg, "x")
	setuid.Mode = 0o6755
	dir := t.TempDir()
	u := tarball.Unpacking{Dir: dir, Name: "t", Skipped: func(n string) { skipped = append(skipped, n) }}
	must(t, tarball.Unpack(t.Context(), archive(t, entry("t/", tar.TypeDir, ""), device, setuid, entry("t/twin", tar.TypeLink, "t/su"),
		entry("t/deep/er", tar.TypeReg, "x")), u))
	info, err := os.Stat(filepath.Join(dir, "t", "su"))
	must(t, err)
	twin, err := os.Stat(filepath.Join(dir, "t", "twin"))
	must(t, err)
	if info.Mode() != 0o755 || !os.SameFile(info, twin) || strings.Join(skipped, " ") != "t/dev" {
		t.Errorf("mode %s, twin %t, skipped %q", info.Mode(), os.SameFile(info, twin), skipped)
	}
	for name, entries := range map[string][]tar.Header{
		"a file over a directory":       {entry("t", tar.TypeReg, "x")},
		"a directory over a file":       {entry("t", tar.TypeDir, ""), entry("t/su", tar.TypeDir, "")},
		"nothing at all":                nil,
		"a file where a tree should be": {entry("t", tar.TypeReg, "x")},
	} {
		if err := tarball.Unpack(t.Context(), archive(t, entries...), u); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	cut := archive(t, entry("c", tar.TypeReg, strings.Repeat("x", 4000))).Bytes()[:2000]
	if err := tarball.Unpack(t.Context(), bytes.NewReader(cut), tarball.Unpacking{Dir: dir, Name: "c"}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an archive that is cut: %v", err)
	}
}

func TestHolesStayHoles(t *testing.T) {
	source, target := filepath.Join(t.TempDir(), "big"), t.TempDir()
	f, err := os.Create(source)
	must(t, err)
	_, err = f.WriteAt([]byte("end"), 64<<20)
	must(t, errors.Join(err, f.Truncate(80<<20), f.Close()))
	reader, writer := io.Pipe()
	go func() {
		writer.CloseWithError(tarball.Pack(t.Context(), writer, tarball.Packing{Source: source, Name: "big"}))
	}()
	must(t, tarball.Unpack(t.Context(), reader, tarball.Unpacking{Dir: target, Name: "big"}))
	info, err := os.Stat(filepath.Join(target, "big"))
	must(t, err)
	if used := info.Sys().(*syscall.Stat_t).Blocks * 512; info.Size() != 80<<20 || used > 1<<20 {
		t.Errorf("%d bytes take %d", info.Size(), used)
	}
	f, err = os.Open(filepath.Join(target, "big"))
	must(t, err)
	defer func() { _ = f.Close() }()
	end := make([]byte, 3)
	if _, err := f.ReadAt(end, 64<<20); err != nil || string(end) != "end" {
		t.Errorf("its end is %q, %v", end, err)
	}
}

func TestWhereThingsLand(t *testing.T) {
	file, dir, none := tarball.Target{Exists: true}, tarball.Target{Exists: true, Dir: true}, tarball.Target{}
	for _, c := range []struct {
		source    tarball.Source
		target    tarball.Target
		path      string
		dir, name string
	}{
		{tarball.Source{Path: "a/f"}, none, "/x/g", "/x", "g"},
		{tarball.Source{Path: "a/f"}, file, "/x/g", "/x", "g"},
		{tarball.Source{Path: "a/f"}, dir, "/x", "/x", "f"},
		{tarball.Source{Path: "a/f"}, dir, "/x/", "/x", "f"},
		{tarball.Source{Path: "a/f"}, none, "/x/", "", ""},
		{tarball.Source{Path: "a/f"}, file, "/x/", "", ""},
		{tarball.Source{Path: "a/f"}, dir, "/", "/", "f"},
		{tarball.Source{Path: "a/f"}, none, "g", ".", "g"},
		{tarball.Source{Path: "a/f/"}, dir, "/x", "", ""},
		{tarball.Source{Path: "a/d", Dir: true}, none, "/x/g", "/x", "g"},
		{tarball.Source{Path: "a/d", Dir: true}, none, "/x/g/", "/x", "g"},
		{tarball.Source{Path: "a/d", Dir: true}, dir, "/x", "/x", "d"},
		{tarball.Source{Path: "a/d/", Dir: true}, dir, "/x", "/x", "d"},
		{tarball.Source{Path: "a/d/.", Dir: true}, dir, "/x", "/x", ""},
		{tarball.Source{Path: "a/d/.", Dir: true}, none, "/x", "/", "x"},
		{tarball.Source{Path: ".", Dir: true}, dir, "/x", "/x", ""},
		{tarball.Source{Path: "/", Dir: true}, dir, "/x", "/x", ""},
		{tarball.Source{Path: "a/d", Dir: true}, file, "/x", "", ""},
	} {
		c.target.Path = c.path
		dir, name, err := tarball.Land(c.source, c.target)
		if dir != c.dir || name != c.name || (err == nil) != (c.dir != "") {
			t.Errorf("%+v to %+v lands in %q as %q, %v", c.source, c.target, dir, name, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add("t/a", "t/b", "..", byte(tar.TypeSymlink))
	f.Add("t/../../x", "/x", "/", byte(tar.TypeLink))
	f.Fuzz(func(t *testing.T, first, second, target string, kind byte) {
		home := t.TempDir()
		in := filepath.Join(home, "in")
		must(t, os.Mkdir(in, 0o755))
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		_ = w.WriteHeader(&tar.Header{Name: first, Typeflag: kind, Linkname: target, Mode: 0o755})
		_ = w.WriteHeader(&tar.Header{Name: second, Typeflag: tar.TypeReg, Mode: 0o644})
		_ = w.Close()
		_ = tarball.Unpack(t.Context(), &b, tarball.Unpacking{Dir: in})
		if entries, err := os.ReadDir(home); err != nil || len(entries) != 1 {
			t.Fatalf("beside the directory there is %v, %v", entries, err)
		}
	})
}
