package mount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// Options say where volumes lie and how they are formatted.
type Options struct {
	Dir        string // volume_dir; a directory of the deployment is made in it
	Deployment string
	FSType     string // "ext4" or "xfs": what mkfs and the kernel know
}

// Mounts implements agent.Mounts. It is safe for concurrent use on different
// containers, and needs root.
type Mounts struct {
	dir, fstype string

	probe  sync.Mutex
	proven bool // a volume was once made, mounted and removed here
}

// New returns the volumes below o.Dir. It touches nothing before the first call.
func New(o Options) *Mounts {
	return &Mounts{dir: filepath.Join(o.Dir, filepath.Base(o.Deployment)), fstype: o.FSType}
}

// Limit implements agent.Mounts. It believes nothing that it has not tried.
func (m *Mounts) Limit(ctx context.Context) (how, reason string) {
	m.probe.Lock()
	defer m.probe.Unlock()
	if !m.proven {
		if err := m.prove(ctx); err != nil {
			return "", "volumes cannot be held to a size here: " + err.Error()
		}
		m.proven = true
	}
	return m.fstype + " in a file", ""
}

// provingMB is the size of the volume that is tried; no file system of the options is
// smaller.
const provingMB = 320

func (m *Mounts) prove(ctx context.Context) error {
	id := domain.ContainerID(".proof")
	v := domain.Volume{ID: "proof"}
	_, err := m.mount(ctx, id, v, provingMB<<20)
	return errors.Join(err, m.Remove(ctx, id, v))
}

// Mount implements agent.Mounts.
func (m *Mounts) Mount(ctx context.Context, id domain.ContainerID, v domain.Volume) (string, error) {
	path, err := m.mount(ctx, id, v, v.SizeGB<<30)
	return path, volumeFault(err)
}

func (m *Mounts) mount(ctx context.Context, id domain.ContainerID, v domain.Volume, size int64) (string, error) {
	image, point := m.paths(id, v)
	if err := os.MkdirAll(point, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of a volume: %w", err)
	}
	mounted, err := isMounted(point)
	if err != nil || mounted {
		return point, err
	}
	_, err = os.Lstat(image)
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh {
		err = m.format(ctx, image, size)
	}
	if err != nil {
		return "", fmt.Errorf("make a volume: %w", err)
	}
	if err := attach(image, point, m.fstype); err != nil {
		return "", err
	}
	if fresh { // later it is its user's
		// What mkfs leaves for repairs; empty, and not what a database wants in its directory.
		_ = os.Remove(filepath.Join(point, "lost+found"))
	}
	return point, nil
}

// format makes the file of a volume that was never made. It gets its name when it is
// formatted, so that one that has a name is never formatted again.
func (m *Mounts) format(ctx context.Context, image string, size int64) error {
	draft := image + ".new"
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make the file of a volume: %w", err)
	}
	if err := errors.Join(f.Truncate(size), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("size the file of a volume: %w", err), os.Remove(draft))
	}
	args := append(formatOptions(m.fstype), draft)
	if out, err := exec.CommandContext(ctx, "mkfs."+m.fstype, args...).CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("format a volume: %w: %s", err, strings.TrimSpace(string(out))), os.Remove(draft))
	}
	if err := os.Rename(draft, image); err != nil {
		return fmt.Errorf("name the file of a volume: %w", err)
	}
	return nil
}

// formatOptions leave to later what need not be written at once, and nothing aside for
// root: all of the volume is its user's.
func formatOptions(fstype string) []string {
	if fstype == "ext4" {
		return []string{"-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,nodiscard"}
	}
	return []string{"-q", "-f"}
}

// Remove implements agent.Mounts: unmounted first, then the file, last the directory
// that tells of it.
func (m *Mounts) Remove(_ context.Context, id domain.ContainerID, v domain.Volume) error {
	image, point := m.paths(id, v)
	mounted, err := isMounted(point)
	if err == nil && mounted {
		err = unix.Unmount(point, 0)
	}
	if errors.Is(err, unix.EBUSY) {
		return domain.WrapFault(err, domain.Unavailable, "volume-busy", "the volume at %s is still in use on the host", v.Destination)
	}
	for _, path := range []string{image + ".new", image, point} {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(path)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return domain.WrapFault(err, domain.Internal, "volume-not-removed", "the host could not remove the volume at %s", v.Destination)
	}
	return leave(filepath.Dir(point))
}

// leave removes the container's directory with its last volume.
func leave(dir string) error {
	err := os.Remove(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return nil
	}
	return fmt.Errorf("remove the directory of volumes: %w", err)
}

// Held implements agent.Mounts.
func (m *Mounts) Held(context.Context) ([]domain.ContainerID, error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	var held []domain.ContainerID
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			held = append(held, domain.ContainerID(e.Name()))
		}
	}
	return held, nil
}

// Purge unmounts and removes every volume of the deployment, as an operator does who
// takes it off this host.
func (m *Mounts) Purge(ctx context.Context) error {
	held, err := m.Held(ctx)
	if err != nil {
		return err
	}
	for _, id := range held {
		entries, err := os.ReadDir(filepath.Join(m.dir, string(id)))
		if err != nil {
			return fmt.Errorf("list the volumes of %s: %w", id, err)
		}
		for _, e := range entries {
			if err := m.Remove(ctx, id, domain.Volume{ID: strings.TrimSuffix(e.Name(), imageSuffix)}); err != nil {
				return err
			}
		}
	}
	return leave(m.dir)
}

const imageSuffix = ".img"

func (m *Mounts) paths(id domain.ContainerID, v domain.Volume) (image, point string) {
	point = filepath.Join(m.dir, filepath.Base(string(id)), filepath.Base(v.ID))
	return point + imageSuffix, point
}

// isMounted says whether something is mounted at point: then it is another device than
// its parent.
func isMounted(point string) (bool, error) {
	var here, above unix.Stat_t
	err := unix.Lstat(point, &here)
	if err == nil {
		err = unix.Lstat(filepath.Dir(point), &above)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the mount of a volume: %w", err)
	}
	return here.Dev != above.Dev, nil
}

// volumeFault puts a failure into words for the user; the paths stay in the log.
func volumeFault(err error) error {
	var known *domain.Fault
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return domain.WrapFault(err, domain.Invalid, "disk-full", "the host's disk is full")
	default:
		return domain.WrapFault(err, domain.Internal, "volume-not-made", "the host could not make a volume")
	}
}
