package tarball

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Source is what is copied.
type Source struct {
	Path string // as the user wrote it
	Dir  bool
}

// Contents says that not the directory is meant but what is in it.
func (s Source) Contents() bool {
	return s.Path == "." || strings.HasSuffix(s.Path, "/.") || strings.Trim(s.Path, "/") == ""
}

// Entered says that a link at the end of the path is gone through, not copied.
func (s Source) Entered() bool { return s.Contents() || strings.HasSuffix(s.Path, "/") }

// Target is where it is copied to.
type Target struct {
	Path        string // as the user wrote it
	Exists, Dir bool
}

// Land says into which directory the source's tree is unpacked and what it is called
// there; an empty name means what is in the tree. The rules are those of docker cp.
func Land(s Source, t Target) (dir, name string, err error) {
	clean := path.Clean(t.Path)
	switch {
	case strings.HasSuffix(s.Path, "/") && !s.Dir:
		return "", "", fmt.Errorf("%s is no directory", s.Path)
	case t.Exists && t.Dir && s.Dir && s.Contents():
		return clean, "", nil
	case t.Exists && t.Dir:
		return clean, path.Base(path.Clean(s.Path)), nil
	case t.Exists && s.Dir:
		return "", "", fmt.Errorf("%s is a file, and a directory cannot be copied onto it", t.Path)
	case strings.HasSuffix(t.Path, "/") && (t.Exists || !s.Dir):
		return "", "", fmt.Errorf("%s is no directory", t.Path)
	case clean == "/" || clean == ".":
		return "", "", errors.New("the target directory is not there")
	}
	return path.Dir(clean), path.Base(clean), nil
}
