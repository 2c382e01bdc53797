package copying

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
)

// spot is a path on this machine or in a container.
type spot struct{ container, path string }

// parseSpot reads an argument as docker cp does.
func parseSpot(arg string) spot {
	container, inside, found := strings.Cut(arg, ":")
	if !found || strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, ".") {
		return spot{path: arg}
	}
	if !strings.HasPrefix(inside, "/") {
		inside = "/" + inside // as docker cp has it: from the root of the container
	}
	return spot{container: container, path: inside}
}

// tree is an archive of a path in a container whose first entry was looked at.
type tree struct {
	io.Reader
	io.Closer
	path  string // where it is, links gone through
	first *tar.Header
}

// maxLinks is how many links in a row are gone through.
const maxLinks = 40

// open begins to read a path; follow goes through links at its end.
func (c *Job) open(ctx context.Context, at spot, follow bool) (*tree, error) {
	place := path.Clean(at.path)
	for range maxLinks {
		t, err := c.openOnce(ctx, at.container, place)
		if err != nil || !follow || t.first.Typeflag != tar.TypeSymlink {
			return t, err
		}
		_ = t.Close() // it was only begun
		if place = t.first.Linkname; !path.IsAbs(place) {
			place = path.Join(path.Dir(t.path), place)
		}
	}
	return nil, fmt.Errorf("%s leads through more than %d links", at.path, maxLinks)
}

func (c *Job) openOnce(ctx context.Context, container, place string) (*tree, error) {
	archive, err := c.Client.GetArchive(ctx, container, place)
	if err != nil {
		return nil, err
	}
	// The reader of headers takes no more than it needs; what it took is read again.
	var taken bytes.Buffer
	first, err := tar.NewReader(io.TeeReader(archive, &taken)).Next()
	if err != nil {
		_ = archive.Close() // the other error is told
		return nil, fmt.Errorf("read the archive of %s: %w", place, err)
	}
	return &tree{Reader: io.MultiReader(&taken, archive), Closer: archive, path: place, first: first}, nil
}
