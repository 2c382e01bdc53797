package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// store keeps one file per object. A file is replaced by rename, so that a reader
// or a crash never sees half of it; changes are serialised by a file lock, which
// also holds between processes.
type store struct{ dir string }

func openStore(dir string) (*store, error) {
	if dir == "" {
		return nil, errors.New("open fake engine: no directory given")
	}
	for _, sub := range []string{"objects", "roots", "images", "trees"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("open fake engine: %w", err)
		}
	}
	return &store{dir: dir}, nil
}

func (s *store) objects() string { return filepath.Join(s.dir, "objects") }

func (s *store) path(role string, id domain.ContainerID) string {
	return filepath.Join(s.objects(), role+"."+string(id)+".json")
}

// parsePath returns what path was made of; ok is false for a foreign file.
func parsePath(name string) (role string, id domain.ContainerID, ok bool) {
	stem, ok := strings.CutSuffix(filepath.Base(name), ".json")
	if !ok {
		return "", "", false
	}
	role, rest, ok := strings.Cut(stem, ".")
	return role, domain.ContainerID(rest), ok && (role == roleSandbox || role == roleMember)
}

// lock keeps every other process and goroutine from changing the directory.
func (s *store) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock fake engine: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock fake engine: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing gives the lock back
}

// read returns one object, or a NotFound fault.
func (s *store) read(role string, id domain.ContainerID) (record, error) {
	var r record
	data, err := os.ReadFile(s.path(role, id))
	if errors.Is(err, fs.ErrNotExist) {
		return r, domain.NewFault(domain.NotFound, "engine-object-not-found", "No such container: zun-%s", id)
	}
	if err != nil {
		return r, fmt.Errorf("read object: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read object %s: %w", id, err)
	}
	return r, nil
}

func (s *store) all() ([]record, error) {
	entries, err := os.ReadDir(s.objects())
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	var records []record
	for _, entry := range entries {
		role, id, ok := parsePath(entry.Name())
		if !ok {
			continue
		}
		r, err := s.read(role, id)
		if domain.IsKind(err, domain.NotFound) {
			continue // removed since the directory was read
		}
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// change gives the present record to fn under the lock and writes what fn leaves.
func (s *store) change(role string, id domain.ContainerID, fn func(r *record) error) (record, error) {
	unlock, err := s.lock()
	if err != nil {
		return record{}, err
	}
	defer unlock()
	r, err := s.read(role, id)
	if err != nil {
		return r, err
	}
	before := r.mark()
	if err := fn(&r); err != nil || r.mark() == before {
		return r, err
	}
	return r, s.write(r)
}

// add writes a new object unless one is there; the one that is there is returned.
func (s *store) add(r record) (present record, err error) {
	unlock, err := s.lock()
	if err != nil {
		return r, err
	}
	defer unlock()
	present, err = s.read(r.Role, r.Container)
	if err == nil {
		return present, nil
	}
	if !domain.IsKind(err, domain.NotFound) {
		return r, err
	}
	return r, s.write(r)
}

func (s *store) write(r record) error {
	return writeJSON(s.path(r.Role, r.Container), r)
}

// remove drops an object and its files; one that is gone already is no error.
func (s *store) remove(role string, id domain.ContainerID) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	r, err := s.read(role, id)
	if domain.IsKind(err, domain.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(s.dir, "roots", r.EngineID)); err != nil {
		return fmt.Errorf("remove files of %s: %w", id, err)
	}
	if err := os.Remove(s.path(role, id)); err != nil {
		return fmt.Errorf("remove object: %w", err)
	}
	return nil
}

// writeJSON replaces the file at path as a whole.
func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", filepath.Base(path), err), os.Remove(f.Name()))
	}
	return nil
}
