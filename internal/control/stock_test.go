package control_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/stock"
	"github.com/go-zun/zun/internal/domain"
)

func (h *house) stock() *stock.Stock {
	return stock.New(stock.Deps{Control: h.Control, Fleet: h.Fleet, Nodes: h.nodes, Log: slog.New(slog.DiscardHandler)})
}

func TestAPullIsARecordThatTheLoopCarriesOut(t *testing.T) {
	h := newHouse(t, func(o *control.Options) {
		o.DefaultRegistry = domain.PullSecret{Domain: "registry.example:5000", Username: "robot", Password: "secret"}
	})
	host := h.addHost("n1")
	made, err := h.stock().PullImage(t.Context(), admin(), "busybox:1.36", host.ID)
	h.must(err)
	if made.Repo != "registry.example:5000/busybox" || made.Tag != "1.36" || made.HostName != "n1" || made.ImageID != "" {
		t.Errorf("accepted as %+v", made)
	}
	select {
	case <-h.Bells().Fetch:
	default:
		t.Error("the loop was not rung")
	}
	if n := h.step(h.loops.Fetch); n != 1 {
		t.Errorf("pulled %d", n)
	}
	if want := []string{"registry.example:5000/busybox:1.36", "robot"}; !slices.Equal(h.nodes.pulls, want) {
		t.Errorf("pulled %v, want %v", h.nodes.pulls, want)
	}
	got, err := h.stock().Image(t.Context(), made.ID)
	if err != nil || got.ImageID != "sha256:1" || got.Size != "42" {
		t.Errorf("recorded %+v, %v", got, err)
	}
	if n := h.step(h.loops.Fetch); n != 0 {
		t.Errorf("pulled again: %d", n)
	}
	_, err = h.stock().PullImage(t.Context(), admin(), "busybox:1.36", "n1")
	wantFault(t, err, domain.Conflict, "An image with tag 1.36 and repo registry.example:5000/busybox already exists.")
	h.must(h.stock().DeleteImage(t.Context(), made.ID))
	if !slices.Equal(h.nodes.removed, []string{"registry.example:5000/busybox:1.36"}) {
		t.Errorf("removed %v", h.nodes.removed)
	}
	_, err = h.stock().Image(t.Context(), made.ID)
	wantFault(t, err, domain.Invalid, "Image "+made.ID+" could not be found.")
}

func (h *house) pulledImage(reference string) domain.Image {
	h.t.Helper()
	made, err := h.stock().PullImage(h.t.Context(), admin(), reference, "n1")
	h.must(err)
	h.step(h.loops.Fetch)
	return made
}

func TestAnImageInUseIsNotDeleted(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	made := h.pulledImage("busybox")
	h.nodes.answer = func(string) error { return domain.NewFault(domain.Conflict, "image-in-use", "in use") }
	wantFault(t, h.stock().DeleteImage(t.Context(), made.ID), domain.Conflict, "Image "+made.ID+" is in use on host n1.")
	if got, err := h.stock().Image(t.Context(), made.ID); err != nil || got.ImageID == "" || got.Task != "" {
		t.Errorf("left as %+v, %v", got, err)
	}
	h.nodes.answer = nil
	h.must(h.stock().DeleteImage(t.Context(), made.ID))
	_, err := h.stock().Image(t.Context(), made.ID)
	wantFault(t, err, domain.Invalid, "Image "+made.ID+" could not be found.")
}

func TestWhoDeletesSecondFindsItDone(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	made := h.pulledImage("busybox")
	h.nodes.answer = func(string) error {
		h.nodes.answer = nil
		h.must(h.stock().DeleteImage(t.Context(), made.ID))
		return domain.NewFault(domain.NotFound, "image-not-found", "no such image")
	}
	h.must(h.stock().DeleteImage(t.Context(), made.ID))
}

func TestADeletionReachesAHostThatWasAway(t *testing.T) {
	for name, back := range map[string]error{
		"removed": nil, "in use by then": domain.NewFault(domain.Conflict, "image-in-use", "in use"),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.addHost("n1")
			made := h.pulledImage("busybox")
			h.nodes.answer = func(string) error { return domain.NewFault(domain.Unavailable, "host-unavailable", "away") }
			h.must(h.stock().DeleteImage(t.Context(), made.ID))
			wantGone := func() {
				t.Helper()
				_, err := h.stock().Image(t.Context(), made.ID)
				wantFault(t, err, domain.Invalid, "Image "+made.ID+" could not be found.")
				if left, err := h.stock().Images(t.Context(), control.ImageQuery{Pulled: true}); err != nil || len(left) != 0 {
					t.Errorf("listed %+v, %v", left, err)
				}
			}
			wantGone()
			wantFault(t, h.stock().DeleteImage(t.Context(), made.ID), domain.Invalid, "Image "+made.ID+" could not be found.")
			h.step(h.loops.Fetch) // still away
			h.reopen()
			h.nodes.answer = func(string) error { return back }
			h.write(func(ctx context.Context, tx control.Tx) error { // the lease ends
				leased, err := tx.Images().Get(ctx, made.ID)
				leased.LeaseUntil = time.Time{}
				return errors.Join(err, tx.Images().Update(ctx, leased))
			})
			if n := h.step(h.loops.Fetch); n != 1 {
				t.Errorf("tried %d deletions", n)
			}
			wantGone()
			if h.step(h.loops.Fetch) != 0 || len(h.nodes.removed) != 3 {
				t.Errorf("asked the host %d times", len(h.nodes.removed))
			}
			h.nodes.answer = nil
			again := h.pulledImage("busybox")
			if got, err := h.stock().Image(t.Context(), again.ID); err != nil || got.ImageID == "" {
				t.Errorf("pulled again: %+v, %v", got, err)
			}
		})
	}
}

func TestThePullTellsHowFarItIs(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	made, err := h.stock().PullImage(t.Context(), admin(), "busybox", "n1")
	h.must(err)
	var during domain.Image
	h.nodes.answer = func(string) (err error) {
		during, err = h.stock().Image(t.Context(), made.ID)
		return err
	}
	h.step(h.loops.Fetch)
	if during.DoneBytes != 1 || during.TotalBytes != 2 || during.Task != domain.ImagePull {
		t.Errorf("told %+v", during)
	}
}

func TestAFailedPullBlocksNothing(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.nodes.answer = func(string) error { return domain.NewFault(domain.NotFound, "image-not-found", "no such image") }
	for range 2 {
		_, err := h.stock().PullImage(t.Context(), admin(), "nosuch", "n1")
		h.must(err)
		h.step(h.loops.Fetch)
	}
	left, err := h.stock().Images(t.Context(), control.ImageQuery{Pulled: true})
	if err != nil || len(left) != 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}

func TestAPullSurvivesAHostThatIsAway(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	away := true
	h.nodes.answer = func(string) error {
		if away {
			return domain.NewFault(domain.Unavailable, "host-unavailable", "host n1 does not answer")
		}
		return nil
	}
	made, err := h.stock().PullImage(t.Context(), admin(), "busybox", "n1")
	h.must(err)
	h.step(h.loops.Fetch)
	if n := h.step(h.loops.Fetch); n != 0 {
		t.Error("tried again under the lease of the first try")
	}
	if got, err := h.stock().Image(t.Context(), made.ID); err != nil || got.ImageID != "" {
		t.Errorf("after the first try %+v, %v", got, err)
	}
}

// A database that hangs up says nothing about the pull, which was accepted and goes on.
func TestAPullSurvivesADatabaseThatIsAway(t *testing.T) {
	gone := domain.NewFault(domain.Unavailable, "database-unavailable", "The database is not available, please try again.")
	t.Run("while it tells how far it is", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		made, err := h.stock().PullImage(t.Context(), admin(), "busybox", "n1")
		h.must(err)
		h.nodes.answer = func(call string) error {
			if call == "begin pull" {
				h.store.breakWith(gone)
			} else {
				h.store.breakWith(nil)
			}
			return nil
		}
		h.step(h.loops.Fetch)
		if got, err := h.stock().Image(t.Context(), made.ID); err != nil || got.ImageID != "sha256:1" || got.Task != "" {
			t.Errorf("left as %+v, %v", got, err)
		}
	})
	t.Run("when its host is looked up", func(t *testing.T) {
		h := newHouse(t)
		h.addHost("n1")
		made, err := h.stock().PullImage(t.Context(), admin(), "busybox", "n1")
		h.must(err)
		h.store.blindWith(gone)
		if _, err := h.loops.Fetch(t.Context()); !domain.IsKind(err, domain.Unavailable) {
			t.Errorf("the step ended with %v", err)
		}
		h.store.blindWith(nil)
		if got, err := h.stock().Image(t.Context(), made.ID); err != nil || got.Task != domain.ImagePull {
			t.Errorf("left as %+v, %v", got, err)
		}
	})
}

func TestPullRefusals(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	_, err := h.stock().PullImage(t.Context(), admin(), "busybox", "nosuch")
	wantFault(t, err, domain.Invalid, "The host nosuch does not exist.")
	for _, reference := range []string{"a b", "/x", "x/", "x:", "a//b"} {
		_, err = h.stock().PullImage(t.Context(), admin(), reference, "n1")
		wantFault(t, err, domain.Invalid, reference+" is not the reference of an image.")
	}
	wantFault(t, h.stock().DeleteImage(t.Context(), "nosuch"), domain.Invalid, "Image nosuch could not be found.")
}

func TestADeletedRecordEndsItsPull(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	made, err := h.stock().PullImage(t.Context(), admin(), "busybox", "n1")
	h.must(err)
	h.nodes.answer = func(call string) error {
		if call == "pull" {
			return h.stock().DeleteImage(t.Context(), made.ID)
		}
		return nil
	}
	h.step(h.loops.Fetch)
	left, err := h.stock().Images(t.Context(), control.ImageQuery{Pulled: true})
	if err != nil || len(left) != 0 {
		t.Errorf("the record came back: %+v, %v", left, err)
	}
}

func TestSearchNeedsAHostAndThePublicRegistry(t *testing.T) {
	h := newHouse(t)
	_, err := h.stock().SearchImages(t.Context(), "busybox", false)
	wantFault(t, err, domain.Unavailable, "No host is up that could search images.")
	h.addHost("n1")
	found, err := h.stock().SearchImages(t.Context(), "busybox", false)
	if err != nil || len(found) != 2 {
		t.Errorf("found %+v, %v", found, err)
	}
	found, err = h.stock().SearchImages(t.Context(), "busybox", true)
	if err != nil || len(found) != 1 || found[0].Name != "busybox" {
		t.Errorf("exactly %+v, %v", found, err)
	}
	_, err = h.stock().SearchImages(t.Context(), "images.example/x", false)
	wantFault(t, err, domain.Unsupported, "Images can be searched only in the engine's public registry, not in images.example.")
	h.store.step(time.Hour)
	_, err = h.stock().SearchImages(t.Context(), "busybox", false)
	wantFault(t, err, domain.Unavailable, "No host is up that could search images.")
}
