package nettest

import (
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// Host is a host half to try out, with the means to look at what it did.
type Host struct {
	Nets agent.Nets
	// Nic returns the complete nic number n (from 1) of network number index (from 1).
	Nic func(index, n int) domain.Nic
	// Sandbox makes a fresh network namespace, and Kill ends one.
	Sandbox func(t *testing.T) (path string)
	Kill    func(t *testing.T, path string)
	// Inside looks at an interface of a sandbox; ok is false if there is none.
	Inside func(t *testing.T, path, name string) (i Interface, ok bool)
}

// Interface is what a sandbox sees of a nic.
type Interface struct {
	Up        bool
	MAC       string
	MTU       int
	Addresses []netip.Prefix // each address with the length of its subnet
	Routes    []domain.Route // but those that follow from the addresses
}

// RunNets runs the suite of the host half; fresh makes a new host each time.
func RunNets(t *testing.T, fresh func(t *testing.T) Host) {
	for _, c := range []struct {
		name string
		try  func(*testing.T, Host)
	}{
		{"a nic is plugged as it is described", plugsWhole},
		{"only the first interface has default routes", plugsSecond},
		{"plugging the plugged changes nothing", plugsTwice},
		{"a dead sandbox's port moves to the next", plugsAfterDeath},
		{"unplugging leaves nothing, also the second time", unplugs},
		{"unplugging works without the sandbox", unplugsAfterDeath},
		{"a missing sandbox is not found and leaves nothing", missesSandbox},
		{"an incomplete nic is invalid and leaves nothing", refusesIncomplete},
		{"an unknown binding is unsupported", refusesBinding},
		{"many are plugged at once", plugsMany},
		{"syncing keeps what is plugged", syncKeeps},
	} {
		t.Run(c.name, func(t *testing.T) { c.try(t, fresh(t)) })
	}
}

const someone = domain.ContainerID("0f5a1c1e-3b61-4c0c-9d3f-3a1f4c5b6d7e")

func plug(t *testing.T, h Host, path, name string, nic domain.Nic) {
	t.Helper()
	if err := h.Nets.Plug(t.Context(), someone, path, name, nic); err != nil {
		t.Fatalf("plug %s: %v", name, err)
	}
}

func inside(t *testing.T, h Host, path, name string) Interface {
	t.Helper()
	i, ok := h.Inside(t, path, name)
	if !ok {
		t.Fatalf("the sandbox has no %s", name)
	}
	return i
}

func wantPlugged(t *testing.T, h Host, nics ...domain.Nic) {
	t.Helper()
	found, err := h.Nets.Plugged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, p := range found {
		got = append(got, p.PortID)
		if p.Container != someone || p.Link == "" {
			t.Errorf("plugged is not complete: %+v", p)
		}
	}
	for _, nic := range nics {
		want = append(want, nic.PortID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("plugged ports %v, want %v", got, want)
	}
}

// wantWhole checks that i is what nic describes.
func wantWhole(t *testing.T, i Interface, nic domain.Nic, first bool) {
	t.Helper()
	if !i.Up || i.MAC != nic.MAC || i.MTU != nic.MTU {
		t.Errorf("interface is up=%v %s MTU %d, want %s MTU %d", i.Up, i.MAC, i.MTU, nic.MAC, nic.MTU)
	}
	wantRoutes := slices.Clone(nic.Routes)
	for _, a := range nic.Addresses {
		if want := netip.PrefixFrom(a.Addr, a.Prefix.Bits()); !slices.Contains(i.Addresses, want) {
			t.Errorf("addresses %v lack %s", i.Addresses, want)
		}
		if first && a.Gateway.IsValid() {
			wantRoutes = append(wantRoutes, domain.Route{Destination: netip.PrefixFrom(a.Gateway, 0).Masked(), Via: a.Gateway})
		}
	}
	if len(i.Addresses) != len(nic.Addresses) {
		t.Errorf("addresses %v, want those of %v", i.Addresses, nic.Addresses)
	}
	if len(i.Routes) != len(wantRoutes) {
		t.Errorf("routes %v, want %v", i.Routes, wantRoutes)
	}
	for _, want := range wantRoutes {
		if !slices.Contains(i.Routes, want) {
			t.Errorf("routes %v lack %v", i.Routes, want)
		}
	}
}

func plugsWhole(t *testing.T, h Host) {
	nic := h.Nic(1, 1)
	nic.Routes = []domain.Route{{Destination: netip.MustParsePrefix("198.51.100.0/24"), Via: nic.Addresses[0].Gateway}}
	path := h.Sandbox(t)
	plug(t, h, path, "eth0", nic)
	wantWhole(t, inside(t, h, path, "eth0"), nic, true)
	wantPlugged(t, h, nic)
}

func plugsSecond(t *testing.T, h Host) {
	first, second, path := h.Nic(1, 1), h.Nic(2, 1), h.Sandbox(t)
	plug(t, h, path, "eth0", first)
	plug(t, h, path, "eth1", second)
	wantWhole(t, inside(t, h, path, "eth0"), first, true)
	wantWhole(t, inside(t, h, path, "eth1"), second, false)
	wantPlugged(t, h, first, second)
}

func plugsTwice(t *testing.T, h Host) {
	nic, path := h.Nic(1, 1), h.Sandbox(t)
	for range 3 {
		plug(t, h, path, "eth0", nic)
		wantWhole(t, inside(t, h, path, "eth0"), nic, true)
		wantPlugged(t, h, nic)
	}
}

func plugsAfterDeath(t *testing.T, h Host) {
	nic, dying, next := h.Nic(1, 1), h.Sandbox(t), h.Sandbox(t)
	plug(t, h, dying, "eth0", nic)
	// The old one may still be there when the new one is plugged.
	plug(t, h, next, "eth0", nic)
	if _, ok := h.Inside(t, dying, "eth0"); ok {
		t.Error("one port is in two sandboxes")
	}
	h.Kill(t, dying)
	plug(t, h, next, "eth0", nic)
	wantWhole(t, inside(t, h, next, "eth0"), nic, true)
	wantPlugged(t, h, nic)
}

func unplugs(t *testing.T, h Host) {
	nic, stays, path := h.Nic(1, 1), h.Nic(1, 2), h.Sandbox(t)
	plug(t, h, path, "eth0", nic)
	plug(t, h, path, "eth1", stays)
	for range 2 {
		if err := h.Nets.Unplug(t.Context(), someone, nic); err != nil {
			t.Fatal(err)
		}
		if _, ok := h.Inside(t, path, "eth0"); ok {
			t.Error("the interface is still there")
		}
		wantPlugged(t, h, stays)
	}
}

func unplugsAfterDeath(t *testing.T, h Host) {
	nic, path := h.Nic(1, 1), h.Sandbox(t)
	plug(t, h, path, "eth0", nic)
	h.Kill(t, path)
	if err := h.Nets.Unplug(t.Context(), someone, nic); err != nil {
		t.Fatal(err)
	}
	wantPlugged(t, h)
}

func missesSandbox(t *testing.T, h Host) {
	path := h.Sandbox(t)
	h.Kill(t, path)
	err := h.Nets.Plug(t.Context(), someone, path, "eth0", h.Nic(1, 1))
	wantKind(t, err, domain.NotFound, "")
	wantPlugged(t, h)
}

func refusesIncomplete(t *testing.T, h Host) {
	path := h.Sandbox(t)
	for _, spoil := range []func(*domain.Nic){
		func(n *domain.Nic) { n.PortID = "" },
		func(n *domain.Nic) { n.MAC = "no MAC" },
		func(n *domain.Nic) { n.MTU = 0 },
		func(n *domain.Nic) { n.Addresses[0].Addr = netip.Addr{} },
		func(n *domain.Nic) { n.Addresses[0].Addr = netip.MustParseAddr("198.51.100.1") },
	} {
		nic := h.Nic(1, 1)
		spoil(&nic)
		wantKind(t, h.Nets.Plug(t.Context(), someone, path, "eth0", nic), domain.Invalid, "")
	}
	wantPlugged(t, h)
}

func refusesBinding(t *testing.T, h Host) {
	nic := h.Nic(1, 1)
	nic.Binding.Type = "smoke-signals"
	err := h.Nets.Plug(t.Context(), someone, h.Sandbox(t), "eth0", nic)
	wantKind(t, err, domain.Unsupported, "")
	wantPlugged(t, h)
}

func plugsMany(t *testing.T, h Host) {
	const many = 10
	nics, paths := make([]domain.Nic, many), make([]string, many)
	for i := range many {
		nics[i], paths[i] = h.Nic(1, i+1), h.Sandbox(t)
	}
	errs := make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { errs[i] = h.Nets.Plug(t.Context(), someone, paths[i], "eth0", nics[i]) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
		wantWhole(t, inside(t, h, paths[i], "eth0"), nics[i], true)
	}
	wantPlugged(t, h, nics...)
}

func syncKeeps(t *testing.T, h Host) {
	nic, path := h.Nic(1, 1), h.Sandbox(t)
	plug(t, h, path, "eth0", nic)
	for _, inUse := range [][]domain.Nic{{nic}, nil, {nic, h.Nic(2, 1)}} {
		if err := h.Nets.Sync(t.Context(), inUse); err != nil {
			t.Fatalf("sync with %d nics: %v", len(inUse), err)
		}
		wantWhole(t, inside(t, h, path, "eth0"), nic, true)
		wantPlugged(t, h, nic)
	}
}
