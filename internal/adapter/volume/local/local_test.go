package local_test

import (
	"testing"

	"github.com/go-zun/zun/internal/adapter/volume/local"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

var _ control.Volumes = (*local.Volumes)(nil)

func TestAVolumeIsNamedOnce(t *testing.T) {
	t.Parallel()
	v := local.New(10)
	c := domain.Container{ID: "c1", Spec: domain.Spec{Mounts: []domain.MountRequest{
		{Type: domain.MountBind, Source: "eA==", Destination: "/etc/x"},
		{Type: domain.MountVolume, SizeGB: 2, Destination: "/data"}, {Type: domain.MountVolume, SizeGB: 3, Destination: "/more"},
	}}}
	first, err := v.Prepare(t.Context(), c, "node-a")
	if err != nil || len(first) != 2 {
		t.Fatalf("prepared %+v, %v", first, err)
	}
	if first[0].Destination != "/data" || first[0].SizeGB != 2 || first[0].Provider != domain.ProviderLocal || first[0].ID == first[1].ID {
		t.Errorf("prepared %+v", first)
	}
	again, err := v.Prepare(t.Context(), c, "node-b")
	if err != nil || again[0] != first[0] || again[1] != first[1] {
		t.Errorf("prepared again as %+v, %v", again, err)
	}
	c.ID = "c2"
	other, err := v.Prepare(t.Context(), c, "node-a")
	if err != nil || other[0].ID == first[0].ID {
		t.Errorf("another container's is %+v, %v", other, err)
	}
	if err := v.Release(t.Context(), "c1", first); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mount domain.MountRequest
		code  string
	}{
		"a volume":   {domain.MountRequest{Type: domain.MountVolume, Source: "v", Destination: "/d"}, "volume-not-found"},
		"no size":    {domain.MountRequest{Type: domain.MountVolume, Destination: "/d"}, "volume-create-failed"},
		"too large":  {domain.MountRequest{Type: domain.MountVolume, Destination: "/d", SizeGB: 11}, "volume-create-failed"},
		"negative":   {domain.MountRequest{Type: domain.MountVolume, Destination: "/d", SizeGB: -1}, "volume-create-failed"},
		"just right": {domain.MountRequest{Type: domain.MountVolume, Destination: "/d", SizeGB: 10}, ""},
		"a file":     {domain.MountRequest{Type: domain.MountBind, Source: "eA==", Destination: "/d"}, ""},
	} {
		err := local.New(10).Resolve(t.Context(), domain.Actor{}, []domain.MountRequest{c.mount})
		if c.code == "" && err != nil || c.code != "" && (err == nil || domain.AsFault(err).Code != c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
