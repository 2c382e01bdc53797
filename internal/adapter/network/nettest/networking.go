package nettest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Cloud is a network service to try out, in which nobody else makes ports meanwhile.
type Cloud struct {
	Networking control.Networking
	// Actor and Stranger are members of two projects, each with a default network.
	Actor, Stranger domain.Actor
}

// RunNetworking runs the suite of the cloud half; fresh makes a new service each time.
func RunNetworking(t *testing.T, fresh func(t *testing.T) Cloud) {
	for _, c := range []struct {
		name string
		try  func(*testing.T, *cloud)
	}{
		{"an empty request chooses the default network", tryDefault},
		{"a network is found by its id", tryByID},
		{"unknown names are not found", tryUnknown},
		{"projects do not see each other's networks", tryForeign},
		{"nics are complete", tryComplete},
		{"nics stand in the order of the choices", tryOrder},
		{"preparing again finds the same ports", tryAgain},
		{"containers share nothing", tryDistinct},
		{"containers prepared at once share nothing", tryParallel},
		{"a fixed address is given", tryFixed},
		{"a fixed address outside the network is invalid", tryFixedOutside},
		{"a fixed address in use is a conflict", tryFixedInUse},
		{"released addresses are free, and releasing again is no error", tryRelease},
		{"ports of unknown containers are left over", tryLeftovers},
	} {
		t.Run(c.name, func(t *testing.T) { c.try(t, &cloud{Cloud: fresh(t), ctx: t.Context()}) })
	}
}

type cloud struct {
	Cloud
	ctx context.Context //nolint:containedctx // one per case
}

func (c *cloud) resolve(t *testing.T, nets ...domain.NetRequest) []domain.NetChoice {
	t.Helper()
	choices, err := c.Networking.Resolve(c.ctx, c.Actor, nets)
	if err != nil {
		t.Fatalf("resolve %v: %v", nets, err)
	}
	if want := max(len(nets), 1); len(choices) != want {
		t.Fatalf("resolve %v: %d choices, want %d", nets, len(choices), want)
	}
	return choices
}

// container returns a new container of the actor with these choices.
func (c *cloud) container(choices []domain.NetChoice) domain.Container {
	return domain.Container{
		ID: domain.ContainerID(uuid.NewString()), ProjectID: c.Actor.ProjectID,
		UserID: c.Actor.UserID, Resolved: choices,
	}
}

func (c *cloud) prepare(t *testing.T, who domain.Container) []domain.Nic {
	t.Helper()
	nics, err := c.Networking.Prepare(c.ctx, who, "host-1")
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	if len(nics) != len(who.Resolved) {
		t.Fatalf("prepare: %d nics for %d choices", len(nics), len(who.Resolved))
	}
	return nics
}

func wantKind(t *testing.T, err error, kind domain.FaultKind, message string) {
	t.Helper()
	if !domain.IsKind(err, kind) {
		t.Fatalf("error %v, want a fault of kind %d", err, kind)
	}
	if got := domain.AsFault(err).Message; message != "" && got != message {
		t.Errorf("message %q, want %q", got, message)
	}
	if domain.AsFault(err).Message == "" {
		t.Error("the fault has no message for the user")
	}
}

func tryDefault(t *testing.T, c *cloud) {
	first, second := c.resolve(t), c.resolve(t)
	if first[0].NetworkID == "" || first[0].NetworkID != second[0].NetworkID {
		t.Errorf("default network %q, then %q", first[0].NetworkID, second[0].NetworkID)
	}
}

func tryByID(t *testing.T, c *cloud) {
	id := c.resolve(t)[0].NetworkID
	if got := c.resolve(t, domain.NetRequest{Network: id})[0].NetworkID; got != id {
		t.Errorf("network %s resolved to %s", id, got)
	}
}

func tryUnknown(t *testing.T, c *cloud) {
	_, err := c.Networking.Resolve(c.ctx, c.Actor, []domain.NetRequest{{Network: "no-such"}})
	wantKind(t, err, domain.NotFound, "Network no-such could not be found.")
	_, err = c.Networking.Resolve(c.ctx, c.Actor, []domain.NetRequest{{Port: "no-such"}})
	wantKind(t, err, domain.NotFound, "Port no-such could not be found.")
}

func tryForeign(t *testing.T, c *cloud) {
	id := c.resolve(t)[0].NetworkID
	_, err := c.Networking.Resolve(c.ctx, c.Stranger, []domain.NetRequest{{Network: id}})
	wantKind(t, err, domain.NotFound, "Network "+id+" could not be found.")
	theirs, err := c.Networking.Resolve(c.ctx, c.Stranger, nil)
	if err != nil {
		t.Fatal(err)
	}
	if theirs[0].NetworkID == id {
		t.Error("two projects got one default network")
	}
}

func tryComplete(t *testing.T, c *cloud) {
	nic := c.prepare(t, c.container(c.resolve(t)))[0]
	if nic.PortID == "" || nic.NetworkID == "" || nic.MAC == "" || nic.MTU < 1280 || nic.Binding.Type == "" {
		t.Errorf("nic is not complete: %+v", nic)
	}
	if len(nic.Addresses) == 0 {
		t.Fatal("nic has no address")
	}
	for _, a := range nic.Addresses {
		if a.SubnetID == "" || !a.Prefix.Contains(a.Addr) || a.Gateway.IsValid() && !a.Prefix.Contains(a.Gateway) {
			t.Errorf("address is not complete: %+v", a)
		}
		if a.Addr == a.Gateway || a.Addr == a.Prefix.Masked().Addr() {
			t.Errorf("address %s is not for ports", a.Addr)
		}
	}
}

func tryOrder(t *testing.T, c *cloud) {
	choice := c.resolve(t)[0]
	who := c.container([]domain.NetChoice{choice, choice})
	nics := c.prepare(t, who)
	if nics[0].PortID == nics[1].PortID {
		t.Error("two choices got one port")
	}
	again := c.prepare(t, who)
	if again[0].PortID != nics[0].PortID || again[1].PortID != nics[1].PortID {
		t.Error("the order changed")
	}
}

func tryAgain(t *testing.T, c *cloud) {
	who := c.container(c.resolve(t))
	first, second := c.prepare(t, who)[0], c.prepare(t, who)[0]
	if first.PortID != second.PortID || first.MAC != second.MAC || !slices.Equal(first.Addresses, second.Addresses) {
		t.Errorf("prepared %+v, then %+v", first, second)
	}
}

func tryDistinct(t *testing.T, c *cloud) {
	choices := c.resolve(t)
	var nics []domain.Nic
	for range 5 {
		nics = append(nics, c.prepare(t, c.container(choices))...)
	}
	wantDistinct(t, nics)
}

func tryParallel(t *testing.T, c *cloud) {
	choices := c.resolve(t)
	const many = 12
	nics, errs := make([][]domain.Nic, many), make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { nics[i], errs[i] = c.Networking.Prepare(c.ctx, c.container(choices), "host-1") })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantDistinct(t, slices.Concat(nics...))
}

func wantDistinct(t *testing.T, nics []domain.Nic) {
	t.Helper()
	seen := map[string]bool{}
	for _, nic := range nics {
		marks := []string{"port " + nic.PortID, "MAC " + nic.MAC}
		for _, a := range nic.Addresses {
			marks = append(marks, "address "+a.Addr.String())
		}
		for _, mark := range marks {
			if seen[mark] {
				t.Errorf("%s was given twice", mark)
			}
			seen[mark] = true
		}
	}
}

// request asks for nic's network with addr fixed.
func request(nic domain.Nic, addr netip.Addr) domain.NetRequest {
	r := domain.NetRequest{Network: nic.NetworkID}
	if addr.Is4() {
		r.FixedV4 = addr.String()
	} else {
		r.FixedV6 = addr.String()
	}
	return r
}

func tryFixed(t *testing.T, c *cloud) {
	model := c.prepare(t, c.container(c.resolve(t)))[0]
	for _, a := range model.Addresses {
		want := a.Addr
		for range 7 {
			want = want.Next()
		}
		got := c.prepare(t, c.container(c.resolve(t, request(model, want))))[0]
		if !slices.ContainsFunc(got.Addresses, func(g domain.NicAddress) bool { return g.Addr == want }) {
			t.Errorf("asked for %s, got %+v", want, got.Addresses)
		}
	}
}

func tryFixedOutside(t *testing.T, c *cloud) {
	model := c.prepare(t, c.container(c.resolve(t)))[0]
	bad := []domain.NetRequest{
		{Network: model.NetworkID, FixedV4: "198.51.100.7"},
		{Network: model.NetworkID, FixedV6: "2001:db8:5::7"},
		{Network: model.NetworkID, FixedV4: "not an address"},
	}
	for _, r := range bad {
		_, err := c.Networking.Resolve(c.ctx, c.Actor, []domain.NetRequest{r})
		wantKind(t, err, domain.Invalid, "")
	}
}

func tryFixedInUse(t *testing.T, c *cloud) {
	model := c.prepare(t, c.container(c.resolve(t)))[0]
	free := model.Addresses[0].Addr.Next().Next()
	choices := c.resolve(t, request(model, free))
	c.prepare(t, c.container(choices))
	_, err := c.Networking.Prepare(c.ctx, c.container(choices), "host-1")
	wantKind(t, err, domain.Conflict, fmt.Sprintf("IP address %s is already in use.", free))
}

func tryRelease(t *testing.T, c *cloud) {
	choices := c.resolve(t)
	who := c.container(choices)
	nics := c.prepare(t, who)
	wanted := c.resolve(t)
	for range 2 {
		if err := c.Networking.Release(c.ctx, who.ID, nics); err != nil {
			t.Fatal(err)
		}
	}
	wanted[0].FixedIPs = []netip.Addr{nics[0].Addresses[0].Addr}
	c.prepare(t, c.container(wanted))

	half := c.container(choices)
	c.prepare(t, half)
	if err := c.Networking.Release(c.ctx, half.ID, nil); err != nil {
		t.Fatal(err)
	}
	unknown := c.container(choices)
	c.prepare(t, unknown)
	for _, network := range []string{"another network", choices[0].NetworkID} { // the second is its own
		if err := c.Networking.Release(c.ctx, unknown.ID, []domain.Nic{{NetworkID: network}}); err != nil {
			t.Fatal(err)
		}
		left, err := c.Networking.Leftovers(c.ctx, func(domain.ContainerID) bool { return false })
		if own := network == choices[0].NetworkID; err != nil || slices.Contains(left, unknown.ID) == own {
			t.Errorf("left over after the release on %s: %v, %v", network, left, err)
		}
	}
	left, err := c.Networking.Leftovers(c.ctx, func(domain.ContainerID) bool { return false })
	if err != nil || slices.Contains(left, half.ID) || slices.Contains(left, who.ID) {
		t.Errorf("left over after the release: %v, %v", left, err)
	}
}

func tryLeftovers(t *testing.T, c *cloud) {
	choices := c.resolve(t)
	kept, lost := c.container(choices), c.container(choices)
	c.prepare(t, kept)
	c.prepare(t, lost)
	left, err := c.Networking.Leftovers(c.ctx, func(id domain.ContainerID) bool { return id == kept.ID })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(left, []domain.ContainerID{lost.ID}) {
		t.Errorf("left over: %v, want %v", left, lost.ID)
	}
}
