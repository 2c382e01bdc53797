package storetest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func hostCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Host/RoundTrip":      hostRoundTrip,
		"Host/UpsertKeeps":    hostUpsert,
		"Host/NameTaken":      hostName,
		"Host/Beat":           hostBeat,
		"Host/Claim":          hostClaim,
		"Host/Missing":        hostMissing,
		"Host/Clock":          hostClock,
		"Host/ParallelClaims": hostParallel,
		"Host/Disabled":       hostDisabled,
	}
}

func inventory() domain.Inventory {
	return domain.Inventory{
		CPUs: 8, MemoryMB: 16000, DiskGB: 200, Architecture: "x86_64", OSType: "linux", OS: "Debian 12", Kernel: "6.1", Labels: map[string]string{"ssd": "yes"},
		Runtimes: []string{"runc", "crun"}, DiskQuota: true, CPUPinning: true, EngineName: "docker", EngineVersion: "20.10", EngineUp: true, EngineReason: "fine", VolumeLimit: "ext4", VolumeReason: "none",
		Devices:     []domain.DevicePool{{VendorID: "8086", ProductID: "10ed", PhysicalNetwork: "fabric", Count: 3}},
		MemoryNodes: []domain.MemoryNode{{ID: 0, CPUs: "1-3", MemoryMB: 8000}, {ID: 1, CPUs: "4-7", MemoryMB: 8000}},
	}
}

func (p *probe) host(ident string) (found domain.Host) {
	p.Helper()
	p.read(func(ctx context.Context, tx control.Tx) (err error) {
		found, err = tx.Hosts().Get(ctx, ident)
		return err
	})
	return found
}

func hostRoundTrip(p *probe) {
	want := domain.Host{ID: hostA, Name: "node-a", Binary: "zun-compute", Address: "10.0.0.1:9518", Zone: "nova", BootID: "boot", Inventory: inventory()}
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Upsert(ctx, want) })
	got := p.host(hostA)
	if got.CreatedAt.IsZero() || !got.UpdatedAt.IsZero() {
		p.Fatalf("created %v, updated %v", got.CreatedAt, got.UpdatedAt)
	}
	want.CreatedAt = got.CreatedAt
	p.same("host", got, want)
	p.same("by name", p.host("node-a"), want)
	for range 2 {
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Delete(ctx, hostA) })
	}
	p.refuse(domain.NotFound, "compute-node-not-found", "Compute node node-a could not be found.", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Hosts().Get(ctx, "node-a")
		return err
	})
}

// hostUpsert joins a host again that is in use and switched off.
func hostUpsert(p *probe) {
	yes, reason := true, "repair"
	p.join(hostA)
	c := plain(first, "p1", "one")
	c.HostID = hostA
	p.keep(c)
	p.assign(first, "one")
	p.write(func(ctx context.Context, tx control.Tx) error {
		if err := tx.Hosts().Claim(ctx, hostA, domain.Claim{Containers: 1, CPU: 0.5}, domain.Claim{Containers: 5, CPU: 4}); err != nil {
			return err
		}
		return tx.Hosts().SetService(ctx, hostA, control.ServiceChange{Disabled: &yes, DisabledReason: &reason, ForcedDown: &yes})
	})
	p.write(func(ctx context.Context, tx control.Tx) error { // what is not named stays
		return tx.Hosts().SetService(ctx, hostA, control.ServiceChange{})
	})
	before := p.host(hostA)
	again := domain.Host{ID: hostA, Name: "renamed", Address: "10.0.0.9:1", Inventory: inventory(), Used: domain.Claim{CPU: 99}, Revision: 77}
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Upsert(ctx, again) })
	got := p.host(hostA)
	p.same("kept", []any{got.Used, got.Revision, got.Disabled, got.DisabledReason, got.ForcedDown}, []any{before.Used, int64(1), true, "repair", true})
	p.same("changed", []any{got.Name, got.Address, got.Inventory}, []any{"renamed", "10.0.0.9:1", inventory()})
	if got.UpdatedAt.IsZero() {
		p.Fatal("updated_at was not set")
	}
}

func hostName(p *probe) {
	p.join(hostA)
	p.refuse(domain.Conflict, "conflict", "", func(ctx context.Context, tx control.Tx) error {
		return tx.Hosts().Upsert(ctx, domain.Host{ID: hostB, Name: "node-a"})
	})
}

func hostBeat(p *probe) {
	p.join(hostA)
	for range 2 {
		p.write(func(ctx context.Context, tx control.Tx) error {
			return tx.Hosts().Beat(ctx, domain.Beat{HostID: hostA, BootID: "boot-2", Inventory: inventory()})
		})
	}
	got := p.host(hostA)
	p.same("beat", []any{got.ReportCount, got.BootID, got.Inventory, got.Name}, []any{int64(2), "boot-2", inventory(), "node-a"})
	p.read(func(ctx context.Context, tx control.Tx) error {
		now, err := tx.Hosts().Now(ctx)
		if age := now.Sub(got.LastSeenUp); age < 0 || age > time.Minute {
			p.Errorf("last seen %v ago", age)
		}
		return err
	})
}

func hostClaim(p *probe) {
	p.join(hostA)
	limit := domain.Claim{Containers: 3, CPU: 1, MemoryMB: 1000, DiskGB: -1}
	claim := func(c domain.Claim) steps {
		return func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Claim(ctx, hostA, c, limit) }
	}
	part := domain.Claim{Containers: 1, CPU: 0.1, MemoryMB: 300, DiskGB: 5000}
	for range 3 {
		p.write(claim(part))
	}
	p.same("used", p.host(hostA).Used, domain.Claim{Containers: 3, CPU: 0.3, MemoryMB: 900, DiskGB: 15000})
	p.refuse(domain.Conflict, "host-full", "", claim(domain.Claim{Containers: 1}))
	p.refuse(domain.Conflict, "host-full", "", claim(domain.Claim{CPU: 0.71}))
	p.refuse(domain.Conflict, "host-full", "", claim(domain.Claim{MemoryMB: 101}))
	p.write(claim(domain.Claim{CPU: 0.7, MemoryMB: 100}))
	for range 3 {
		p.write(claim(domain.Claim{Containers: -1, CPU: -0.1, MemoryMB: -300, DiskGB: -5000}))
	}
	p.write(claim(domain.Claim{CPU: -0.7, MemoryMB: -100}))
	p.same("all given back", p.host(hostA).Used, domain.Claim{})
}

func hostMissing(p *probe) {
	for _, fn := range []steps{
		func(ctx context.Context, tx control.Tx) error {
			return tx.Hosts().Beat(ctx, domain.Beat{HostID: hostA})
		},
		func(ctx context.Context, tx control.Tx) error {
			return tx.Hosts().SetService(ctx, hostA, control.ServiceChange{})
		},
		func(ctx context.Context, tx control.Tx) error {
			return tx.Hosts().Claim(ctx, hostA, domain.Claim{CPU: 1}, domain.Claim{CPU: 2})
		},
		func(ctx context.Context, tx control.Tx) error {
			return tx.Containers().Tombstones().Put(ctx, domain.Container{ID: first, HostID: hostA})
		},
	} {
		p.refuse(domain.NotFound, "compute-node-not-found", "", fn)
	}
}

func hostClock(p *probe) {
	p.read(func(ctx context.Context, tx control.Tx) error {
		now, err := tx.Hosts().Now(ctx)
		if off := time.Since(now).Abs(); off > time.Minute || now.Location() != time.UTC {
			p.Errorf("the database's clock says %v, %v off", now, off)
		}
		return err
	})
}

// hostDisabled takes nothing new, also while claims race with the switch: what was
// claimed before it is counted, and nothing is claimed after it.
func hostDisabled(p *probe) {
	p.join(hostA)
	yes, no := true, false
	limit := domain.Claim{Containers: 1000, CPU: -1, MemoryMB: -1, DiskGB: -1}
	claim := func(c domain.Claim) steps {
		return func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Claim(ctx, hostA, c, limit) }
	}
	one := domain.Claim{Containers: 1, CPU: 1}
	p.write(claim(one))
	set := func(disabled *bool) steps {
		return func(ctx context.Context, tx control.Tx) error {
			return tx.Hosts().SetService(ctx, hostA, control.ServiceChange{Disabled: disabled})
		}
	}
	p.write(set(&yes))
	p.refuse(domain.Conflict, "host-full", "Compute node node-a is disabled.", claim(one))
	p.write(claim(domain.Claim{CPU: 1}))
	p.write(claim(domain.Claim{Containers: -1, CPU: -2}))
	p.write(set(&no))

	var turns, atDrain atomic.Int64
	err := p.together(16, func(ctx context.Context) error {
		if turns.Add(1) == 8 {
			err := p.store.Write(ctx, set(&yes))
			atDrain.Store(p.host(hostA).Used.Containers)
			return err
		}
		err := p.store.Write(ctx, claim(one))
		if domain.IsKind(err, domain.Conflict) {
			return nil
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	p.same("nothing came after the drain", p.host(hostA).Used.Containers, atDrain.Load())
}

// hostParallel lets more claims race than the host has room for.
func hostParallel(p *probe) {
	p.join(hostA)
	fitted := p.race(12, func(ctx context.Context, tx control.Tx) (bool, error) {
		err := tx.Hosts().Claim(ctx, hostA, domain.Claim{Containers: 1}, domain.Claim{Containers: 5})
		if domain.IsKind(err, domain.Conflict) {
			return false, nil
		}
		return err == nil, err
	})
	p.same("fitted", fitted, 5)
	p.same("used", p.host(hostA).Used.Containers, int64(5))
}
