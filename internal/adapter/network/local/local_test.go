package local_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-zun/zun/internal/adapter/network/local"
	"github.com/go-zun/zun/internal/adapter/network/nettest"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

var (
	alice = domain.Actor{UserID: "alice", ProjectID: "project-a"}
	bob   = domain.Actor{UserID: "bob", ProjectID: "project-b"}
)

func open(t *testing.T, store control.Store, opts local.Options) *local.Local {
	t.Helper()
	if opts.Deployment == "" {
		opts.Deployment = "deployment-one"
	}
	l, err := local.New(store, opts, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNetworking(t *testing.T) {
	nettest.RunNetworking(t, func(t *testing.T) nettest.Cloud {
		return nettest.Cloud{Networking: open(t, &leases{}, local.Options{}), Actor: alice, Stranger: bob}
	})
}

func TestASmallPoolIsOneNetwork(t *testing.T) {
	l := open(t, &leases{}, local.Options{Pool4: netip.MustParsePrefix("10.9.8.0/29"), IPv4Only: true})
	for n := range 5 {
		if _, err := prepare(t, l, alice, domain.ContainerID(rune('a'+n))); err != nil {
			t.Fatalf("address %d of five: %v", n+1, err)
		}
	}
	if _, err := prepare(t, l, alice, "f"); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("the sixth got %v", err)
	}
}

func prepare(t *testing.T, l *local.Local, actor domain.Actor, id domain.ContainerID) ([]domain.Nic, error) {
	t.Helper()
	choices, err := l.Resolve(t.Context(), actor, nil)
	if err != nil {
		return nil, err
	}
	return l.Prepare(t.Context(), domain.Container{ID: id, ProjectID: actor.ProjectID, Resolved: choices}, "host-1")
}

func TestFullSubnetIsAConflictUntilSomethingIsReleased(t *testing.T) {
	l := open(t, &leases{}, local.Options{Pool4: netip.MustParsePrefix("192.0.2.0/28"), Bits4: 29})
	for _, id := range []domain.ContainerID{"1", "2", "3", "4", "5"} {
		if _, err := prepare(t, l, alice, id); err != nil {
			t.Fatal(err)
		}
	}
	_, err := prepare(t, l, alice, "6")
	if !domain.IsKind(err, domain.Conflict) {
		t.Fatalf("sixth container on a /29: %v, want a conflict", err)
	}
	want := "No more IP addresses available on network private: all of "
	if got := domain.AsFault(err).Message; len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("message %q, want %q...", got, want)
	}
	if err := l.Release(t.Context(), "3", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(t, l, alice, "6"); err != nil {
		t.Errorf("after a release: %v", err)
	}
}

func TestFullPoolMakesNoNetwork(t *testing.T) {
	store := &leases{}
	l := open(t, store, local.Options{Pool4: netip.MustParsePrefix("192.0.2.0/29"), Bits4: 29})
	if _, err := l.Resolve(t.Context(), alice, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Resolve(t.Context(), bob, nil); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("second network in a pool of one: %v, want a conflict", err)
	}
	if n, _ := store.List(t.Context(), bob.ProjectID); len(n) != 0 {
		t.Errorf("a network without addresses was kept: %+v", n)
	}
}

func TestSubnetsOfNetworksAndDeploymentsDiffer(t *testing.T) {
	var prefixes []netip.Prefix
	for _, deployment := range []string{"deployment-one", "deployment-two"} {
		l := open(t, &leases{}, local.Options{Deployment: deployment})
		for _, actor := range []domain.Actor{alice, bob} {
			nics, err := prepare(t, l, actor, "1")
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range nics[0].Addresses {
				prefixes = append(prefixes, a.Prefix)
			}
		}
	}
	for i, p := range prefixes {
		if slices.ContainsFunc(prefixes[:i], p.Overlaps) {
			t.Errorf("%s overlaps one of %v", p, prefixes[:i])
		}
		bits := map[bool]int{true: 24, false: 64}[p.Addr().Is4()]
		if p.Bits() != bits || p != p.Masked() {
			t.Errorf("%s is no /%d subnet", p, bits)
		}
	}
}

func TestUnusablePoolsAreRefused(t *testing.T) {
	for name, opts := range map[string]local.Options{
		"no deployment":        {},
		"subnet above pool":    {Deployment: "d", Pool4: netip.MustParsePrefix("10.0.0.0/24"), Bits4: 16},
		"no room for a port":   {Deployment: "d", Bits4: 31},
		"IPv6 given as IPv4":   {Deployment: "d", Pool4: netip.MustParsePrefix("fd00::/48")},
		"IPv6 pool too narrow": {Deployment: "d", Pool6: netip.MustParsePrefix("fd00::/80")},
	} {
		if _, err := local.New(&leases{}, opts, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestResolversLeaveOutLoopback(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stub := write("nameserver 127.0.0.53\nsearch stub.example\n")
	host := write("# of the host\nnameserver 192.0.2.53\nnameserver ::1\nnameserver 2001:db8::53\nnameserver fe80::1%eth0\nsearch example.org example.net\n")
	l := open(t, &leases{}, local.Options{ResolvConf: []string{"/nonexistent", stub, host}})
	nics, err := prepare(t, l, alice, "1")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"192.0.2.53", "2001:db8::53"}; !slices.Equal(nics[0].DNS, want) {
		t.Errorf("servers %v, want %v", nics[0].DNS, want)
	}
	if want := []string{"example.org", "example.net"}; !slices.Equal(nics[0].DNSSearch, want) {
		t.Errorf("search %v, want %v", nics[0].DNSSearch, want)
	}
	set := open(t, &leases{}, local.Options{DNS: []string{"198.51.100.1"}, ResolvConf: []string{host}})
	if nics, err = prepare(t, set, alice, "1"); err != nil || !slices.Equal(nics[0].DNS, []string{"198.51.100.1"}) {
		t.Errorf("configured server: %v, %v", nics[0].DNS, err)
	}
}
