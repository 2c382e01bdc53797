// Package parcel holds an archive on its way into a container until all of it is here
// and known to be harmless: one that breaks off, that climbs out of the directory it is
// put into, or that would become too much, is refused before the engine sees a byte of
// it. It lies on the disk, never in memory, in a file that no crash leaves behind.
package parcel

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/go-zun/zun/internal/domain"
)

// Room says where parcels lie and what they may become. The zero Room keeps them among
// the machine's temporary files, at the documented bounds.
type Room struct {
	Dir        string
	MaxBytes   int64 // unpacked, and in the archive; 0: DefaultBytes
	MaxEntries int   // 0: DefaultEntries
	// Spare are bytes of the disk that parcels together leave free: its other users are the
	// host's own state, and containers. 0: DefaultSpare, or the twentieth part of a small disk.
	Spare int64
}

// The bounds of a Room that names none.
const (
	DefaultBytes   = 16 << 30
	DefaultEntries = 1 << 20
	DefaultSpare   = 1 << 30
)

// Receive reads source to its end and returns it as a plain archive, to be read once and
// closed. Faults: Invalid (no archive, a name that climbs, a device, a compression that
// is not known, disk full), TooLarge; an error of source is returned as it is.
func (r Room) Receive(source io.Reader) (io.ReadCloser, error) {
	file, err := os.CreateTemp(r.Dir, "parcel-*")
	if err != nil {
		return nil, diskFault(err)
	}
	if err := os.Remove(file.Name()); err != nil { // it lives as long as it is open
		return nil, errors.Join(diskFault(err), file.Close())
	}
	from := &traced{from: source}
	if err := r.fill(&disk{to: file, spare: r.Spare}, from); err != nil {
		_ = file.Close()
		return nil, judged(err, from)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(diskFault(err), file.Close())
	}
	return file, nil
}

// judged tells whose an error is: that of the source goes before all it led to.
func judged(err error, from *traced) error {
	var known *domain.Fault
	switch {
	case from.err != nil:
		return from.err
	case errors.As(err, &known):
		return err
	default:
		return domain.WrapFault(err, domain.Invalid, "invalid", "What was sent is not a tar archive.")
	}
}

// fill writes the plain archive into file while its entries are judged.
func (r Room) fill(file io.Writer, from io.Reader) error {
	most := r.MaxBytes
	if most <= 0 {
		most = DefaultBytes
	}
	archive, err := unpacked(from)
	if err != nil {
		return err
	}
	copied := io.TeeReader(&bounded{from: archive, left: most}, file)
	entries := tar.NewReader(copied)
	judge := judge{left: most, entries: r.MaxEntries}
	if judge.entries <= 0 {
		judge.entries = DefaultEntries
	}
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = judge.entry(header)
		}
		if err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, copied) // what follows the end is sent along and means nothing
	return err
}

// unpacked returns the archive that from holds, whatever common way it was compressed.
func unpacked(from io.Reader) (io.Reader, error) {
	peeked := bufio.NewReaderSize(from, 32<<10)
	form, err := formOf(peeked)
	if err != nil {
		return nil, err
	}
	var inner io.Reader
	switch form {
	case plain:
		return peeked, nil
	case byGzip:
		if inner, err = gzip.NewReader(peeked); err != nil {
			return nil, err
		}
	case byBzip2:
		inner = bzip2.NewReader(peeked)
	default:
		return nil, domain.NewFault(domain.Invalid, "invalid", "The archive is compressed in a way that is not known here: send it plain, or by gzip or bzip2.")
	}
	unpacked := bufio.NewReaderSize(inner, 32<<10)
	if form, err = formOf(unpacked); err == nil && form != plain {
		err = domain.NewFault(domain.Invalid, "invalid", "The archive is compressed twice, or its first name looks like it.")
	}
	return unpacked, err
}

// form is how an archive was compressed.
type form uint8

const (
	plain form = iota
	byGzip
	byBzip2
	otherwise
)

// formOf tells it by the first bytes, as engines do: what is plain here must be plain to
// them, too, or they would put other entries into a container than those that were judged.
func formOf(from *bufio.Reader) (form, error) {
	magic, err := from.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return plain, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return byGzip, nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return byBzip2, nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")), bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(magic) > 3 && magic[0]&0xf0 == 0x50 && bytes.HasPrefix(magic[1:], []byte{0x2a, 0x4d, 0x18}): // zstd's frames that are skipped
		return otherwise, nil
	default:
		return plain, nil
	}
}

// judge counts what the entries of an archive would become.
type judge struct {
	left    int64
	entries int
}

func (j *judge) entry(h *tar.Header) error {
	if slices.Contains(strings.Split(h.Name, "/"), "..") || h.Typeflag == tar.TypeLink && slices.Contains(strings.Split(h.Linkname, "/"), "..") {
		return domain.NewFault(domain.Invalid, "invalid", "The archive names %q, which climbs out of the directory.", path.Base(h.Name))
	}
	switch h.Typeflag {
	case tar.TypeChar, tar.TypeBlock:
		return domain.NewFault(domain.Invalid, "invalid", "The archive brings the device %q, which may not be put into a container.", h.Name)
	}
	if j.entries--; j.entries < 0 {
		return domain.NewFault(domain.TooLarge, "archive-too-large", "The archive has too many entries.")
	}
	if h.Size < 0 || h.Size > j.left { // holes of a file count: unpacked they may be none
		return tooLarge()
	}
	j.left -= h.Size
	return nil
}

func tooLarge() error {
	return domain.NewFault(domain.TooLarge, "archive-too-large", "The archive, or what it would become, is too large.")
}

// bounded gives no more than left bytes.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLarge()
	}
	return n, err
}

// traced remembers why its source broke off.
type traced struct {
	from io.Reader
	err  error
}

func (t *traced) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}

// looked is after how many bytes the disk is looked at again; what is smaller always fits.
const looked = 1 << 20

// disk leaves some of the host's disk free, and words what that says.
type disk struct {
	to    *os.File
	spare int64
	since int64 // bytes written since the disk was looked at
}

func (d *disk) Write(p []byte) (int, error) {
	n, err := d.to.Write(p)
	if d.since += int64(n); err == nil && d.since >= looked {
		d.since = 0
		err = d.look()
	}
	if err != nil {
		err = diskFault(err)
	}
	return n, err
}

// look returns ENOSPC when less than is to be spared is free.
func (d *disk) look() error {
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(d.to.Fd()), &fs); err != nil {
		return fmt.Errorf("look at the disk: %w", err)
	}
	spare := d.spare
	if spare <= 0 {
		spare = min(DefaultSpare, int64(fs.Blocks)*fs.Bsize/20)
	}
	if int64(fs.Bavail)*fs.Bsize < spare {
		return syscall.ENOSPC
	}
	return nil
}

func diskFault(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return domain.WrapFault(err, domain.Invalid, "disk-full", "the host's disk is full")
	}
	return fmt.Errorf("keep an archive: %w", err)
}
