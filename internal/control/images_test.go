package control_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// demands refuses images with "bad" in their name, and wants those with "signed"
// signed.
type demands struct{}

func (demands) Judge(reference string) ([]string, error) {
	if strings.Contains(reference, "bad") {
		return nil, domain.NewFault(domain.Forbidden, "image-not-allowed", "not %s", reference)
	}
	if strings.Contains(reference, "signed") {
		return []string{"key of " + reference}, nil
	}
	return nil, nil
}

func TestTheRulesOnImagesAreAskedWhereverOneIsNamed(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.DefaultRegistry.Domain = "reg.example" })
	h.rules = demands{}
	h.reopen(func(o *control.Options) { o.DefaultRegistry.Domain = "reg.example" })
	host := h.addHost("n1")
	image := func(name string) func(*control.CreateRequest) {
		return func(r *control.CreateRequest) { r.Spec.Image = name }
	}
	_, err := h.Create(t.Context(), member(), request("x", image("bad:1")))
	wantFault(t, err, domain.Forbidden, "not reg.example/bad:1")
	_, err = h.stock().PullImage(t.Context(), admin(), "bad", "n1")
	wantFault(t, err, domain.Forbidden, "not reg.example/bad:latest")
	id := h.running("y", image("good"))
	_, err = h.Act(t.Context(), member(), control.Ref{Ident: string(id)}, domain.VerbRebuild, domain.ActionArgs{Image: "bad"})
	wantFault(t, err, domain.Forbidden, "not reg.example/bad")

	signed := h.create("z", image("signed"))
	h.step(h.loops.Prepare)
	a := h.assignment(host.ID, signed)
	if !slices.Equal(a.ImageKeys, []string{"key of reg.example/signed"}) || !slices.Contains(a.Requires, domain.AbilitySignatures) {
		t.Errorf("the host is told %v, %v", a.ImageKeys, a.Requires)
	}
	h.done(signed, domain.Running)
	if a := h.assignment(host.ID, signed); len(a.ImageKeys) > 0 || len(a.Requires) > 0 {
		t.Errorf("of what is made the host is told %v, %v", a.ImageKeys, a.Requires)
	}
	if a := h.assignment(host.ID, id); len(a.ImageKeys) > 0 {
		t.Errorf("of what needs no signature the host is told %v", a.ImageKeys)
	}
}
