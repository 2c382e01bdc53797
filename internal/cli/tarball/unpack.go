package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Unpacking says where Unpack unpacks to.
type Unpacking struct {
	Dir string // an existing directory of this machine; nothing is written outside of it
	// Name is what the tar's one tree is called in Dir; empty: what is in the tree goes into Dir.
	Name string
	// Skipped hears of what is not unpacked, such as devices; nil: nobody does.
	Skipped func(name string)
}

// Unpack unpacks the tar r, which holds one tree. Files are this user's own; modes
// lose what would lend rights, and links keep what they say but are never written
// through to the outside. What is there is replaced, but no directory by a file nor
// the other way. An error leaves what was unpacked before it.
func Unpack(ctx context.Context, r io.Reader, u Unpacking) error {
	root, err := os.OpenRoot(u.Dir)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer func() { _ = root.Close() }() // it holds nothing back
	w := &unpacker{Unpacking: u, root: root}
	t := tar.NewReader(r)
	for {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return w.finish()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = w.place(header, t)
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
}

// unpacker is one Unpack.
type unpacker struct {
	Unpacking
	root  *os.Root
	tree  string // what the tar calls its tree
	begun bool
	dirs  []made // whose modes and times come last, because writing changes them
}

// made is a directory that was unpacked.
type made struct {
	name string
	mode fs.FileMode
	at   time.Time
}

// place unpacks one entry.
func (u *unpacker) place(h *tar.Header, content io.Reader) error {
	name, err := u.rename(h.Name)
	if err != nil {
		return err
	}
	if name == "." && h.Typeflag != tar.TypeDir {
		return fmt.Errorf("%q is no directory, of which the content could be copied", h.Name)
	}
	if parent := path.Dir(name); parent != "." { // an archive may leave it out
		if err := u.root.MkdirAll(parent, 0o755); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.dir(name, h)
	case tar.TypeReg:
		return u.file(name, h, content)
	case tar.TypeSymlink:
		if err := u.clear(name); err != nil {
			return err
		}
		return u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return u.link(name, h)
	default:
		if u.Skipped != nil {
			u.Skipped(h.Name)
		}
		return nil
	}
}

// rename turns a name of the tar into one in the directory. The first entry names the
// tree that all others are in.
func (u *unpacker) rename(name string) (string, error) {
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("the archive names %q, which is outside of it", name)
	}
	if !u.begun {
		u.begun, u.tree = true, clean
	}
	below, inside := clean, true
	if u.tree != "." {
		below, inside = strings.CutPrefix(clean+"/", u.tree+"/")
	}
	if !inside {
		return "", fmt.Errorf("the archive names %q, which is outside of %q", name, u.tree)
	}
	return path.Join(".", u.Name, below), nil
}

func (u *unpacker) dir(name string, h *tar.Header) error {
	at, err := u.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Writable until all is in it.
		if err := u.root.Mkdir(name, 0o700); err != nil {
			return err
		}
	case err != nil:
		return err
	case !at.IsDir():
		return fmt.Errorf("%q is there and no directory", name)
	case name == ".":
		return nil // it was there before, and stays as it is
	}
	u.dirs = append(u.dirs, made{name, h.FileInfo().Mode().Perm(), h.ModTime})
	return nil
}

// clear makes room for what is no directory. A link that is there is removed and never
// written through.
func (u *unpacker) clear(name string) error {
	at, err := u.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case at.IsDir():
		return fmt.Errorf("%q is there and a directory", name)
	default:
		return u.root.Remove(name)
	}
}

func (u *unpacker) file(name string, h *tar.Header, content io.Reader) error {
	if err := u.clear(name); err != nil {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = writeSparsely(f, content, h.Size)
	if err == nil {
		err = f.Chmod(h.FileInfo().Mode().Perm())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return u.root.Chtimes(name, time.Now(), h.ModTime)
}

// link makes the second name of a file of the same tree.
func (u *unpacker) link(name string, h *tar.Header) error {
	first, err := u.rename(h.Linkname)
	if err != nil {
		return err
	}
	if err := u.clear(name); err != nil {
		return err
	}
	return u.root.Link(first, name)
}

// finish gives directories their modes and times, the innermost first.
func (u *unpacker) finish() error {
	if !u.begun {
		return errors.New("unpack: the archive is empty")
	}
	for _, d := range slices.Backward(u.dirs) {
		err := u.root.Chtimes(d.name, time.Now(), d.at)
		if err == nil {
			err = u.root.Chmod(d.name, d.mode)
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
	return nil
}

// block is what is looked at for being empty, in bytes.
const block = 32 << 10

// writeSparsely writes content and leaves holes where there is nothing but zeros.
func writeSparsely(f *os.File, content io.Reader, size int64) error {
	buffer, zeros := make([]byte, block), make([]byte, block)
	left := size
	for left > 0 {
		n, err := io.ReadFull(content, buffer[:min(block, left)])
		if err != nil {
			return err
		}
		left -= int64(n)
		switch {
		case n == block && bytes.Equal(buffer, zeros):
			_, err = f.Seek(block, io.SeekCurrent)
		default:
			_, err = f.Write(buffer[:n])
		}
		if err != nil {
			return err
		}
	}
	return f.Truncate(size) // a hole at the end is none otherwise
}
