//go:build integration

package plumb_test

import (
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/domain"
)

// crowded marks the process that has a host for hundreds of ports to itself.
const crowded = "ZUN_PLUMB_TEST_CROWD"

// TestHundredsOfPorts has an agent that starts again find them, each of a group: their rules
// are one batch, of which the kernel acknowledges every part. The host is one of their own,
// which takes them away with itself.
func TestHundredsOfPorts(t *testing.T) {
	if os.Getenv(crowded) == "" {
		child := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), crowded+"=1")
		child.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
		if said, err := child.CombinedOutput(); err != nil || !strings.Contains(string(said), "--- PASS: "+t.Name()) {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	own := mark.NewOwner("deployment-one")
	var nics []domain.Nic
	for index := 50; index < 52; index++ {
		for n := 2; n < 202; n++ {
			nics = append(nics, grouped(nic(index, n), "g1", inTCP(false, 80), inTCP(true, 80)))
		}
	}
	for pair := range slices.Chunk(nics, 2) {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.Group = mark.TapName(pair[0].PortID), own.Group
		peer := mark.TapName(pair[1].PortID)
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: peer}))
		link, err := netlink.LinkByName(peer)
		must(t, err)
		must(t, netlink.LinkSetGroup(link, int(own.Group)))
	}
	for range 2 {
		p, err := plumb.New(plumb.Options{Deployment: own.Deployment}, slog.New(slog.DiscardHandler))
		must(t, err)
		for range 2 {
			must(t, p.Sync(t.Context(), nics))
		}
	}
	found := map[string]int{}
	for name := range chainNames(t) {
		kind, _, _ := strings.Cut(name, "-")
		found[kind]++
	}
	for _, kind := range []string{"in4", "out6", "port"} {
		if found[kind] != len(nics) {
			t.Errorf("%d of %d ports have a chain of the kind %s", found[kind], len(nics), kind)
		}
	}
}
