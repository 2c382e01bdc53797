package domain

import (
	"strings"
	"time"
)

// PullPolicy says when an image is fetched.
type PullPolicy string

// The policies; the empty policy means PullAlways.
const (
	PullAlways       PullPolicy = "always"
	PullIfNotPresent PullPolicy = "ifnotpresent"
	PullNever        PullPolicy = "never"
)

// ParsePullPolicy reads a policy in any case; empty is PullAlways. An unknown word
// returns false.
func ParsePullPolicy(s string) (PullPolicy, bool) {
	switch p := PullPolicy(strings.ToLower(s)); p {
	case "":
		return PullAlways, true
	case PullAlways, PullIfNotPresent, PullNever:
		return p, true
	default:
		return "", false
	}
}

// Registry is a project's named source of images with its credential. The password
// is sealed at rest; SealedPassword is never shown.
type Registry struct {
	ID             string
	ProjectID      string
	UserID         string
	Name           string
	Domain         string
	Username       string
	SealedPassword []byte
}

// Image is an admin's record of an image pulled to one host.
type Image struct {
	ID        string
	ProjectID string
	UserID    string
	ImageID   string
	Repo      string
	Tag       string
	Size      string
	HostName  string
	CreatedAt time.Time
}

// ImageDomain returns the registry domain that an image reference names, if any:
// the first part of a path that looks like a host.
func ImageDomain(reference string) string {
	head, _, found := strings.Cut(reference, "/")
	if found && (strings.ContainsAny(head, ".:") || head == "localhost") {
		return head
	}
	return ""
}

// QualifiedImage is the image of s with registry put before a name that has no
// domain of its own. Images of drivers other than docker are not references.
func (s Spec) QualifiedImage(registry string) string {
	reference := s.ImageDriver == "" || s.ImageDriver == "docker"
	if registry == "" || !reference || ImageDomain(s.Image) != "" {
		return s.Image
	}
	return strings.TrimSuffix(registry, "/") + "/" + s.Image
}
