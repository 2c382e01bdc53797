package tarball

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Packing says what Pack packs.
type Packing struct {
	Source string // a file or directory of this machine
	Name   string // what it is called in the tar; empty: only what is in the directory
	// Skipped hears of what no tar should carry, such as sockets and devices; nil: nobody does.
	Skipped func(path string)
}

// Pack writes the tar of p to w. Owners are left out: who unpacks owns the files. An
// error is one of reading a file or of writing.
func Pack(ctx context.Context, w io.Writer, p Packing) error {
	t := tar.NewWriter(w)
	err := filepath.WalkDir(p.Source, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		below, err := filepath.Rel(p.Source, at)
		if err != nil {
			return err
		}
		name := path.Join(p.Name, filepath.ToSlash(below))
		if name == "." {
			return nil
		}
		return p.add(t, at, name, d)
	})
	if err != nil {
		return fmt.Errorf("pack %s: %w", p.Source, err)
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", p.Source, err)
	}
	return nil
}

func (p Packing) add(t *tar.Writer, at, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return addFile(t, at, name)
	case mode.IsDir():
		return addHeader(t, info, name+"/", "")
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(at)
		if err != nil {
			return err
		}
		return addHeader(t, info, name, target)
	default:
		if p.Skipped != nil {
			p.Skipped(at)
		}
		return nil
	}
}

// addFile looks at the file that is open, so that what is told of it is of what is read.
func addFile(t *tar.Writer, at, name string) error {
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := addHeader(t, info, name, ""); err != nil {
		return err
	}
	copied, err := io.Copy(t, io.LimitReader(f, info.Size())) // no more than was told, if it grows
	if err == nil && copied < info.Size() {
		err = fmt.Errorf("%s became shorter while it was read", at)
	}
	return err
}

func addHeader(t *tar.Writer, info fs.FileInfo, name, target string) error {
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Name, header.Uid, header.Gid, header.Uname, header.Gname = name, 0, 0, "", ""
	header.Format = tar.FormatPAX // long names, and times to the nanosecond
	return t.WriteHeader(header)
}
