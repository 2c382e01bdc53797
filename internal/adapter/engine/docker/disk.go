package docker

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// quotaCapable says whether the storage driver bounds a container's disk. The engine
// does not tell of overlay2 whether the file system below root counts by project; the
// kernel does.
func quotaCapable(driver string, status [][2]string, root string) bool {
	switch driver {
	case "btrfs", "zfs", "devicemapper", "windowsfilter":
		return true
	case "overlay2":
		if !slices.Contains(status, [2]string{"Backing Filesystem", "xfs"}) {
			return false
		}
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		return err == nil && countsByProject(string(mounts), root)
	}
	return false
}

// mustBound is Invalid ("disk-quota-unsupported") if the engine does not bound disks: one
// that keeps its images in containerd takes a size and forgets it.
func (e *Engine) mustBound(ctx context.Context) error {
	has, err := e.Info(ctx)
	if err == nil && !has.DiskQuota {
		err = domain.NewFault(domain.Invalid, "disk-quota-unsupported", "Your host does not support disk quota feature.")
	}
	return err
}

// countsByProject reads in the kernel's list of mounts whether the file system that
// holds path is mounted with project quota.
func countsByProject(mountinfo, path string) bool {
	var nearest string
	counts := false
	for line := range strings.Lines(mountinfo) {
		mount, system, found := strings.Cut(line, " - ")
		words, options := strings.Fields(mount), strings.Fields(system)
		if !found || len(words) < 5 || len(options) < 3 {
			continue
		}
		point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(words[4])
		// Of mounts one over the other the last is seen.
		if within(path, point) && len(point) >= len(nearest) {
			set := strings.Split(options[2], ",")
			nearest, counts = point, slices.Contains(set, "prjquota") || slices.Contains(set, "pquota")
		}
	}
	return counts
}

func within(path, dir string) bool {
	rest, err := filepath.Rel(dir, path)
	return err == nil && rest != ".." && !strings.HasPrefix(rest, "../")
}
