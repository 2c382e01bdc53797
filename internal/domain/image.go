package domain

import (
	"regexp"
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

// ImageTask says what is still to be done for an image.
type ImageTask string

// The tasks; the empty task means that nothing is to be done. Only pulls and deletes
// are leased.
const (
	ImagePull   ImageTask = "pull"
	ImageCommit ImageTask = "commit" // made of a container by its own action
	ImageDelete ImageTask = "delete" // it leaves its host, then its record goes
)

// Image is the record of an image on one host: pulled for an administrator, or
// committed from a container of the project that owns it. ImageID is the engine's; it is empty
// until the image is there.
type Image struct {
	ID        string
	ProjectID string
	UserID    string
	ImageID   string
	Repo      string
	Tag       string // or the digest, where the reference names one
	Size      string
	HostName  string
	CreatedAt time.Time
	Task      ImageTask
	// DoneBytes of TotalBytes were received by a pull, as its holder last wrote.
	DoneBytes, TotalBytes int64
	// Attempts counts the leases of the task and is its fence: a holder that lost the
	// lease writes no more. LeaseUntil is in database time.
	Attempts   int
	LeaseUntil time.Time
	// Source is the container that a project's own image was committed from; empty: pulled.
	Source ContainerID
}

// OwnDomain stands where a registry's domain does in the references of committed
// images. No request may name it: who may use such an image is the row's to say.
const OwnDomain = "own.zun.internal"

// OwnReference is how an engine names the committed image of uuid id.
func OwnReference(id string) string { return OwnDomain + "/" + id + ":latest" }

// Reference is how an engine names the image.
func (i Image) Reference() string {
	if i.Source != "" {
		return OwnReference(i.ID)
	}
	if strings.Contains(i.Tag, ":") {
		return i.Repo + "@" + i.Tag
	}
	return i.Repo + ":" + i.Tag
}

// The parts of a reference, as registries and engines know them (OCI distribution
// specification, "Pulling manifests").
var (
	repository = regexp.MustCompile(`^(?:(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?` +
		`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagWord    = regexp.MustCompile(`^\w[\w.-]{0,127}$`)
	digestWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$`)
)

// maxRepository is the longest name of a repository that registries take, with its domain.
const maxRepository = 255

// SplitReference cuts a reference into repository and tag, which is the digest if
// there is one, else latest if there is none. False: it is no reference.
func SplitReference(reference string) (repo, tag string, ok bool) {
	repo, digest, pinned := strings.Cut(reference, "@")
	tag = "latest"
	last := repo[strings.LastIndex(repo, "/")+1:]
	if name, named, tagged := strings.Cut(last, ":"); tagged {
		repo, tag = repo[:len(repo)-len(last)]+name, named
	}
	ok = len(repo) <= maxRepository && repository.MatchString(repo) && tagWord.MatchString(tag)
	if pinned {
		return repo, digest, ok && digestWord.MatchString(digest)
	}
	return repo, tag, ok
}

// LocalImage is an image as an engine holds it; Size is bytes.
type LocalImage struct {
	ID   string
	Size int64
}

// StoredImage is an image with all that its engine knows of it.
type StoredImage struct {
	LocalImage
	Names   []string // with tags
	Digests []string // repository@digest, of the registries that it came from
	Used    bool     // a container is made of it, whoever's; told by lists only
}

// ImageOrder asks a host for an image from a registry.
type ImageOrder struct {
	Reference string
	ProjectID string // for which it is pulled
	Secret    *PullSecret
	// Keys are PEM public keys of which one must have signed the image; empty: none.
	Keys []string
}

// FoundImage is one result of a search in a registry.
type FoundImage struct {
	Name, Description   string
	Official, Automated bool
	Stars               int
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

// FullRepository is repo with its registry and owner: a name without them is one of the
// public registry's, as engines read it.
func FullRepository(repo string) string {
	switch {
	case ImageDomain(repo) != "":
		return repo
	case strings.Contains(repo, "/"):
		return publicRegistry + repo
	default:
		return publicRegistry + "library/" + repo
	}
}

const publicRegistry = "docker.io/"

// QualifiedImage is the image of s with registry put before a name that has no
// domain of its own. Images of drivers other than docker are not references.
func (s Spec) QualifiedImage(registry string) string {
	reference := s.ImageDriver == "" || s.ImageDriver == "docker"
	if registry == "" || !reference || ImageDomain(s.Image) != "" {
		return s.Image
	}
	return strings.TrimSuffix(registry, "/") + "/" + s.Image
}
