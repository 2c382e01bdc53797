package stock

import (
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// canonical is the full name of what a reference names: registry, repository, and tag
// or digest. Two references are the same image of an engine if their full names are.
// What is no reference stays as it is and equals nothing.
func canonical(reference string) string {
	repo, tag, ok := domain.SplitReference(reference)
	if !ok {
		return reference
	}
	switch at := domain.ImageDomain(repo); {
	case at == "index.docker.io":
		repo = strings.Replace(repo, at, publicRegistry, 1)
	case at == "" && !strings.Contains(repo, "/"):
		repo = publicRegistry + "/library/" + repo
	case at == "":
		repo = publicRegistry + "/" + repo
	}
	if strings.Contains(tag, ":") {
		return repo + "@" + tag
	}
	return repo + ":" + tag
}

// publicRegistry is where images come from that name no registry.
const publicRegistry = "docker.io"

// bears says whether image goes by the name reference. Engines find an image by a part
// of its id as well, by which nobody may ask: it is no name that a registry gave.
func bears(image domain.StoredImage, reference string) bool {
	want := canonical(reference)
	for _, name := range append(image.Names, image.Digests...) {
		if canonical(name) == want {
			return true
		}
	}
	return false
}

// repository is a reference without tag and digest.
func repository(reference string) string {
	repo, _, _ := strings.Cut(canonical(reference), "@")
	if at := strings.LastIndex(repo, ":"); at > strings.LastIndex(repo, "/") {
		repo = repo[:at]
	}
	return repo
}

// digestOf is the digest under which image came from the repository of reference;
// empty: it never came from there.
func digestOf(image domain.StoredImage, reference string) string {
	repo := repository(reference)
	for _, name := range image.Digests {
		from, digest, _ := strings.Cut(canonical(name), "@")
		if from == repo {
			return digest
		}
	}
	return ""
}
