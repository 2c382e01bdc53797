package fake

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"github.com/go-zun/zun/internal/adapter/engine/fake/tree"
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
	info, err := root.Lstat(tree.Inside(p))
	if err != nil {
		return domain.PathStat{}, noPath(err, p, o)
	}
	stat := domain.PathStat{Name: path.Base(path.Clean("/" + p)), Size: info.Size(), Mode: uint32(info.Mode()), Mtime: info.ModTime()}
	if info.Mode()&fs.ModeSymlink != 0 {
		stat.LinkTarget, err = root.Readlink(tree.Inside(p))
	}
	if err == nil {
		err = tree.Pack(root, tree.Inside(p), stat.Name, sinkWriter(sink))
	}
	return stat, err
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
	root, err := top.OpenRoot(tree.Inside(p))
	if err != nil {
		return noPath(err, p, o)
	}
	defer func() { _ = root.Close() }()
	if err := tree.Unpack(root, source); err != nil {
		return domain.WrapFault(err, domain.Invalid, "invalid", "The archive could not be unpacked into %s", p)
	}
	return nil
}

func noPath(cause error, p string, o agent.Object) error {
	return domain.WrapFault(cause, domain.Invalid, "invalid", "Could not find the file %s in container %s", p, o.Container)
}
