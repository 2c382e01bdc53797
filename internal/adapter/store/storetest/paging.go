package storetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func pagingCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Paging/EveryContainerKey": pagingContainers,
		"Paging/EveryHostKey":      pagingHosts,
		"Paging/Defaults":          pagingDefaults,
		"Paging/Refusals":          pagingRefusals,
	}
}

func containerKeys() []string {
	return []string{
		"id", "uuid", "name", "project_id", "user_id", "image", "image_driver", "image_pull_policy", "cpu", "cpu_policy", "memory", "disk",
		"workdir", "hostname", "status", "status_reason", "status_detail", "task_state", "host", "runtime", "interactive", "tty",
		"auto_remove", "auto_heal", "privileged", "container_id", "container_type", "started_at", "created_at", "updated_at",
	}
}

// pagingContainers walks all keys in both directions in pages of three: nothing may
// be lost or doubled where values tie, and descending is ascending turned round.
func pagingContainers(p *probe) {
	var all []domain.Container
	for n := range 11 {
		c := plain(domain.ContainerID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", (n*7)%11)), "p1", fmt.Sprintf("name-%d", n%4))
		c.Spec.CPU, c.Spec.MemoryMB, c.Spec.TTY, c.Status = float64(n%3)/10, int64(n%5), n%2 == 0, []domain.Status{"Running", "Error"}[n%2]
		all = append(all, c)
	}
	p.keep(append(all, plain(first, "p2", "stranger"))...)
	for _, key := range containerKeys() {
		walk := func(desc bool) (ids []domain.ContainerID) {
			page := control.Page{Limit: 3, SortKey: key, Desc: desc}
			for range 5 { // four pages hold eleven; the fifth is empty
				got := p.list(control.ContainerQuery{Scope: control.Scope{ProjectID: "p1"}, Page: page})
				if len(got) == 0 {
					return ids
				}
				ids = append(ids, got...)
				page.Marker = string(got[len(got)-1])
			}
			return ids
		}
		up, down := walk(false), walk(true)
		slices.Reverse(down)
		p.same(key+" both ways", up, down)
		slices.Sort(up)
		p.same(key+" complete", len(slices.Compact(up)), len(all))
	}
	byCPU := p.list(control.ContainerQuery{Scope: control.Scope{ProjectID: "p1"}, Page: control.Page{SortKey: "cpu", Limit: 4}})
	p.same("ties in insertion order", byCPU, []domain.ContainerID{all[0].ID, all[3].ID, all[6].ID, all[9].ID})
}

func pagingHosts(p *probe) {
	p.join(hostB, hostA, "cccccccc-cccc-4ccc-8ccc-cccccccccccc")
	for _, key := range []string{
		"id", "uuid", "hostname", "cpus", "cpu_used", "mem_total", "mem_used", "disk_total", "disk_used", "total_containers", "architecture",
		"os_type", "os", "kernel_version", "disk_quota_supported", "enable_cpu_pinning", "created_at", "updated_at",
	} {
		var names []string
		page := control.Page{Limit: 1, SortKey: key}
		for range 3 {
			var found []domain.Host
			p.read(func(ctx context.Context, tx control.Tx) (err error) {
				found, err = tx.Hosts().List(ctx, page)
				return err
			})
			names, page.Marker = append(names, found[0].Name), found[0].ID
		}
		slices.Sort(names)
		p.same(key, names, []string{"node-a", "node-b", "node-c"})
	}
}

func pagingDefaults(p *probe) {
	p.join(hostB, hostA)
	p.keep(plain(third, "p1", "a"), plain(first, "p1", "b"))
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Hosts().List(ctx, control.Page{})
		p.same("hosts by name", []string{found[0].Name, found[1].Name}, []string{"node-a", "node-b"})
		return err
	})
	p.same("containers by insertion", p.list(control.ContainerQuery{Scope: anywhere()}), []domain.ContainerID{third, first})
	p.same("the other way", p.list(control.ContainerQuery{Scope: anywhere(), Page: control.Page{Desc: true}}), []domain.ContainerID{first, third})
}

func pagingRefusals(p *probe) {
	p.keep(plain(first, "p1", "a"))
	list := func(page control.Page) steps {
		return func(ctx context.Context, tx control.Tx) error {
			_, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: control.Scope{ProjectID: "p2"}, Page: page})
			return err
		}
	}
	for _, key := range []string{"x", "nics", "name; DROP TABLE containers", "ID"} {
		p.refuse(domain.Invalid, "invalid-parameter-value", `The sort_key value "`+key+`" is an invalid field for sorting`, list(control.Page{SortKey: key}))
	}
	p.refuse(domain.NotFound, "container-not-found", "", list(control.Page{Marker: string(third)}))
	p.refuse(domain.NotFound, "container-not-found", "", list(control.Page{Marker: string(first)})) // another project's
	secret := func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Registries().List(ctx, anywhere(), nil, control.Page{SortKey: "sealed_password"})
		return err
	}
	p.refuse(domain.Invalid, "invalid-parameter-value", "", secret)
}
