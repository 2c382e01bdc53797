package place_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/domain"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func host(name string, change func(*domain.Host)) domain.Host {
	h := domain.Host{
		ID: "id-" + name, Name: name, Zone: "nova", LastSeenUp: noon,
		Inventory: domain.Inventory{
			CPUs: 4, MemoryMB: 4096, DiskGB: 100, EngineUp: true, DiskQuota: true,
			Runtimes: []string{"runc"}, Labels: map[string]string{"disk": "ssd"}, CPUPinning: true,
			MemoryNodes: []domain.MemoryNode{{ID: 0, CPUs: "1", MemoryMB: 2048}, {ID: 1, CPUs: "2-3", MemoryMB: 2048}},
		},
	}
	if change != nil {
		change(&h)
	}
	return h
}

func snapshot(hosts ...domain.Host) place.Snapshot {
	return place.Snapshot{Hosts: hosts, Now: noon, DownAfter: time.Minute, Ratios: place.Ratios{CPU: 2, RAM: 1, Disk: 1}}
}

func first(int) int { return 0 }

func dedicated(cpus float64) func(*place.Need) {
	return func(n *place.Need) { n.Dedicated, n.Claim.CPU = true, cpus }
}

// holding adds what another has for itself on the host.
func holding(change func(*place.Need), cpus, node string, memory int64) func(*place.Need) {
	return func(n *place.Need) {
		change(n)
		n.Held = map[string][]place.Holding{"id-a": {{CPUSet: domain.CPUSet{CPUs: cpus, MemoryNodes: node}, MemoryMB: memory}}}
	}
}

func need(change func(*place.Need)) place.Need {
	n := place.Need{Claim: domain.Claim{Containers: 1, CPU: 1, MemoryMB: 512}}
	if change != nil {
		change(&n)
	}
	return n
}

func offering(devices int) func(*domain.Host) {
	return func(h *domain.Host) {
		h.Inventory.Devices = []domain.DevicePool{{VendorID: "8086", ProductID: "10ed", PhysicalNetwork: "fabric", Count: devices}}
	}
}

func asking(counts ...int) func(*place.Need) {
	return func(n *place.Need) {
		for _, count := range counts {
			n.Devices = append(n.Devices, place.DeviceRequest{Count: count, VendorID: "8086"})
		}
	}
}

func tied(bonds ...place.Bond) func(*place.Need) {
	return func(n *place.Need) { n.Bonds = bonds }
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		name   string
		host   func(*domain.Host)
		need   func(*place.Need)
		reason string // empty: the host fits
	}{
		{"plain", nil, nil, ""},
		{"requested", nil, func(n *place.Need) { n.Host = "a" }, ""},
		{"another requested", nil, func(n *place.Need) { n.Host = "b" }, "requested host"},
		{"refused before", nil, func(n *place.Need) { n.Refused = []string{"id-a"} }, "refused"},
		{"zone", nil, func(n *place.Need) { n.Zone = "nova" }, ""},
		{"another zone", nil, func(n *place.Need) { n.Zone = "az2" }, "availability zone"},
		{"disabled", func(h *domain.Host) { h.Disabled = true }, nil, "compute"},
		{"silent", func(h *domain.Host) { h.LastSeenUp = noon.Add(-2 * time.Minute) }, nil, "compute"},
		{"silent exactly so long", func(h *domain.Host) { h.LastSeenUp = noon.Add(-time.Minute) }, nil, ""},
		{"forced down", func(h *domain.Host) { h.ForcedDown = true }, nil, "compute"},
		{"engine down", func(h *domain.Host) { h.Inventory.EngineUp = false }, nil, "compute"},
		{"runtime", nil, func(n *place.Need) { n.Runtime = "runc" }, ""},
		{"another runtime", nil, func(n *place.Need) { n.Runtime = "kata" }, "runtime"},
		{"cpu to the brim", func(h *domain.Host) { h.Used.CPU = 7 }, nil, ""},
		{"cpu full", func(h *domain.Host) { h.Used.CPU = 7.5 }, nil, "cpu"},
		{"ram to the brim", func(h *domain.Host) { h.Used.MemoryMB = 3584 }, nil, ""},
		{"ram full", func(h *domain.Host) { h.Used.MemoryMB = 3585 }, nil, "ram"},
		{"disk", nil, func(n *place.Need) { n.Claim.DiskGB = 100 }, ""},
		{"disk full", func(h *domain.Host) { h.Used.DiskGB = 1 }, func(n *place.Need) { n.Claim.DiskGB = 100 }, "disk"},
		{"no disk quota", func(h *domain.Host) { h.Inventory.DiskQuota = false }, func(n *place.Need) { n.Claim.DiskGB, n.DiskBound = 1, true }, "disk"},
		{"no disk asked", func(h *domain.Host) { h.Inventory.DiskQuota, h.Used.DiskGB = false, 500 }, nil, ""},
		{"a volume only", func(h *domain.Host) { h.Inventory.DiskQuota, h.Inventory.VolumeLimit = false, "ext4" }, func(n *place.Need) { n.Claim.DiskGB, n.Volumes = 1, true }, ""},
		{"no volumes", nil, func(n *place.Need) { n.Volumes = true }, "volume"},
		{"label", nil, func(n *place.Need) { n.Labels = map[string]string{"disk": "ssd"} }, ""},
		{"another label", nil, func(n *place.Need) { n.Labels = map[string]string{"disk": "hdd"} }, "label"},
		{"unknown label", nil, func(n *place.Need) { n.Labels = map[string]string{"gpu": ""} }, "label"},
		{"dedicated", nil, dedicated(2), ""},
		{"dedicated parts of a cpu", nil, dedicated(0.5), "cpuset"},
		{"dedicated nothing", nil, dedicated(0), "cpuset"},
		{"dedicated beyond a memory node", nil, dedicated(3), "cpuset"},
		{"dedicated beyond its memory", nil, func(n *place.Need) { dedicated(1)(n); n.Claim.MemoryMB = 2049 }, "cpuset"},
		{"dedicated beside others", nil, holding(dedicated(2), "1", "0", 2048), ""},
		{"dedicated beyond what others leave", nil, holding(dedicated(2), "3", "1", 1), "cpuset"},
		{"dedicated beyond the memory that others leave", nil, holding(dedicated(2), "7", "1", 2048), "cpuset"},
		{"no pinning", func(h *domain.Host) { h.Inventory.CPUPinning = false }, dedicated(1), "cpuset"},
		{"a list that cannot be read", func(h *domain.Host) { h.Inventory.MemoryNodes[0].CPUs, h.Inventory.MemoryNodes[1].CPUs = "x", "1-" }, dedicated(1), "cpuset"},
		{"devices", offering(2), asking(1, 1), ""},
		{"more devices than there are", offering(2), asking(1, 2), "pci"},
		{"devices of another kind", offering(2), func(n *place.Need) { n.Devices = []place.DeviceRequest{{Count: 1, ProductID: "other"}} }, "pci"},
		{"devices on another network", offering(2), func(n *place.Need) { n.Devices = []place.DeviceRequest{{Count: 1, PhysicalNetwork: "other"}} }, "pci"},
		{"no devices", nil, asking(1), "pci"},
		{"near", nil, tied(place.Bond{Near: map[string]int{"id-a": 1}}), ""},
		{"near others", nil, tied(place.Bond{Near: map[string]int{"id-b": 1}}), "affinity"},
		{"first of its kind", nil, tied(place.Bond{Kin: place.Kin{Label: "app"}}), ""},
		{"near nobody that was named", nil, tied(place.Bond{Kin: place.Kin{Containers: []domain.ContainerID{"x"}}}), "affinity"},
		{"apart", nil, tied(place.Bond{Apart: true, Near: map[string]int{"id-b": 1}}), ""},
		{"apart from who is here", nil, tied(place.Bond{Apart: true, Near: map[string]int{"id-a": 1}}), "affinity"},
		{"softly apart from who is here", nil, tied(place.Bond{Apart: true, Soft: true, Near: map[string]int{"id-a": 1}}), ""},
		{"one of two bonds broken", nil, tied(place.Bond{Near: map[string]int{"id-a": 1}}, place.Bond{Apart: true, Near: map[string]int{"id-a": 2}}), "affinity"},
		{"shared on a pinning host", nil, func(n *place.Need) { n.Claim.CPU = 4 }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, reasons, fits := place.Default(first).Pick(snapshot(host("a", c.host)), need(c.need))
			if fits != (c.reason == "") || (c.reason != "" && reasons[c.reason] != 1) {
				t.Errorf("fits %v, reasons %v, want reason %q", fits, reasons, c.reason)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	busy := host("busy", func(h *domain.Host) { h.Used = domain.Claim{CPU: 4, MemoryMB: 2048} })
	calm := host("calm", func(h *domain.Host) { h.Used = domain.Claim{CPU: 1, MemoryMB: 512} })
	got, _, fits := place.Default(first).Pick(snapshot(busy, calm), need(nil))
	if !fits || got.Name != "calm" {
		t.Errorf("got %q, want the emptier host", got.Name)
	}
}

func TestTiesAreDrawn(t *testing.T) {
	for draw, want := range []string{"a", "b"} {
		start := true
		rand := func(int) int { // the first number is where the search starts
			if start {
				start = false
				return 0
			}
			return draw
		}
		got, _, _ := place.Default(rand).Pick(snapshot(host("a", nil), host("b", nil)), need(nil))
		if got.Name != want {
			t.Errorf("draw %d: got %s, want %s", draw, got.Name, want)
		}
	}
}

func TestNobodyFits(t *testing.T) {
	if _, _, fits := place.Default(first).Pick(snapshot(), need(nil)); fits {
		t.Error("an empty fleet fits")
	}
	full := func(h *domain.Host) { h.Used.CPU = 8 }
	off := func(h *domain.Host) { h.Disabled = true }
	_, reasons, fits := place.Default(first).Pick(snapshot(host("a", full), host("b", off), host("c", full)), need(nil))
	if want := "compute: 1, cpu: 2"; fits || reasons.String() != want {
		t.Errorf("got %v %q, want %q", fits, reasons, want)
	}
}

func TestNeedOf(t *testing.T) {
	n := place.NeedOf(domain.Spec{
		CPU: 2, MemoryMB: 64, DiskGB: 1, Zone: "z", Runtime: "kata", RequestedHost: "h", CPUPolicy: "dedicated",
		Hints: map[string]string{"label:disk": "ssd", "group": "g"},
	}, []string{"r"})
	if n.Claim.CPU != 2 || n.Zone != "z" || n.Runtime != "kata" || n.Host != "h" || !n.Dedicated || len(n.Labels) != 1 || n.Labels["disk"] != "ssd" {
		t.Errorf("got %+v", n)
	}
}

func BenchmarkPickOfTenThousand(b *testing.B) {
	hosts := make([]domain.Host, 10_000)
	for i := range hosts {
		hosts[i] = host(strconv.Itoa(i), func(h *domain.Host) { h.Used.CPU = float64(i % 9) })
	}
	s, n := snapshot(hosts...), need(nil)
	next := 0
	p := place.Default(func(below int) int { next += 7919; return next % below })
	for b.Loop() {
		if _, _, fits := p.Pick(s, n); !fits {
			b.Fatal("nobody fits")
		}
	}
}
