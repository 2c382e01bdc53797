package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func quotaCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Quota/Limits":              quotaLimits,
		"Quota/Use":                 quotaUse,
		"Quota/ParallelUse":         quotaParallel,
		"Quota/Repair":              quotaRepair,
		"Quota/RepairDuringAResize": quotaRepairDuringAResize,
		"Quota/RepairOfHosts":       quotaRepairOfHosts,
	}
}

// race runs fn in as many transactions at once and returns how many said yes.
func (p *probe) race(runners int, fn func(ctx context.Context, tx control.Tx) (bool, error)) int {
	p.Helper()
	var yes atomic.Int64
	err := p.together(runners, func(ctx context.Context) error {
		var said bool
		err := p.store.Write(ctx, func(ctx context.Context, tx control.Tx) (err error) {
			said, err = fn(ctx, tx)
			return err
		})
		if err == nil && said {
			yes.Add(1)
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return int(yes.Load())
}

// together runs fn in as many goroutines and returns the first error.
func (p *probe) together(runners int, fn func(ctx context.Context) error) error {
	group, ctx := errgroup.WithContext(p.Context())
	for range runners {
		group.Go(func() error { return fn(ctx) })
	}
	return group.Wait()
}

func quotaLimits(p *probe) {
	project, class := control.QuotaSubject{Name: "default"}, control.QuotaSubject{Class: true, Name: "default"}
	limits := func(s ...control.QuotaSubject) (found map[domain.Resource]int64) {
		p.read(func(ctx context.Context, tx control.Tx) (err error) {
			found, err = tx.Quotas().Limits(ctx, s...)
			return err
		})
		return found
	}
	set := func(s control.QuotaSubject, l map[domain.Resource]int64) {
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Quotas().SetLimits(ctx, s, l) })
	}
	p.same("none", len(limits(project)), 0)
	set(project, map[domain.Resource]int64{domain.ResourceCPU: 5, domain.ResourceMemory: -1})
	set(class, map[domain.Resource]int64{domain.ResourceCPU: 7})
	set(project, map[domain.Resource]int64{domain.ResourceCPU: 6, domain.ResourceDisk: 1})
	p.same("project", limits(project), map[domain.Resource]int64{domain.ResourceCPU: 6, domain.ResourceMemory: -1, domain.ResourceDisk: 1})
	p.same("class", limits(class), map[domain.Resource]int64{domain.ResourceCPU: 7})
	set(class, map[domain.Resource]int64{domain.ResourceContainers: 9})
	both := map[domain.Resource]int64{
		domain.ResourceCPU: 6, domain.ResourceMemory: -1, domain.ResourceDisk: 1, domain.ResourceContainers: 9,
	}
	p.same("the project over the class", limits(class, project), both)
	both[domain.ResourceCPU] = 7
	p.same("the class over the project", limits(project, class), both)
	p.same("nobody", len(limits()), 0)
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Quotas().DeleteLimits(ctx, project) })
	p.same("deleted", len(limits(project)), 0)
	p.same("class stays", len(limits(class)), 2)
}

func (p *probe) usage(project string) (used domain.Claim) {
	p.read(func(ctx context.Context, tx control.Tx) (err error) {
		used, err = tx.Quotas().Usage(ctx, project)
		return err
	})
	return used
}

func quotaUse(p *probe) {
	limits := domain.Quota{Containers: 3, CPU: 1, MemoryMB: 100, DiskGB: -1}
	use := func(c domain.Claim) (over []domain.Resource) {
		p.write(func(ctx context.Context, tx control.Tx) (err error) {
			over, err = tx.Quotas().Use(ctx, "p1", c, limits)
			return err
		})
		return over
	}
	p.same("at first", p.usage("p1"), domain.Claim{})
	p.same("too much at once", use(domain.Claim{Containers: 4, CPU: 1.5, MemoryMB: 1}), []domain.Resource{domain.ResourceContainers, domain.ResourceCPU})
	for range 3 {
		p.same("over", len(use(domain.Claim{Containers: 1, CPU: 0.1, MemoryMB: 30, DiskGB: 1000})), 0)
	}
	p.same("used", p.usage("p1"), domain.Claim{Containers: 3, CPU: 0.3, MemoryMB: 90, DiskGB: 3000})
	p.same("over", use(domain.Claim{Containers: 1, MemoryMB: 11, CPU: 0.1}), []domain.Resource{domain.ResourceContainers, domain.ResourceMemory})
	p.same("nothing written", p.usage("p1").CPU, 0.3)
	p.same("exactly full", len(use(domain.Claim{MemoryMB: 10})), 0)
	p.same("given back", len(use(domain.Claim{Containers: -3, CPU: -0.3, MemoryMB: -100, DiskGB: -3000})), 0)
	p.same("used", p.usage("p1"), domain.Claim{})
	p.same("others", p.usage("p2"), domain.Claim{})
	limits.Containers = 0
	p.same("none allowed", use(domain.Claim{Containers: 1}), []domain.Resource{domain.ResourceContainers})
}

func quotaParallel(p *probe) {
	got := p.race(16, func(ctx context.Context, tx control.Tx) (bool, error) {
		over, err := tx.Quotas().Use(ctx, "p1", domain.Claim{Containers: 1, CPU: 0.1}, domain.Quota{Containers: 7, CPU: 100, MemoryMB: -1, DiskGB: -1})
		return len(over) == 0, err
	})
	p.same("accepted", got, 7)
	p.same("used", p.usage("p1"), domain.Claim{Containers: 7, CPU: 0.7})
}

func quotaRepair(p *probe) {
	none := domain.Quota{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}
	for n, project := range []string{"right", "wrong", "right", "unknown"} {
		c := plain(domain.ContainerID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)), project, "c")
		c.Spec.CPU, c.Spec.DiskGB = 0.1, 1
		c.Spec.Mounts = []domain.MountRequest{{Type: domain.MountVolume, Destination: "/data", SizeGB: 2}}
		p.keep(c)
	}
	p.write(func(ctx context.Context, tx control.Tx) error {
		for project, c := range map[string]domain.Claim{
			"right": {Containers: 2, CPU: 0.2, MemoryMB: 1024, DiskGB: 6}, "wrong": {Containers: 9}, "gone": {CPU: 1},
		} {
			if _, err := tx.Quotas().Use(ctx, project, c, none); err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int{3, 0} {
		p.write(func(ctx context.Context, tx control.Tx) error {
			repaired, err := tx.Quotas().Repair(ctx)
			p.same("repaired", repaired, want)
			return err
		})
	}
	one := domain.Claim{Containers: 1, CPU: 0.1, MemoryMB: 512, DiskGB: 3}
	p.same("usage", []domain.Claim{p.usage("wrong"), p.usage("unknown"), p.usage("gone")}, []domain.Claim{one, one, {}})
}

// quotaRepairDuringAResize holds that what a resize counted ahead is not taken for an error.
func quotaRepairDuringAResize(p *probe) {
	c := plain("00000001-0000-4000-8000-000000000000", "p1", "c")
	p.keep(c)
	more := domain.ClaimOf(c.Spec)
	more.MemoryMB += 256
	var resize domain.Action
	p.write(func(ctx context.Context, tx control.Tx) (err error) {
		if _, err = tx.Quotas().Use(ctx, "p1", more, domain.Unlimited()); err != nil {
			return err
		}
		resize, err = tx.Actions().Append(ctx, domain.Action{Container: c.ID, ProjectID: "p1", Verb: domain.VerbUpdate, State: domain.ActionPrepared})
		return err
	})
	repair := func(want int) {
		p.write(func(ctx context.Context, tx control.Tx) error {
			repaired, err := tx.Quotas().Repair(ctx)
			p.same("repaired", repaired, want)
			return err
		})
	}
	repair(0)
	p.same("usage while it is under way", p.usage("p1"), more)
	p.write(func(ctx context.Context, tx control.Tx) error {
		resize.State = domain.ActionFailed
		return tx.Actions().Update(ctx, resize)
	})
	repair(1)
	p.same("usage after it", p.usage("p1"), domain.ClaimOf(c.Spec))
}

// quotaRepairOfHosts holds the sums of the hosts to the same rules.
func quotaRepairOfHosts(p *probe) {
	p.join(hostA, hostB)
	c := plain("00000001-0000-4000-8000-000000000000", "p1", "c")
	c.HostID = hostA
	p.keep(c)
	gone := plain("00000002-0000-4000-8000-000000000000", "p1", "gone")
	gone.HostID = hostA
	held := domain.ClaimOf(c.Spec).Plus(domain.ClaimOf(gone.Spec)) // the host has not reported clean
	astray := func(want bool) {
		p.read(func(ctx context.Context, tx control.Tx) error {
			got, err := tx.Quotas().Astray(ctx)
			p.same("astray", got, want)
			return err
		})
	}
	used := func() (all []domain.Claim) {
		p.read(func(ctx context.Context, tx control.Tx) error {
			a, err := tx.Hosts().Get(ctx, hostA)
			b, errB := tx.Hosts().Get(ctx, hostB)
			all = []domain.Claim{a.Used, b.Used}
			return errors.Join(err, errB)
		})
		return all
	}
	p.write(func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Quotas().Use(ctx, "p1", domain.ClaimOf(c.Spec), domain.Unlimited())
		none := domain.Claim{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}
		return errors.Join(err, tx.Hosts().Claim(ctx, hostA, held, none), tx.Containers().Tombstones().Put(ctx, gone))
	})
	astray(false)
	p.write(func(ctx context.Context, tx control.Tx) error {
		none := domain.Claim{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}
		return errors.Join(tx.Hosts().Claim(ctx, hostA, domain.Claim{MemoryMB: 7}, none), tx.Hosts().Claim(ctx, hostB, domain.Claim{CPU: 0.3}, none))
	})
	astray(true)
	p.write(func(ctx context.Context, tx control.Tx) error {
		repaired, err := tx.Quotas().Repair(ctx)
		p.same("repaired", repaired, 2)
		return err
	})
	p.same("used", used(), []domain.Claim{held, {}})
	astray(false)
}
