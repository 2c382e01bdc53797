package enginetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/stock"
	"github.com/go-zun/zun/internal/domain"
)

// testStoredImages follows one image through the engine's own list of them.
func testStoredImages(t *testing.T, h *house) {
	inspector, keeper := capability[stock.Inspector](h), capability[stock.Keeper](h)
	look := func(id string) (domain.StoredImage, bool) {
		all, err := keeper.StoredImages(h.ctx())
		h.must(err, "list the images")
		i := slices.IndexFunc(all, func(i domain.StoredImage) bool { return i.ID == id })
		if i < 0 {
			return domain.StoredImage{}, false
		}
		return all[i], true
	}
	image, err := inspector.InspectImage(h.ctx(), h.Image)
	h.must(err, "inspect the image")
	if image.ID == "" || image.Size <= 0 || !slices.ContainsFunc(image.Names, func(n string) bool { return strings.Contains(n, h.Image) }) {
		t.Errorf("inspected as %+v", image)
	}
	h.create(h.command("true"))
	if listed, found := look(image.ID); !found || !listed.Used || listed.Size <= 0 {
		t.Errorf("listed as %+v, %v", listed, found)
	}
	_, err = inspector.InspectImage(h.ctx(), h.Missing)
	h.fault(err, domain.NotFound)
	id, moved := h.id(), h.command("true") // the name has moved on since the image was judged
	moved.Image = h.Missing
	_, err = h.engine.Members().Create(h.ctx(), agent.MemberSpec{Container: id, Generation: 1, Sandbox: h.sandbox(id), Spec: moved, ImageID: image.ID})
	h.must(err, "create by the id")
	free, total, err := keeper.ImageDisk(h.ctx())
	h.must(err, "measure the disk")
	if free < 0 || total <= 0 || free > total {
		t.Errorf("disk: %d of %d bytes free", free, total)
	}
}

// testResolve has registries say for whom they would give an image.
func testResolve(t *testing.T, h *house) {
	keeper := capability[stock.Keeper](h)
	_, err := keeper.ResolveImage(h.ctx(), h.Unreachable, nil)
	h.fault(err, domain.Unavailable)
	_, err = keeper.ResolveImage(h.ctx(), h.Missing, nil)
	h.fault(err, domain.NotFound)
	if h.Private == "" {
		return
	}
	_, err = keeper.ResolveImage(h.ctx(), h.Private, nil)
	h.fault(err, domain.Forbidden)
	_, err = keeper.ResolveImage(h.ctx(), h.Private, &domain.PullSecret{Domain: h.Secret.Domain, Username: "nobody", Password: "wrong"})
	h.fault(err, domain.Forbidden)
	digest, err := keeper.ResolveImage(h.ctx(), h.Private, h.Secret)
	h.must(err, "resolve with the secret")
	h.must(h.engine.Images().Pull(h.ctx(), h.Private, h.Secret, nil), "pull with the secret")
	image, err := capability[stock.Inspector](h).InspectImage(h.ctx(), h.Private)
	h.must(err, "inspect what was pulled")
	if !strings.HasPrefix(digest, "sha256:") || !slices.ContainsFunc(image.Digests, func(d string) bool { return strings.HasSuffix(d, "@"+digest) }) {
		t.Errorf("the registry says %s, the engine %v", digest, image.Digests)
	}
}

// testPinned pulls an image by its digest and makes a container of it.
func testPinned(t *testing.T, h *house) {
	if h.Pinned == "" {
		return
	}
	repo, tag, _ := domain.SplitReference(h.Pinned)
	digest, err := capability[stock.Keeper](h).ResolveImage(h.ctx(), repo+":"+tag, nil)
	h.must(err, "resolve")
	pinned := repo + "@" + digest
	h.must(h.engine.Images().Pull(h.ctx(), pinned, nil, nil), "pull by digest")
	if present, err := h.engine.Images().Present(h.ctx(), pinned); err != nil || !present {
		t.Errorf("after the pull: %v, %v", present, err)
	}
	id, spec := h.id(), h.command("true")
	spec.Image = pinned
	o, err := h.engine.Members().Create(h.ctx(), agent.MemberSpec{Container: id, Generation: 1, Sandbox: h.sandbox(id), Spec: spec})
	h.must(err, "create by digest")
	h.must(h.engine.Members().Remove(h.ctx(), o), "remove the container")
	h.must(h.engine.Images().Remove(h.ctx(), pinned), "remove by digest")
	wrong := repo + "@sha256:" + strings.Repeat("0", 64)
	if present, err := h.engine.Images().Present(h.ctx(), wrong); err != nil || present {
		t.Errorf("an unknown digest: %v, %v", present, err)
	}
}
