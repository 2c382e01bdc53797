package docker

import (
	"maps"
	"testing"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// TestNeitherUserNorImageSetsOurLabels holds that each label that we read is set: an
// engine gives a container the labels of its image that it is not told.
func TestNeitherUserNorImageSetsOurLabels(t *testing.T) {
	m := members{&Engine{options: Options{Deployment: "d1"}}}
	want := map[string]string{
		domain.LabelDeployment: "d1", domain.LabelContainer: "c1", domain.LabelGeneration: "3", domain.LabelRole: roleMember, labelPorts: "", "mine": "kept",
	}
	spec := domain.Spec{Labels: map[string]string{
		"mine": "kept", domain.LabelDeployment: "d2", domain.LabelContainer: "c2", domain.LabelRole: roleSandbox, labelPorts: "22/tcp", domain.LabelImage: "i2",
	}}
	if got := m.labels(agent.MemberSpec{Container: "c1", Generation: 3, Spec: spec}); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	want[labelPorts] = "80/tcp,81/udp"
	spec.ExposedPorts = []string{"80/tcp", "81/udp"}
	if got := m.labels(agent.MemberSpec{Container: "c1", Generation: 3, Spec: spec}); !maps.Equal(got, want) {
		t.Errorf("with ports: %v, want %v", got, want)
	}
}
