package copying

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/tarball"
)

// Job is one copying. Err hears what is skipped and, at a terminal, how far it is.
type Job struct {
	Client     *client.Client
	In         io.Reader
	Out, Err   io.Writer
	FollowLink bool // at the end of the source: what it points to is copied
}

// Run copies from one place to the other. An error is one line for the user.
func (c *Job) Run(ctx context.Context, source, target string) error {
	from, to := parseSpot(source), parseSpot(target)
	switch {
	case from.container != "" && to.container != "":
		return errors.New("files are copied between a container and this machine: copy from the one container to this machine, and then to the other")
	case from.container != "":
		return c.out(ctx, from, to.path)
	case to.container != "":
		return c.in(ctx, from.path, to)
	default:
		return errors.New("neither is in a container: write CONTAINER:PATH for the one that is")
	}
}

// out copies from a container to this machine.
func (c *Job) out(ctx context.Context, from spot, local string) error {
	source := tarball.Source{Path: from.path}
	tree, err := c.open(ctx, from, c.FollowLink || source.Entered())
	if err != nil {
		return err
	}
	defer func() { _ = tree.Close() }() // it was only read
	meter := newMeter(c.Err)
	defer meter.end()
	if local == "-" {
		if isTerminal(c.Out) {
			return errors.New("a tar is not written to a terminal: send the output to a file or a command")
		}
		_, err := io.Copy(c.Out, meter.reading(tree))
		return err
	}
	source.Dir = tree.first.Typeflag == tar.TypeDir
	info, err := os.Stat(local)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	dir, name, err := tarball.Land(source, tarball.Target{Path: local, Exists: err == nil, Dir: err == nil && info.IsDir()})
	if err != nil {
		return err
	}
	return tarball.Unpack(ctx, meter.reading(tree), tarball.Unpacking{Dir: dir, Name: name, Skipped: c.skipped})
}

// in copies from this machine into a container.
func (c *Job) in(ctx context.Context, local string, to spot) error {
	meter := newMeter(c.Err)
	defer meter.end()
	if local == "-" {
		if isTerminal(c.In) {
			return errors.New("a tar is not read from a terminal: give one on the standard input")
		}
		return c.Client.PutArchive(ctx, to.container, to.path, meter.reading(c.In))
	}
	source, at, err := c.local(local)
	if err != nil {
		return err
	}
	target, err := c.target(ctx, to)
	if err != nil {
		return err
	}
	dir, name, err := tarball.Land(source, target)
	if err != nil {
		return err
	}
	return c.send(ctx, to.container, dir, meter, tarball.Packing{Source: at, Name: name, Skipped: c.skipped})
}

// local looks at a source on this machine. at is where to read it: a link's target,
// where the link is gone through.
func (c *Job) local(local string) (source tarball.Source, at string, err error) {
	source = tarball.Source{Path: filepath.ToSlash(local)}
	at = filepath.Clean(local)
	if c.FollowLink || source.Entered() {
		if at, err = filepath.EvalSymlinks(at); err != nil {
			return source, at, err
		}
	}
	info, err := os.Lstat(at)
	if err != nil {
		return source, at, err
	}
	source.Dir = info.IsDir()
	if source.Path == ".." || strings.HasSuffix(source.Path, "/..") { // its name is not in the path
		if source.Path, err = filepath.Abs(at); err != nil {
			return source, at, err
		}
	}
	return source, at, nil
}

// target looks at a target in a container. What cannot be read is not there; if that is
// wrong, the copying tells why.
func (c *Job) target(ctx context.Context, to spot) (tarball.Target, error) {
	tree, err := c.open(ctx, to, true)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
		return tarball.Target{Path: to.path}, nil
	}
	if err != nil {
		return tarball.Target{}, err
	}
	_ = tree.Close() // it was only begun
	at := tree.path
	if strings.HasSuffix(to.path, "/") {
		at += "/"
	}
	return tarball.Target{Path: at, Exists: true, Dir: tree.first.Typeflag == tar.TypeDir}, nil
}

// send packs and sends at once, so that no size matters.
func (c *Job) send(ctx context.Context, container, dir string, meter *meter, p tarball.Packing) error {
	reader, writer := io.Pipe()
	var work sync.WaitGroup
	var packed error
	work.Go(func() {
		packed = tarball.Pack(ctx, writer, p)
		writer.CloseWithError(packed)
	})
	err := c.Client.PutArchive(ctx, container, dir, meter.reading(reader))
	_ = reader.Close() // of a pipe it never fails
	work.Wait()
	if packed != nil && !errors.Is(packed, io.ErrClosedPipe) {
		return packed
	}
	return err
}

func (c *Job) skipped(name string) {
	_, _ = fmt.Fprintf(c.Err, "skipped %s: it is neither file, directory nor link\n", name)
}
