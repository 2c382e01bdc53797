package control_test

import (
	"regexp"
	"sync"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/capsule"
	"github.com/go-zun/zun/internal/domain"
)

func (h *house) capsules() *capsule.Capsules {
	return capsule.New(capsule.Deps{Control: h.Control, Networking: h.nets})
}

// draftOf is a capsule of two members and an init container.
func draftOf(name string) domain.Capsule {
	return domain.Capsule{
		Group: domain.Container{Kind: domain.KindCapsule, Spec: domain.Spec{Name: name, CPU: 2, MemoryMB: 96}},
		Members: []domain.Container{
			{Kind: domain.KindMember, Spec: domain.Spec{Image: "nginx", CPU: 0.5, MemoryMB: 64}},
			{Kind: domain.KindMember, Spec: domain.Spec{Image: "redis", MemoryMB: 32}},
		},
		Inits: []domain.Container{{Kind: domain.KindInit, Spec: domain.Spec{Image: "busybox", CPU: 2}}},
	}
}

func TestACapsuleIsStoredWithItsMembersAndSaysThatNothingRunsIt(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	made, err := h.capsules().CreateCapsule(t.Context(), member(), draftOf("web"))
	h.must(err)
	if made.Group.Status != domain.Error || made.Group.StatusReason != capsule.NoEngine || made.Group.CreatedAt.IsZero() {
		t.Errorf("group %+v", made.Group)
	}
	if len(made.Members) != 2 || len(made.Inits) != 1 || made.Members[0].Spec.Image != "nginx" || made.Members[1].Spec.Image != "redis" {
		t.Fatalf("stored as %+v", made)
	}
	name := regexp.MustCompile(`^capsule-web-[a-z]+-\d+$`)
	made.Each(func(row *domain.Container) {
		if !name.MatchString(row.Spec.Name) || row.Status != domain.Error || row.CapsuleID != made.Group.ID || row.ProjectID != "p1" {
			t.Errorf("member %+v", *row)
		}
	})
	h.books("p1", domain.Claim{Containers: 2, CPU: 0.5, MemoryMB: 96}, nil)
	if n := h.step(h.loops.Sweep); n != 0 {
		t.Errorf("the sum over the rows differs from what was counted: %d repaired", n)
	}
	rows, err := h.List(t.Context(), member(), control.ListRequest{})
	if err != nil || len(rows) != 0 {
		t.Errorf("members among the containers: %+v, %v", rows, err)
	}
	_, err = h.Get(t.Context(), member(), control.Ref{Ident: string(made.Group.ID)})
	wantFault(t, err, domain.NotFound, "Container "+string(made.Group.ID)+" could not be found.")
}

func TestANamelessCapsuleIsNamed(t *testing.T) {
	h := newHouse(t)
	made, err := h.capsules().CreateCapsule(t.Context(), member(), draftOf(""))
	h.must(err)
	if !regexp.MustCompile(`^[a-z]+-\d+-capsule$`).MatchString(made.Group.Spec.Name) {
		t.Errorf("group %q", made.Group.Spec.Name)
	}
	if want := regexp.MustCompile(`^capsule-` + string(made.Group.ID) + `-[a-z]+-\d+$`); !want.MatchString(made.Members[0].Spec.Name) {
		t.Errorf("member %q", made.Members[0].Spec.Name)
	}
}

func TestADeletedCapsuleGivesBackWhatItCounted(t *testing.T) {
	h := newHouse(t)
	keep, err := h.capsules().CreateCapsule(t.Context(), member(), draftOf("keep"))
	h.must(err)
	gone, err := h.capsules().CreateCapsule(t.Context(), member(), draftOf("gone"))
	h.must(err)
	for range 2 { // asking twice changes nothing
		h.must(h.capsules().DeleteCapsule(t.Context(), member(), control.Ref{Ident: "gone"}))
	}
	leaving, err := h.capsules().Capsule(t.Context(), member(), control.Ref{Ident: string(gone.Group.ID)})
	if err != nil || leaving.Group.Status != domain.Deleting || leaving.Group.TaskState != domain.ContainerDeleting {
		t.Errorf("on its way out: %+v, %v", leaving.Group, err)
	}
	if n := h.step(h.loops.Release); n != 1 {
		t.Errorf("released %d", n)
	}
	_, err = h.capsules().Capsule(t.Context(), member(), control.Ref{Ident: "gone"})
	wantFault(t, err, domain.NotFound, "Container gone could not be found.")
	h.books("p1", domain.Claim{Containers: 2, CPU: 0.5, MemoryMB: 96}, nil)
	left, err := h.capsules().Capsules(t.Context(), member(), false, control.Page{})
	if err != nil || len(left) != 1 || left[0].Group.ID != keep.Group.ID || len(left[0].Members) != 2 || len(left[0].Inits) != 1 {
		t.Errorf("left %+v, %v", left, err)
	}
	if n := h.step(h.loops.Sweep); n != 0 {
		t.Errorf("%d repaired: members outlived their capsule", n)
	}
}

func TestCapsulesOfOthersAreNotSeen(t *testing.T) {
	h := newHouse(t)
	_, err := h.capsules().CreateCapsule(t.Context(), member(), draftOf("web"))
	h.must(err)
	stranger := domain.Actor{UserID: "u2", ProjectID: "p2", RequestID: "req-2"}
	_, err = h.capsules().Capsule(t.Context(), stranger, control.Ref{Ident: "web"})
	wantFault(t, err, domain.NotFound, "Container web could not be found.")
	wantFault(t, h.capsules().DeleteCapsule(t.Context(), stranger, control.Ref{Ident: "web"}), domain.NotFound, "Container web could not be found.")
	all, err := h.capsules().Capsules(t.Context(), admin(), true, control.Page{})
	if err != nil || len(all) != 1 {
		t.Errorf("the operator sees %+v, %v", all, err)
	}
}

func TestCapsulesNeverExceedTheQuotaTogether(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.Quota.Containers = 5 })
	var wg sync.WaitGroup
	failures := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			_, err := h.capsules().CreateCapsule(t.Context(), member(), draftOf("web"))
			failures <- err
		})
	}
	wg.Wait()
	close(failures)
	refused := 0
	for err := range failures {
		if err != nil {
			wantFault(t, err, domain.Forbidden, "Quota exceeded for resources: ['containers']")
			refused++
		}
	}
	if refused != 6 {
		t.Errorf("%d of 8 refused, want 6", refused)
	}
	h.books("p1", domain.Claim{Containers: 4, CPU: 1, MemoryMB: 192}, nil)
}

func TestCapsuleRefusals(t *testing.T) {
	h := newHouse(t)
	volume := domain.Spec{Mounts: []domain.MountRequest{{Type: "volume", Source: "v", Destination: "/d"}}}
	member0, init := draftOf("web"), draftOf("web")
	member0.Members[0].Spec.Mounts = volume.Mounts
	init.Inits = []domain.Container{{Kind: domain.KindInit, Spec: volume}}
	for _, draft := range []domain.Capsule{member0, init} {
		_, err := h.capsules().CreateCapsule(t.Context(), member(), draft)
		wantFault(t, err, domain.NotFound, "Volume v could not be found.")
	}
	h.books("p1", domain.Claim{}, nil)
}
