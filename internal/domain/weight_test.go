package domain_test

import (
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestWhatDescribesAContainerIsBounded(t *testing.T) {
	large, many := strings.Repeat("x", 1<<20), make([]string, 1<<16)
	named := map[string]string{"name": large}
	for what, spec := range map[string]domain.Spec{
		"the environment": {Environment: named}, "labels": {Labels: named}, "annotations": {Annotations: named}, "hints": {Hints: named},
		"a name of a variable": {Environment: map[string]string{large: ""}},
		"the command":          {Command: []string{large}}, "many empty words": {Command: many}, "the entrypoint": {Entrypoint: []string{large}},
		"the working directory": {Workdir: large}, "the check": {Healthcheck: &domain.Healthcheck{Test: large}},
		"a volume": {Mounts: []domain.MountRequest{{Type: domain.MountVolume, Source: large}}}, "many files": {Mounts: make([]domain.MountRequest, 1<<16)},
		"groups": {SecurityGroups: many}, "networks": {Nets: []domain.NetRequest{{Network: large}}},
	} {
		if err := domain.CheckTexts(spec); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := domain.CheckTexts(make([]domain.Spec, 1<<10+1)...); !domain.IsKind(err, domain.Invalid) {
		t.Errorf("many empty containers: got %v", err)
	}
	half := domain.Spec{Environment: map[string]string{"name": large[:500<<10]}}
	if err := domain.CheckTexts(half, half); err != nil {
		t.Errorf("what fits: got %v", err)
	}
	file := domain.MountRequest{Type: domain.MountBind, Source: large, Destination: "/a"}
	if err := domain.CheckTexts(domain.Spec{Mounts: []domain.MountRequest{file}}); err != nil {
		t.Errorf("files are bounded by themselves: got %v", err)
	}
}
