package parcel_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-zun/zun/internal/agent/parcel"
	"github.com/go-zun/zun/internal/domain"
)

func packed(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, io.LimitReader(zeros{}, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestAWholeArchiveArrivesPlain sends one plain, compressed, and in single bytes.
func TestAWholeArchiveArrivesPlain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := packed(t, tar.Header{Name: "dir/file", Mode: 0o640, Size: 70000}, tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "../etc/x"})
	for name, source := range map[string]io.Reader{
		"plain": bytes.NewReader(want), "by gzip": bytes.NewReader(zipped(t, want)), "in bytes": iotest.OneByteReader(bytes.NewReader(want)),
	} {
		p, err := parcel.Room{Dir: dir}.Receive(source)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: a crash would leave %v, %v", name, left, err)
		}
		got, err := io.ReadAll(p)
		if err = errors.Join(err, p.Close()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes came of %d, %v", name, len(got), len(want), err)
		}
	}
}

// TestWhatMayNotGoIn refuses each before a byte of it is handed on.
func TestWhatMayNotGoIn(t *testing.T) {
	t.Parallel()
	whole := packed(t, tar.Header{Name: "file", Size: 4096})
	gone := errors.New("the client is gone")
	for name, c := range map[string]struct {
		source io.Reader
		kind   domain.FaultKind
	}{
		"a name that climbs":   {bytes.NewReader(packed(t, tar.Header{Name: "a/../../etc/passwd"})), domain.Invalid},
		"a link that climbs":   {bytes.NewReader(packed(t, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../b"})), domain.Invalid},
		"a device":             {bytes.NewReader(packed(t, tar.Header{Name: "sda", Typeflag: tar.TypeBlock})), domain.Invalid},
		"junk":                 {strings.NewReader(strings.Repeat("junk", 400)), domain.Invalid},
		"half of it":           {bytes.NewReader(whole[:2048]), domain.Invalid},
		"another compression":  {strings.NewReader("\xfd7zXZ\x00....."), domain.Invalid},
		"too large":            {bytes.NewReader(packed(t, tar.Header{Name: "file", Size: 2 << 20})), domain.TooLarge},
		"a bomb":               {bytes.NewReader(zipped(t, packed(t, tar.Header{Name: "file", Size: 8 << 20}))), domain.TooLarge},
		"too many":             {bytes.NewReader(packed(t, tar.Header{Name: "1"}, tar.Header{Name: "2"}, tar.Header{Name: "3"})), domain.TooLarge},
		"much behind its end":  {io.MultiReader(bytes.NewReader(whole), io.LimitReader(zeros{}, 4<<20)), domain.TooLarge},
		"a body that ends":     {io.MultiReader(bytes.NewReader(whole[:600]), iotest.ErrReader(gone)), domain.Internal},
		"a body ends when all": {io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(gone)), domain.Internal},
	} {
		p, err := parcel.Room{Dir: t.TempDir(), MaxBytes: 1 << 20, MaxEntries: 2}.Receive(c.source)
		if err == nil {
			_ = p.Close()
		}
		if err == nil || !domain.IsKind(err, c.kind) || (c.kind == domain.Internal && !errors.Is(err, gone)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheDiskIsNotFilled wants more left free than there is: what is small goes in yet.
func TestTheDiskIsNotFilled(t *testing.T) {
	t.Parallel()
	for size, fits := range map[int64]bool{4 << 10: true, 3 << 20: false} {
		p, err := parcel.Room{Dir: t.TempDir(), Spare: 1 << 60}.Receive(bytes.NewReader(packed(t, tar.Header{Name: "file", Size: size})))
		if err == nil {
			_ = p.Close()
		}
		if (err == nil) != fits || err != nil && (!domain.IsKind(err, domain.Invalid) || !strings.Contains(err.Error(), "disk is full")) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestWhatAnEngineWouldUnpackAgainIsRefused sends archives that are plain to us and whose
// first name makes them compressed ones to an engine, which would find others inside.
func TestWhatAnEngineWouldUnpackAgainIsRefused(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{
		"gzip": "\x1f\x8b\x08\x04", "bzip2": "BZh9", "xz": "\xfd7zXZ\x00", "zstd": "\x28\xb5\x2f\xfd", "skipped": "P\x2a\x4d\x18", "skipped too": "_\x2a\x4d\x18",
	} {
		sly := packed(t, tar.Header{Name: "like", Size: 600, Format: tar.FormatUSTAR})
		renamed(sly, first)
		for how, source := range map[string][]byte{"as it is": sly, "by gzip": zipped(t, sly), "twice": zipped(t, zipped(t, sly))} {
			p, err := parcel.Room{Dir: t.TempDir()}.Receive(bytes.NewReader(source))
			if !domain.IsKind(err, domain.Invalid) {
				t.Errorf("%s, %s: %v, %v", name, how, p, err)
			}
		}
	}
	harmless := packed(t, tar.Header{Name: "Plain", Size: 600})
	p, err := parcel.Room{Dir: t.TempDir()}.Receive(bytes.NewReader(zipped(t, harmless)))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// renamed gives the first entry of an archive another name and the sum that belongs to it.
func renamed(archive []byte, name string) {
	header := archive[:512]
	clear(header[:100])
	copy(header, name)
	copy(header[148:156], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
}
