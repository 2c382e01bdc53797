//go:build integration

package mount_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/go-zun/zun/internal/adapter/volume/mount"
	"github.com/go-zun/zun/internal/domain"
)

func open(t *testing.T) (*mount.Mounts, string) {
	t.Helper()
	dir := t.TempDir()
	m := mount.New(mount.Options{Dir: dir, Deployment: "d1", FSType: "ext4"})
	t.Cleanup(func() {
		if err := m.Purge(t.Context()); err != nil {
			t.Errorf("purge: %v", err)
		}
	})
	if how, why := m.Limit(t.Context()); how == "" {
		t.Fatalf("this test needs root, loop devices and mkfs.ext4: %s", why)
	}
	return m, dir
}

// TestAVolumeEndsAtItsSize fills one.
func TestAVolumeEndsAtItsSize(t *testing.T) {
	t.Parallel()
	m, _ := open(t)
	v := domain.Volume{ID: "v1", SizeGB: 1, Destination: "/data"}
	path, err := m.Mount(t.Context(), "c1", v)
	if err != nil {
		t.Fatal(err)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		t.Fatal(err)
	}
	if size := int64(fs.Blocks) * fs.Bsize; size > 1<<30 || size < 900<<20 {
		t.Errorf("the volume has %d bytes", size)
	}
	f, err := os.Create(filepath.Join(path, "large"))
	if err != nil {
		t.Fatal(err)
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, 1<<30)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a file of its whole size: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAVolumeKeepsWhatIsInIt mounts it again after it was unmounted, as after a start
// of the host, and formats it no second time.
func TestAVolumeKeepsWhatIsInIt(t *testing.T) {
	t.Parallel()
	m, dir := open(t)
	v := domain.Volume{ID: "v1", SizeGB: 1, Destination: "/data"}
	path, err := m.Mount(t.Context(), "c1", v)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 0 {
		t.Errorf("a new volume holds %v, %v", entries, err)
	}
	if err := os.WriteFile(filepath.Join(path, "kept"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := m.Mount(t.Context(), "c1", v); err != nil || again != path {
		t.Errorf("mounted again at %s, %v", again, err)
	}
	if root, err := os.Stat(path); err != nil || root.Mode().Perm() != 0o755 {
		t.Errorf("a new volume is of mode %v, %v", root.Mode(), err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(path, "lost+found"), 0o700), os.Chmod(path, 0o777|os.ModeSticky), syscall.Unmount(path, 0)); err != nil {
		t.Fatal(err)
	}
	again := mount.New(mount.Options{Dir: dir, Deployment: "d1", FSType: "ext4"})
	if _, err := again.Mount(t.Context(), "c1", v); err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{"kept", "lost+found"} {
		if _, err := os.Stat(filepath.Join(path, own)); err != nil {
			t.Error(err)
		}
	}
	if root, err := os.Stat(path); err != nil || root.Mode().Perm() != 0o777 || root.Mode()&os.ModeSticky == 0 {
		t.Errorf("what the user made of its mode is %v, %v", root.Mode(), err)
	}
	held, err := again.Held(t.Context())
	if err != nil || len(held) != 1 || held[0] != "c1" {
		t.Errorf("held: %v, %v", held, err)
	}
	for range 2 {
		if err := again.Remove(t.Context(), "c1", v); err != nil {
			t.Error(err)
		}
	}
	if held, err := again.Held(t.Context()); err != nil || len(held) != 0 {
		t.Errorf("held: %v, %v", held, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "d1")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestABusyVolumeIsNotRemoved waits for whoever uses it.
func TestABusyVolumeIsNotRemoved(t *testing.T) {
	t.Parallel()
	m, _ := open(t)
	v := domain.Volume{ID: "v1", SizeGB: 1, Destination: "/data"}
	path, err := m.Mount(t.Context(), "c1", v)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(path, "open"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Remove(t.Context(), "c1", v); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("removed although in use: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Remove(t.Context(), "c1", v); err != nil {
		t.Error(err)
	}
}

// TestManyVolumesAtOnce takes the kernel's devices side by side.
func TestManyVolumesAtOnce(t *testing.T) {
	t.Parallel()
	m, _ := open(t)
	var all sync.WaitGroup
	for _, id := range []domain.ContainerID{"c1", "c2", "c3", "c4", "c5", "c6"} {
		all.Go(func() {
			v := domain.Volume{ID: "v", SizeGB: 1}
			if _, err := m.Mount(t.Context(), id, v); err != nil {
				t.Errorf("mount for %s: %v", id, err)
			}
			if err := m.Remove(t.Context(), id, v); err != nil {
				t.Errorf("remove for %s: %v", id, err)
			}
		})
	}
	all.Wait()
}

// TestWhatCannotBeIsTold names a file system that there is not.
func TestWhatCannotBeIsTold(t *testing.T) {
	t.Parallel()
	m := mount.New(mount.Options{Dir: t.TempDir(), Deployment: "d1", FSType: "nofs"})
	if how, why := m.Limit(t.Context()); how != "" || why == "" {
		t.Errorf("it says %q, %q", how, why)
	}
	_, err := m.Mount(t.Context(), "c1", domain.Volume{ID: "v", SizeGB: 1})
	if !domain.IsKind(err, domain.Internal) {
		t.Errorf("mount: %v", err)
	}
	if err := m.Remove(t.Context(), "c1", domain.Volume{ID: "v"}); err != nil {
		t.Error(err)
	}
	if held, err := m.Held(t.Context()); err != nil || len(held) != 0 {
		t.Errorf("held: %v, %v", held, err)
	}
}
