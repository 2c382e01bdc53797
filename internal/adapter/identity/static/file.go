package static

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// seen identifies one content of a file without reading it.
type seen struct {
	modified time.Time
	size     int64
	inode    uint64
}

// stampOf returns what identifies the file's present content; zero if it is missing.
func stampOf(path string) seen {
	info, err := os.Stat(path)
	if err != nil {
		return seen{}
	}
	s := seen{modified: info.ModTime(), size: info.Size()}
	if raw, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = raw.Ino
	}
	return s
}

// locked runs work while this process alone, of all replicas, holds the lock beside
// path. The lock is a file of its own, because path itself is replaced by renaming.
func locked(path string, work func() error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make directory of %s: %w", path, err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return errors.Join(fmt.Errorf("lock %s: %w", path, err), lock.Close())
	}
	return errors.Join(work(), lock.Close()) // closing releases the lock
}

// replace writes content to path in one step: a reader sees the old or the new file,
// also after a power loss. The file is for its owner only.
func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make directory of %s: %w", path, err)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("create draft: %w", err)
	}
	_, err = draft.Write(content)
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(draft.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// exists says whether something stands at path; an error other than its absence counts
// as existing, so that nothing is overwritten by mistake.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// private refuses a file that everybody on the host may read.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return fmt.Errorf("%s may be read by every user of this host (mode %04o): chmod 0600 it", path, info.Mode().Perm())
	}
	return nil
}
