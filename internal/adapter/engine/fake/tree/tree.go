// Package tree moves the files of a member as tar. Nothing leaves the member's own tree,
// whatever names and links in an archive say.
package tree

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Inside turns a path of the container into one below its root.
func Inside(p string) string {
	if clean := strings.TrimPrefix(path.Clean("/"+p), "/"); clean != "" {
		return clean
	}
	return "."
}

// Pack writes the tree at top of root to w as tar, with its names beginning with name.
func Pack(root *os.Root, top, name string, w io.Writer) error {
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

// Unpack unpacks the tar stream source into root.
func Unpack(root *os.Root, source io.Reader) error {
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
			return err
		}
	}
}

func unpack(root *os.Root, header *tar.Header, content io.Reader) error {
	name := Inside(header.Name)
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
