package link_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

func TestCallsOnImagesArrive(t *testing.T) {
	_, _, m, calls := pair(t)
	ctx, images := t.Context(), calls.Images()
	told := 0
	tell := func(_, _ int64) error { told++; return nil }
	if got, err := images.Pull(ctx, domain.ImageOrder{Reference: "busybox:1.36"}, tell); err != nil || got != (domain.LocalImage{ID: "sha256:1", Size: 1 << 40}) {
		t.Errorf("pulled %+v, %v", got, err)
	}
	if got, err := images.Pull(ctx, domain.ImageOrder{Reference: "busybox:1.36", Secret: &domain.PullSecret{Username: "robot"}}, tell); err != nil || got.ID != "robot" {
		t.Errorf("pulled with a secret %+v, %v", got, err)
	}
	_, err := images.Pull(ctx, domain.ImageOrder{Reference: "missing/x"}, tell)
	wantFault(t, err, domain.NotFound, "image-not-found")
	if found, err := images.Search(ctx, "busybox"); err != nil || len(found) != 1 || found[0] != (domain.FoundImage{Name: "busybox", Description: "d", Official: true, Stars: 3}) {
		t.Errorf("found %+v, %v", found, err)
	}
	if err := images.Remove(ctx, "busybox"); err != nil {
		t.Error(err)
	}
	m.hands.failed = domain.NewFault(domain.Conflict, "image-in-use", "The image is in use.")
	wantFault(t, images.Remove(ctx, "busybox"), domain.Conflict, "image-in-use")
}

func TestAPullThatNobodyWaitsForIsGivenUp(t *testing.T) {
	_, _, m, calls := pair(t)
	m.hands.gaveUp = make(chan struct{})
	enough := errors.New("enough")
	_, err := calls.Images().Pull(t.Context(), domain.ImageOrder{Reference: "slow/x"}, func(_, _ int64) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("ended with %v", err)
	}
	select {
	case <-m.hands.gaveUp:
	case <-time.After(10 * time.Second):
		t.Error("the host pulls on")
	}
}
