package place_test

import (
	"maps"
	"strconv"
	"testing"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

func TestHintsAreUnderstood(t *testing.T) {
	kin := func(ids ...domain.ContainerID) place.Kin { return place.Kin{Containers: ids} }
	app := place.Kin{Label: "app", Value: "web"}
	for _, c := range []struct {
		hints map[string]string
		want  []place.Bond
	}{
		{map[string]string{"same_host": "a"}, []place.Bond{{Hint: "same_host", Kin: kin("a")}}},
		{map[string]string{"different_host": `["a","b"]`}, []place.Bond{{Hint: "different_host", Apart: true, Kin: kin("a", "b")}}},
		{map[string]string{"different-host": "a, b"}, []place.Bond{{Hint: "different-host", Apart: true, Kin: kin("a", "b")}}},
		{map[string]string{"affinity": "app=web"}, []place.Bond{{Hint: "affinity", Kin: app}}},
		{map[string]string{"anti-affinity": "app=web,a"}, []place.Bond{{Hint: "anti-affinity", Apart: true, Kin: app}, {Hint: "anti-affinity", Apart: true, Kin: kin("a")}}},
		{map[string]string{"soft_affinity": "app=web"}, []place.Bond{{Hint: "soft_affinity", Soft: true, Kin: app}}},
		{map[string]string{"spread": "app=web"}, []place.Bond{{Hint: "spread", Soft: true, Apart: true, Kin: app}}},
		{map[string]string{"group": "db"}, []place.Bond{{Hint: "group", Apart: true, Kin: place.Kin{Group: "db"}}}},
		{map[string]string{"group": "db", "group_policy": "soft-affinity"}, []place.Bond{{Hint: "group", Soft: true, Kin: place.Kin{Group: "db"}}}},
		{map[string]string{"whatever": "x", "group_policy": "affinity"}, nil},
	} {
		w, err := place.ReadHints(c.hints)
		if err != nil || !sameBonds(w.Bonds, c.want) {
			t.Errorf("%v: %+v, %v", c.hints, w.Bonds, err)
		}
	}
	w, err := place.ReadHints(map[string]string{"label:disk": "ssd", "label:gpu": ""})
	if err != nil || !maps.Equal(w.Labels, map[string]string{"disk": "ssd", "gpu": ""}) {
		t.Errorf("labels %v, %v", w.Labels, err)
	}
}

func sameBonds(a, b []place.Bond) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		k, l := a[i].Kin, b[i].Kin
		same := a[i].Hint == b[i].Hint && a[i].Apart == b[i].Apart && a[i].Soft == b[i].Soft &&
			k.Label == l.Label && k.Value == l.Value && k.Group == l.Group && len(k.Containers) == len(l.Containers)
		for j := range k.Containers {
			same = same && k.Containers[j] == l.Containers[j]
		}
		if !same {
			return false
		}
	}
	return true
}

func TestHintsThatCannotBeObeyedAreRefused(t *testing.T) {
	for _, hints := range []map[string]string{
		{"same_host": ""}, {"same_host": "app=web"}, {"different_host": "[]"}, {"affinity": " , "}, {"affinity": "=x"},
		{"group": ""}, {"group": "db", "group_policy": "near"}, {"group": "db", "group_policy": "spread"},
	} {
		if _, err := place.ReadHints(hints); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("%v: %v", hints, err)
		}
	}
}

func TestKin(t *testing.T) {
	c := domain.Container{ID: "a", Spec: domain.Spec{Labels: map[string]string{"app": "web"}, Hints: map[string]string{"group": "db"}}}
	for kin, want := range map[*place.Kin]bool{
		{Containers: []domain.ContainerID{"b", "a"}}: true, {Containers: []domain.ContainerID{"b"}}: false,
		{Label: "app", Value: "web"}: true, {Label: "app", Value: "db"}: false, {Label: "tier"}: false,
		{Group: "db"}: true, {Group: "web"}: false,
	} {
		if kin.Includes(&c) != want {
			t.Errorf("%+v includes it: %v", kin, !want)
		}
	}
}

// Soft bonds outweigh the room on hosts, and look at more hosts than are enough else.
func TestSoftBondsWeigh(t *testing.T) {
	hosts := make([]domain.Host, 100)
	near := map[string]int{}
	for i := range hosts {
		hosts[i] = host(strconv.Itoa(i), nil)
		near[hosts[i].ID] = 2
	}
	near["id-77"], hosts[77].Used.CPU = 1, 6
	near["id-55"], hosts[55].Used.CPU = 3, 6
	for _, c := range []struct {
		apart bool
		want  string
	}{{true, "77"}, {false, "55"}} {
		got, _, fits := place.Default(first).Pick(snapshot(hosts...), need(tied(place.Bond{Soft: true, Apart: c.apart, Near: near})))
		if !fits || got.Name != c.want {
			t.Errorf("apart %v: %s", c.apart, got.Name)
		}
	}
}

func TestOptionsOfThePicker(t *testing.T) {
	full := host("full", func(h *domain.Host) { h.Used.CPU = 8 })
	other := host("other", func(h *domain.Host) { h.Zone, h.Inventory.Runtimes = "az2", nil })
	needs := need(func(n *place.Need) { n.Zone, n.Runtime = "nova", "runc" })
	for _, c := range []struct {
		enabled []string
		reasons string // empty: some host fits
	}{
		{nil, "availability zone: 1, cpu: 1"},
		{[]string{}, ""},
		{[]string{"RuntimeFilter", "AvailabilityZoneFilter"}, "cpu: 1, runtime: 1"},
		{[]string{"AvailabilityZoneFilter", "RuntimeFilter", "RamFilter"}, "availability zone: 1, cpu: 1"},
		{[]string{"CPUFilter", "ComputeFilter"}, ""},
	} {
		picker, err := place.Options{Enabled: c.enabled}.Picker(first)
		if err != nil {
			t.Fatal(err)
		}
		_, reasons, fits := picker.Pick(snapshot(full, other), needs)
		if fits != (c.reasons == "") || !fits && reasons.String() != c.reasons {
			t.Errorf("%v: fits %v, %s", c.enabled, fits, reasons)
		}
	}
	_, err := place.Options{Enabled: []string{"MagicFilter"}}.Picker(first)
	if want := `filter "MagicFilter" is unknown: use AffinityFilter, AvailabilityZoneFilter, CPUFilter, ComputeFilter, ` +
		`CpuSetFilter, DiskFilter, LabelFilter, PciPassthroughFilter, RamFilter, RuntimeFilter`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestWeights(t *testing.T) {
	busy := host("busy", func(h *domain.Host) { h.Used = domain.Claim{CPU: 4, MemoryMB: 2048} })
	calm := host("calm", func(h *domain.Host) { h.Used = domain.Claim{CPU: 1, MemoryMB: 512} })
	for want, o := range map[string]place.Options{
		"busy": {Weights: &place.Weights{CPU: -1, RAM: -1}},
		"calm": {Weights: &place.Weights{CPU: 1}},
	} {
		picker, err := o.Picker(first)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := picker.Pick(snapshot(calm, busy), need(nil)); got.Name != want {
			t.Errorf("%+v chose %s", *o.Weights, got.Name)
		}
	}
	for draw, want := range []string{"busy", "calm"} { // chance does not look at the room
		start := true
		picker, err := place.Options{Random: true}.Picker(func(int) int {
			if start {
				start = false
				return 0
			}
			return draw
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := picker.Pick(snapshot(busy, calm), need(nil)); got.Name != want {
			t.Errorf("draw %d chose %s", draw, got.Name)
		}
	}
}
