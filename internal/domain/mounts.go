package domain

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
)

// The bounds of the files that a create may bring along, in bytes of content. They lie
// in the row and travel whole to the host.
const (
	maxFile     = 256 << 10
	maxAllFiles = 1 << 20
	// written is how many bytes of base64 may stand for one: it may be broken into lines.
	written = 2
)

// CheckMounts refuses files to inject that cannot be read or are too large, and what
// goes where nothing may be put. What a volume service must say of volumes is not its
// affair.
func CheckMounts(mounts []MountRequest) error {
	total, text := 0, 0
	tooLarge := func(m MountRequest) error {
		return NewFault(Invalid, "invalid-value", "The file for %s is too large: one file may have %d bytes, all files of a container %d.",
			m.Destination, maxFile, maxAllFiles)
	}
	targets := map[string]bool{}
	for _, m := range mounts {
		if m.Type != MountBind {
			if err := checkTarget(m.Destination, targets); err != nil {
				return err
			}
			targets[m.Destination] = true
			continue
		}
		if text += len(m.Source); len(m.Source) > written*maxFile || text > written*maxAllFiles {
			return tooLarge(m)
		}
		content, err := base64.StdEncoding.DecodeString(m.Source)
		if err != nil {
			return WrapFault(err, Invalid, "base64-exception", "Invalid Base 64 file data")
		}
		if err := checkTarget(m.Destination, targets); err != nil {
			return err
		}
		targets[m.Destination] = true
		if total += len(content); len(content) > maxFile || total > maxAllFiles {
			return tooLarge(m)
		}
	}
	return nil
}

// WithoutVolumes refuses every volume, for want of a service.
func WithoutVolumes(mounts []MountRequest) error {
	for _, m := range mounts {
		switch {
		case m.Type == MountBind:
		case m.Source != "":
			return NewFault(NotFound, "volume-not-found", "Volume %s could not be found.", m.Source)
		default:
			return NewFault(Invalid, "volume-create-failed", "No volume service is configured that could make a volume of %d GB.", m.SizeGB)
		}
	}
	return nil
}

// checkTarget refuses a path that is no file's, or another file's, or ours.
func checkTarget(target string, taken map[string]bool) error {
	refuse := func(why string) error {
		return NewFault(Invalid, "invalid-value", "Nothing can be put at %q: %s.", target, why)
	}
	switch {
	case !path.IsAbs(target), path.Clean(target) != target, target == "/", strings.ContainsAny(target, ":\x00"):
		return refuse("it is not the absolute path of a file or directory")
	case taken[target]:
		return refuse("another mount goes there")
	case slices.Contains([]string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}, target):
		return refuse("the service writes that file itself")
	}
	for _, kernel := range []string{"/proc", "/sys", "/dev"} {
		if target == kernel || strings.HasPrefix(target, kernel+"/") {
			return refuse("what is below " + kernel + " is the kernel's")
		}
	}
	return nil
}
