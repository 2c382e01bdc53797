package control_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/snapshots"
	"github.com/go-zun/zun/internal/domain"
)

func stranger() domain.Actor { return domain.Actor{UserID: "u2", ProjectID: "p2", RequestID: "req-2"} }

// committed returns an image that was made of the container called name.
func (h *house) committed(name, repository, tag string) (image string, id domain.ContainerID) {
	h.t.Helper()
	id = h.running(name)
	image, err := h.Commit(h.t.Context(), member(), control.Ref{Ident: name}, repository, tag)
	h.must(err)
	host, begun := h.reportOf(id, domain.PhaseBegun)
	h.send(host, begun)
	host, done := h.reportOf(id, domain.PhaseDone)
	done.Image = &domain.LocalImage{ID: "sha256:7", Size: 1234}
	h.send(host, done)
	return image, id
}

// hurry ends the pause before an image is next looked after.
func (h *house) hurry(image string) {
	h.t.Helper()
	h.must(h.store.Write(h.t.Context(), func(ctx context.Context, tx control.Tx) error {
		row, err := tx.Images().Get(ctx, image)
		if err != nil {
			return err
		}
		row.LeaseUntil = time.Time{}
		return tx.Images().Update(ctx, row)
	}))
}

func (h *house) own(project string) (ids []string) {
	h.t.Helper()
	images, err := h.stock().Images(h.t.Context(), control.ImageQuery{OwnOf: project})
	h.must(err)
	for _, i := range images {
		ids = append(ids, i.ID)
	}
	return ids
}

func TestACommitMakesAnImageOfItsProject(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	id := h.running("web")
	image, err := h.Commit(t.Context(), member(), control.Ref{Ident: "web"}, "repo", "v1")
	h.must(err)
	a := h.assignment(host.ID, id)
	if a.Op.Verb != domain.VerbCommit || a.Op.Args.ImageID != image || len(image) != 36 {
		t.Errorf("the host reads %+v", a.Op)
	}
	_, err = h.Create(t.Context(), member(), request("early", func(r *control.CreateRequest) { r.Spec.Image = image }))
	wantFault(t, err, domain.Conflict, "Image "+image+" is still being committed.")
	wantFault(t, h.Discard(t.Context(), "p1", image), domain.Conflict, "Image "+image+" is still being committed.")
	_, r := h.reportOf(id, domain.PhaseDone)
	r.Image = &domain.LocalImage{ID: "sha256:7", Size: 1234}
	h.send(host.ID, r)
	h.wantStatus(id, domain.Running)
	made, err := h.stock().Image(t.Context(), image)
	if err != nil || made.ImageID != "sha256:7" || made.Size != "1234" || made.Repo != "repo" || made.Tag != "v1" || made.ProjectID != "p1" || made.Source != id || made.Task != "" {
		t.Errorf("recorded %+v, %v", made, err)
	}
	if got := h.own("p1"); !slices.Equal(got, []string{image}) || h.own("p2") != nil {
		t.Errorf("p1 sees %v, p2 %v", got, h.own("p2"))
	}
}

// TestAnOwnImageIsUsedByItsProjectAlone names it by uuid and by name, from inside and
// outside the project, and by the name that the engine knows.
// TestNothingIsPulledForGlance holds that who asks for an image of Glance is not given what a
// public registry has by that name: there is no Glance, only what the project committed.
func TestNothingIsPulledForGlance(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.committed("web", "repo", "v1")
	glance := func(image string) func(*control.CreateRequest) {
		return func(r *control.CreateRequest) { r.Spec.Image, r.Spec.ImageDriver = image, "glance" }
	}
	_, err := h.Create(t.Context(), member(), request("not-there", glance("busybox")))
	wantFault(t, err, domain.Invalid, "Image busybox could not be found: no image service is configured, and the project committed none of that name.")
	h.create("own", glance("repo:v1"))
	rebuild := func(image string) error {
		_, err := h.Act(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbRebuild, domain.ActionArgs{Image: image, ImageDriver: "glance"})
		return err
	}
	wantFault(t, rebuild("busybox"), domain.Invalid, "Image busybox could not be found: no image service is configured, and the project committed none of that name.")
	h.must(rebuild("repo:v1"))
}

func TestAnOwnImageIsUsedByItsProjectAlone(t *testing.T) {
	h := newHouse(t)
	host := h.addHost("n1")
	h.addHost("n2", func(h *domain.Host) { h.Inventory.CPUs = 64 })
	image, source := h.committed("web", "repo", "v1")
	if h.row(source).HostName == "n2" {
		host.Name, host.ID = "n2", "0000-n2"
	}
	for _, name := range []string{image, "repo:v1"} {
		id := h.create("by-"+name[:4], func(r *control.CreateRequest) { r.Spec.Image = name })
		h.step(h.loops.Prepare)
		a := h.assignment(host.ID, id)
		if a.Spec.Image != domain.OwnReference(image) || a.Spec.PullPolicy != domain.PullNever || a.Secret != nil {
			t.Errorf("as %s the host reads %s, %s", name, a.Spec.Image, a.Spec.PullPolicy)
		}
		if row := h.row(id); row.Spec.Image != name || row.HostName != host.Name {
			t.Errorf("the user sees %s on %s", row.Spec.Image, row.HostName)
		}
	}
	foreign, err := h.Create(t.Context(), stranger(), request("thief", func(r *control.CreateRequest) { r.Spec.Image = "repo:v1" }))
	if err != nil || foreign.Spec.OwnImage != "" {
		t.Errorf("another project's is %+v, %v", foreign.Spec, err)
	}
	for _, actor := range []domain.Actor{member(), stranger(), admin()} {
		name := domain.OwnReference(image)
		_, err := h.Create(t.Context(), actor, request("thief-2", func(r *control.CreateRequest) { r.Spec.Image = name }))
		wantFault(t, err, domain.Invalid, "Image "+name+" could not be found.")
	}
	_, err = h.Create(t.Context(), admin(), request("elsewhere", func(r *control.CreateRequest) { r.Spec.Image = image }))
	h.must(err) // an image of another project is a name in a registry that there is not
	_, err = h.Act(t.Context(), member(), control.Ref{Ident: "web"}, domain.VerbRebuild, domain.ActionArgs{Image: "repo:v1"})
	h.must(err)
	h.step(h.loops.Prepare)
	if a := h.assignment(host.ID, source); a.Spec.Image != domain.OwnReference(image) || a.Generation != 2 {
		t.Errorf("rebuilt from %s", a.Spec.Image)
	}
}

// TestADeletedImageGoesFromItsHostAndThenItsRow deletes one that is in use, one that is
// not, and one whose host does not answer at first.
func TestADeletedImageGoesFromItsHostAndThenItsRow(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	image, _ := h.committed("web", "repo", "v1")
	wantFault(t, h.Discard(t.Context(), "p2", image), domain.Invalid, "Image "+image+" could not be found.")
	user := h.create("user", func(r *control.CreateRequest) { r.Spec.Image = image })
	wantFault(t, h.Discard(t.Context(), "p1", image), domain.Conflict, "Image "+image+" is in use by container "+string(user)+".")
	h.must(h.Delete(t.Context(), member(), control.Ref{Ident: "user"}, control.DeleteRequest{Stop: true}))
	h.step(h.loops.Release)
	h.must(h.Discard(t.Context(), "p1", image))
	wantFault(t, h.Discard(t.Context(), "p1", image), domain.Invalid, "Image "+image+" could not be found.")
	if h.own("p1") != nil {
		t.Error("it is still to be seen")
	}
	h.nodes.answer = func(string) error { return domain.NewFault(domain.Unavailable, "host-unavailable", "no answer") }
	h.step(h.loops.Fetch)
	h.nodes.answer = nil
	h.hurry(image) // which finds the row: it may not go before the host answered
	h.step(h.loops.Fetch)
	if !slices.Contains(h.nodes.removed, domain.OwnReference(image)) {
		t.Errorf("removed %v", h.nodes.removed)
	}
	_, err := h.stock().Image(t.Context(), image)
	wantFault(t, err, domain.Invalid, "Image "+image+" could not be found.")
}

// TestAFailedCommitLeavesNoImage fails one before and after it was begun, and deletes a
// container under one.
func TestAFailedCommitLeavesNoImage(t *testing.T) {
	for _, c := range []struct {
		name  string
		begun bool
		end   func(h *house, id domain.ContainerID)
	}{
		{"refused", false, func(h *house, id domain.ContainerID) {
			host, r := h.reportOf(id, domain.PhaseRefused)
			h.send(host, r)
		}},
		{"failed", true, func(h *house, id domain.ContainerID) {
			host, r := h.reportOf(id, domain.PhaseFailed)
			r.Message = "outcome unknown"
			h.send(host, r)
		}},
		{"canceled", true, func(h *house, id domain.ContainerID) {
			h.must(h.Delete(h.t.Context(), member(), control.Ref{Ident: string(id)}, control.DeleteRequest{Stop: true}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.addHost("n1")
			id := h.running("web")
			image, err := h.Commit(t.Context(), member(), control.Ref{Ident: "web"}, "repo", "")
			h.must(err)
			if c.begun {
				host, r := h.reportOf(id, domain.PhaseBegun)
				h.send(host, r)
			}
			c.end(h, id)
			if h.own("p1") != nil {
				t.Error("it is still to be seen")
			}
			if n := h.step(h.loops.Fetch); (n == 0) != c.begun {
				t.Errorf("removed %d at once", n)
			}
			if c.begun { // an engine that was asked may have been late
				h.hurry(image)
				h.step(h.loops.Fetch)
			}
			if !slices.Equal(h.nodes.removed, []string{domain.OwnReference(image)}) {
				t.Errorf("removed %v", h.nodes.removed)
			}
			_, err = h.stock().Image(t.Context(), image)
			wantFault(t, err, domain.Invalid, "Image "+image+" could not be found.")
		})
	}
}

func TestCommitRefusals(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.committed("one", "repo", "v1")
	h.committed("two", "repo", "v1")
	_, err := snapshots.New(h.Control, 2).Commit(t.Context(), member(), control.Ref{Ident: "one"}, "repo", "v1")
	wantFault(t, err, domain.Forbidden, "Quota exceeded for resources: ['images']")
	for _, name := range []string{"", "a b", "/x", domain.OwnDomain + "/x"} {
		_, err := h.Commit(t.Context(), member(), control.Ref{Ident: "one"}, name, "")
		wantFault(t, err, domain.Invalid, name+" is no name for an image.")
	}
	id := h.create("new", func(r *control.CreateRequest) { r.Run = false })
	_, err = h.Commit(t.Context(), member(), control.Ref{Ident: "new"}, "repo", "v1")
	wantFault(t, err, domain.Conflict, "Cannot commit container "+string(id)+" in Creating state")
}
