package fake

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// sinkWriter gives written bytes to a sink.
type sinkWriter func([]byte) error

func (w sinkWriter) Write(p []byte) (int, error) {
	if err := w(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// GetArchive streams the tree at p as tar.
func (e *Engine) GetArchive(ctx context.Context, o agent.Object, p string, sink func([]byte) error) (domain.PathStat, error) {
	if err := e.cued(ctx, OpGetArchive, o.Container); err != nil {
		return domain.PathStat{}, err
	}
	r, err := e.find(o)
	if err != nil {
		return domain.PathStat{}, err
	}
	root, err := e.rootOf(r)
	if err != nil {
		return domain.PathStat{}, fmt.Errorf("open files: %w", err)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Lstat(inside(p))
	if err != nil {
		return domain.PathStat{}, noPath(err, p, o)
	}
	stat := domain.PathStat{Name: path.Base(path.Clean("/" + p)), Size: info.Size(), Mode: uint32(info.Mode()), Mtime: info.ModTime()}
	if info.Mode()&fs.ModeSymlink != 0 {
		stat.LinkTarget, err = root.Readlink(inside(p))
	}
	if err == nil {
		err = writeTree(root, inside(p), stat.Name, sinkWriter(sink))
	}
	return stat, err
}

// writeTree writes the tree at top with its names beginning with name.
func writeTree(root *os.Root, top, name string, w io.Writer) error {
	archive := tar.NewWriter(w)
	err := fs.WalkDir(root.FS(), top, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		link := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if link, err = root.Readlink(at); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, link)
		if err != nil {
			return err
		}
		header.Name = path.Join(name, at[min(len(top), len(at)):])
		if err := archive.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
			return err
		}
		f, err := root.Open(at)
		if err != nil {
			return err
		}
		_, err = io.Copy(archive, f)
		return errors.Join(err, f.Close())
	})
	return errors.Join(err, archive.Close())
}

// PutArchive unpacks a tar stream into the directory p. Nothing can leave the
// member's own tree, whatever its names and links say.
func (e *Engine) PutArchive(ctx context.Context, o agent.Object, p string, source agent.Reader) error {
	if err := e.cued(ctx, OpPutArchive, o.Container); err != nil {
		return err
	}
	r, err := e.find(o)
	if err != nil {
		return err
	}
	top, err := e.rootOf(r)
	if err != nil {
		return fmt.Errorf("open files: %w", err)
	}
	defer func() { _ = top.Close() }()
	root, err := top.OpenRoot(inside(p))
	if err != nil {
		return noPath(err, p, o)
	}
	defer func() { _ = root.Close() }()
	archive := tar.NewReader(source)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = unpack(root, header, archive)
		}
		if err != nil {
			return domain.WrapFault(err, domain.Invalid, "invalid", "The archive could not be unpacked into %s", p)
		}
	}
}

func unpack(root *os.Root, header *tar.Header, content io.Reader) error {
	name := inside(header.Name)
	mode := header.FileInfo().Mode()
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, mode.Perm())
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode.Perm())
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Close(), root.Chtimes(name, header.ModTime, header.ModTime))
	default:
		return nil // devices and the like have no meaning here
	}
}

func noPath(cause error, p string, o agent.Object) error {
	return domain.WrapFault(cause, domain.Invalid, "invalid", "Could not find the file %s in container %s", p, o.Container)
}
