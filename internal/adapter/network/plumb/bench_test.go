//go:build integration

package plumb_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/domain"
)

// TestPlugTakesMilliseconds prints what a plug of one nic costs. The bound is far above
// the goal of 5 ms in the median, so that a busy machine does not fail it.
func TestPlugTakesMilliseconds(t *testing.T) {
	w := newWorld(t)
	p, err := plumb.New(plumb.Options{Deployment: "deployment-one"}, slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, p.Teardown(context.Background())) })
	const rounds = 100
	var plugs, unplugs []time.Duration
	for i := range rounds {
		n, path := nic(1+i/200, 10+i%200), w.sandbox(fmt.Sprintf("bench-%d", i))
		begun := time.Now()
		must(t, p.Plug(t.Context(), domain.ContainerID(n.PortID), path, "eth0", n))
		plugs = append(plugs, time.Since(begun))
		if i%2 == 0 {
			continue // half of them stay, so that later ones meet a host in use
		}
		begun = time.Now()
		must(t, p.Unplug(t.Context(), domain.ContainerID(n.PortID), n))
		unplugs = append(unplugs, time.Since(begun))
	}
	begun := time.Now()
	must(t, p.Sync(t.Context(), nil))
	first := time.Since(begun)
	begun = time.Now()
	must(t, p.Sync(t.Context(), nil))
	t.Logf("sync of %d ports: %v, and %v where nothing changed", rounds/2, first, time.Since(begun))
	slices.Sort(plugs)
	slices.Sort(unplugs)
	t.Logf("plug: median %v, p99 %v; unplug: median %v", plugs[rounds/2], plugs[rounds*99/100], unplugs[len(unplugs)/2])
	if plugs[rounds/2] > 50*time.Millisecond {
		t.Errorf("median plug took %v", plugs[rounds/2])
	}
}
