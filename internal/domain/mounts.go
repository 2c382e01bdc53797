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
)

// CheckMounts refuses what no back end here can give: volumes need a volume service;
// files to inject come with the request and need only be readable and small.
func CheckMounts(mounts []MountRequest) error {
	total := 0
	var targets []string
	for _, m := range mounts {
		if m.Type != "bind" {
			return noVolume(m)
		}
		content, err := base64.StdEncoding.DecodeString(m.Source)
		if err != nil {
			return WrapFault(err, Invalid, "base64-exception", "Invalid Base 64 file data")
		}
		if err := checkTarget(m.Destination, targets); err != nil {
			return err
		}
		targets = append(targets, m.Destination)
		if total += len(content); len(content) > maxFile || total > maxAllFiles {
			return NewFault(Invalid, "invalid-value", "The file for %s is too large: one file may have %d bytes, all files of a container %d.",
				m.Destination, maxFile, maxAllFiles)
		}
	}
	return nil
}

func noVolume(m MountRequest) error {
	if m.Source != "" {
		return NewFault(NotFound, "volume-not-found", "Volume %s could not be found.", m.Source)
	}
	return NewFault(Invalid, "volume-create-failed",
		"No volume service is configured that could make a volume of %d GB: mounts of a size need Cinder.", m.SizeGB)
}

// checkTarget refuses a path that is no file's, or another file's, or ours.
func checkTarget(target string, taken []string) error {
	refuse := func(why string) error {
		return NewFault(Invalid, "invalid-value", "A file cannot be put at %q: %s.", target, why)
	}
	switch {
	case !path.IsAbs(target), path.Clean(target) != target, target == "/", strings.ContainsAny(target, ":\x00"):
		return refuse("it is not the absolute path of a file")
	case slices.Contains(taken, target):
		return refuse("another file goes there")
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
