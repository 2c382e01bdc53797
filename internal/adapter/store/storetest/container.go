package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func containerCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Container/RoundTrip":       containerRoundTrip,
		"Container/UpdateAll":       containerUpdate,
		"Container/DuplicateID":     containerDuplicate,
		"Container/MissingAndScope": containerScope,
		"Container/ByName":          containerByName,
		"Container/Filters":         containerFilters,
		"Container/Dedicated":       containerDedicated,
		"Container/DedicatedOnce":   containerDedicatedOnce,
		"Container/Assign":          containerAssign,
		"Container/DeleteCascades":  containerDelete,
		"Container/Misfit":          containerMisfit,
	}
}

// full is a container in which every field holds something.
func full() domain.Container {
	exit, address := 3, netip.MustParseAddr("10.0.0.5")
	return domain.Container{
		ID: first, Kind: domain.KindMember, CapsuleID: third, ProjectID: "p1", UserID: "u1",
		Spec:   fullSpec(),
		Status: domain.Running, FormerStatus: domain.Creating, StatusReason: "reason — ünïcode 🐳", StatusDetail: "Up",
		TaskState: domain.ContainerStarting, HostID: hostA, HostName: "node-a", Generation: 4, EverCreated: true,
		Want: domain.Want{Absent: true, Running: true, Paused: true},
		Nics: []domain.Nic{{
			PortID: "port", NetworkID: "net", MAC: "02:00:00:00:00:01", MTU: 1450, DNS: []string{"10.0.0.2"}, DNSSearch: []string{"local"},
			Addresses: []domain.NicAddress{{SubnetID: "sub", Addr: address, Prefix: netip.MustParsePrefix("10.0.0.0/24"), Gateway: netip.MustParseAddr("10.0.0.1")}},
			Routes:    []domain.Route{{Destination: netip.MustParsePrefix("10.9.0.0/16"), Via: address}}, Preserve: true,
			Binding: domain.Binding{Type: "ovs", Bridge: "br-int", Details: map[string]string{"k": "v"}}, Generation: 2, Ready: true, Groups: []string{"g"},
		}},
		Resolved: []domain.NetChoice{{NetworkID: "net", PortID: "port", FixedIPs: []netip.Addr{address}, Preserve: true}},
		Volumes:  []domain.Volume{{ID: "vol", Provider: "local", SizeGB: 1, Destination: "/data"}},
		CPUSet:   domain.CPUSet{CPUs: "2-3,6", MemoryNodes: "1"},
		EngineID: "0123456789abcdef", Hostname: "inside", Ports: []int{80, 443}, ExitCode: &exit, Health: "healthy", Restarts: 2,
		StartedAt: time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.UTC),
	}
}

func fullSpec() domain.Spec {
	return domain.Spec{
		Name: "name", Image: "repo/image:tag", OwnImage: string(third), ImageDriver: "docker", PullPolicy: domain.PullIfNotPresent, PullPolicyAsked: "IfNotPresent",
		Command: []string{"sleep", "1 0"}, Entrypoint: []string{}, Environment: map[string]string{"A": "ä\n\"'\\"},
		Labels: map[string]string{"app": "web", "quote\"d": "it's"}, Annotations: map[string]string{"note": "x"},
		Workdir: "/srv", Hostname: "asked", CPU: 0.1, CPUPolicy: "dedicated", MemoryMB: 512, DiskGB: 10,
		Restart: domain.RestartPolicy{Name: "on-failure", MaxRetries: 3}, AutoRemove: true, AutoHeal: true, Interactive: true, TTY: true,
		Privileged: true, Runtime: "runc", Healthcheck: &domain.Healthcheck{Test: "true", Interval: 1, Timeout: 2, Retries: 3},
		ExposedPorts: []string{"80/tcp"}, SecurityGroups: []string{"sg"}, Hints: map[string]string{"group": "g"}, Zone: "nova", RequestedHost: "node-a",
		Mounts: []domain.MountRequest{{Type: "volume", Source: "v", Destination: "/data", SizeGB: 1}},
		Nets:   []domain.NetRequest{{Network: "n", FixedV4: "10.0.0.5"}},
	}
}

func containerRoundTrip(p *probe) {
	want := full()
	p.keep(want)
	got := p.get(first)
	if age := time.Since(got.CreatedAt); age < -time.Minute || age > time.Minute || got.CreatedAt.Location() != time.UTC {
		p.Fatalf("created at %v", got.CreatedAt)
	}
	want.CreatedAt = got.CreatedAt
	p.sameContainer(got, want)
	if got.Spec.Entrypoint == nil || p.nilCommand() != nil {
		p.Fatal("an empty list and none must stay apart")
	}
}

func (p *probe) nilCommand() []string {
	p.keep(plain(second, "p1", "plain"))
	return p.get(second).Spec.Command
}

// sameContainer compares what pointers point at, too.
func (p *probe) sameContainer(got, want domain.Container) {
	p.Helper()
	p.same("healthcheck", *got.Spec.Healthcheck, *want.Spec.Healthcheck)
	p.same("exit code", *got.ExitCode, *want.ExitCode)
	got.Spec.Healthcheck, want.Spec.Healthcheck, got.ExitCode, want.ExitCode = nil, nil, nil, nil
	p.same("container", got, want)
}

func containerUpdate(p *probe) {
	p.keep(plain(first, "p1", "before"))
	before := p.get(first)
	want := full()
	want.Kind, want.CapsuleID, want.ProjectID, want.UserID, want.Spec.Labels = before.Kind, "", "p1", "user", nil // who it is never changes
	want.Revision = 99
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Containers().Update(ctx, want) })
	got := p.get(first)
	if got.UpdatedAt.IsZero() || !got.CreatedAt.Equal(before.CreatedAt) {
		p.Fatalf("created %v, updated %v", got.CreatedAt, got.UpdatedAt)
	}
	if got.Revision != 0 {
		p.Fatal("only Assign may move the revision")
	}
	want.Revision, want.CreatedAt, want.UpdatedAt = 0, got.CreatedAt, got.UpdatedAt
	p.sameContainer(got, want)
	p.refuse(domain.NotFound, "container-not-found", "", func(ctx context.Context, tx control.Tx) error {
		return tx.Containers().Update(ctx, plain(second, "p1", "gone"))
	})
}

func containerDuplicate(p *probe) {
	p.keep(plain(first, "p1", "one"))
	p.refuse(domain.Conflict, "container-already-exists", "", func(ctx context.Context, tx control.Tx) error {
		return tx.Containers().Insert(ctx, plain(first, "p2", "two"))
	})
	p.same("the first", p.get(first).ProjectID, "p1")
}

func containerScope(p *probe) {
	capsule := plain(second, "p1", "capsule")
	capsule.Kind = domain.KindCapsule
	p.keep(plain(first, "p1", "one"), capsule)
	look := func(scope control.Scope, id domain.ContainerID) steps {
		return func(ctx context.Context, tx control.Tx) error {
			_, err := tx.Containers().Get(ctx, scope, id)
			return err
		}
	}
	p.write(look(control.Scope{ProjectID: "p1"}, first))
	p.write(look(control.Scope{ProjectID: "p1", Kinds: []domain.ContainerKind{domain.KindCapsule}}, second))
	missing := func(id domain.ContainerID) string { return "Container " + string(id) + " could not be found." }
	p.refuse(domain.NotFound, "container-not-found", missing(first), look(control.Scope{ProjectID: "p2"}, first))
	p.refuse(domain.NotFound, "container-not-found", missing(second), look(control.Scope{ProjectID: "p1"}, second))
	p.refuse(domain.NotFound, "container-not-found", missing("X"), look(anywhere(), "X"))
	p.refuse(domain.NotFound, "container-not-found", "", look(control.Scope{}, first))
}

func containerByName(p *probe) {
	p.keep(plain(first, "p1", "web"), plain(second, "p1", "web"), plain(third, "p2", "web"))
	p.keep(plain("44444444-4444-4444-8444-444444444444", "p3", "Web"))
	count := func(scope control.Scope, name string, want int) {
		p.Helper()
		p.read(func(ctx context.Context, tx control.Tx) error {
			found, err := tx.Containers().ByName(ctx, scope, name)
			p.same("found "+name, len(found), want)
			return err
		})
	}
	count(control.Scope{ProjectID: "p1"}, "web", 2)
	count(control.Scope{ProjectID: "p2"}, "web", 1)
	count(control.Scope{ProjectID: "p3"}, "web", 0) // letters of another case are another name
	count(control.Scope{ProjectID: "p3"}, "Web ", 0)
	count(anywhere(), "web", 2) // at most two
	count(anywhere(), "we", 0)
}

func containerFilters(p *probe) {
	one, two := full(), plain(second, "p2", "other")
	one.Kind = domain.KindContainer
	two.Spec.Labels = map[string]string{"app": "db"}
	p.keep(one, two)
	yes, no := true, false
	text := func(s string) *string { return &s }
	for name, f := range map[string]control.ContainerFilters{
		"name": {Name: text("name")}, "image": {Image: text("repo/image:tag")}, "project": {ProjectID: text("p1")}, "user": {UserID: text("u1")},
		"host": {Host: text("node-a")}, "task": {TaskState: text("container_starting")}, "status": {Status: text("Running")},
		"auto": {AutoRemove: &yes}, "heals": {AutoHeal: &yes}, "label": {Labels: map[string]string{"app": "web"}},
		"labels": {Labels: map[string]string{"app": "web", "quote\"d": "it's"}},
	} {
		p.same(name, p.list(control.ContainerQuery{Scope: anywhere(), Filters: f}), []domain.ContainerID{first})
	}
	p.same("memory", len(p.list(control.ContainerQuery{Scope: anywhere(), Filters: control.ContainerFilters{Memory: text("512")}})), 2)
	for name, f := range map[string]control.ContainerFilters{
		"memory": {Memory: text("512m")}, "two": {Name: text("name"), AutoRemove: &no}, "heals not": {Name: text("name"), AutoHeal: &no}, "empty": {Name: text("")},
		"label": {Labels: map[string]string{"app": "we"}}, "key": {Labels: map[string]string{"web": "app"}},
	} {
		p.same("no "+name, len(p.list(control.ContainerQuery{Scope: anywhere(), Filters: f})), 0)
	}
}

// list returns the ids of a page.
func (p *probe) list(q control.ContainerQuery) []domain.ContainerID {
	p.Helper()
	ids := []domain.ContainerID{}
	p.read(func(ctx context.Context, tx control.Tx) error {
		ids = ids[:0]
		found, err := tx.Containers().List(ctx, q)
		for _, c := range found {
			ids = append(ids, c.ID)
		}
		return err
	})
	return ids
}

// assign shows a container to its host under another name, and returns what that gave it.
func (p *probe) assign(id domain.ContainerID, name string) (revision int64) {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) error {
		c, err := tx.Containers().Get(ctx, anywhere(), id)
		if err != nil {
			return err
		}
		c.Spec.Name = name
		host, err := tx.Containers().Assign(ctx, c)
		revision = host.Revision
		if host.ID != "" {
			p.same("host", host.ID, c.HostID)
		}
		return err
	})
	p.same("written", p.get(id).Spec.Name, name)
	p.same("written revision", p.get(id).Revision, revision)
	return revision
}

func containerDedicated(p *probe) {
	held, shared, elsewhere := plain(first, "p1", "held"), plain(second, "p1", "shared"), plain(third, "p2", "elsewhere")
	held.HostID, shared.HostID, elsewhere.HostID = hostA, hostA, hostB
	held.CPUSet, elsewhere.CPUSet = domain.CPUSet{CPUs: "1-2", MemoryNodes: "0"}, domain.CPUSet{CPUs: "3", MemoryNodes: "0"}
	p.keep(held, shared, elsewhere)
	for host, want := range map[string][]domain.ContainerID{hostA: {first}, hostB: {third}, "": {first, third}} {
		p.read(func(ctx context.Context, tx control.Tx) error {
			found, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: anywhere(), HostID: host, Dedicated: true})
			var ids []domain.ContainerID
			for _, c := range found {
				ids = append(ids, c.ID)
			}
			p.same("those with CPUs of their own on "+host, ids, want)
			return err
		})
	}
}

// containerDedicatedOnce has many choose the next free CPU of a host at once, as those do
// who claim it: none may be chosen twice.
func containerDedicatedOnce(p *probe) {
	p.join(hostA)
	const runners = 8
	var number atomic.Int64
	limit := domain.Claim{Containers: runners, CPU: runners, MemoryMB: runners, DiskGB: runners}
	err := p.together(runners, func(ctx context.Context) error {
		id := domain.ContainerID(fmt.Sprintf("%08d-1111-4111-8111-111111111111", number.Add(1)))
		return p.store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
			if _, err := tx.Hosts().List(ctx, control.Page{}); err != nil { // what it saw before it waited must not count
				return err
			}
			if err := tx.Hosts().Claim(ctx, hostA, domain.Claim{Containers: 1, CPU: 1}, limit); err != nil {
				return err
			}
			held, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: anywhere(), HostID: hostA, Dedicated: true})
			if err != nil {
				return err
			}
			c := plain(id, "p1", "dedicated")
			c.HostID, c.CPUSet = hostA, domain.CPUSet{CPUs: strconv.Itoa(len(held)), MemoryNodes: "0"}
			return tx.Containers().Insert(ctx, c)
		})
	})
	if err != nil {
		p.Fatal(err)
	}
	taken := map[string]bool{}
	p.read(func(ctx context.Context, tx control.Tx) error {
		held, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: anywhere(), Dedicated: true})
		for _, c := range held {
			taken[c.CPUSet.CPUs] = true
		}
		return err
	})
	if len(taken) != runners {
		p.Fatalf("%d containers have only %d CPUs for themselves", runners, len(taken))
	}
}

func containerAssign(p *probe) {
	p.join(hostA, hostB)
	one, two, three := plain(first, "p1", "one"), plain(second, "p1", "two"), plain(third, "p1", "three")
	one.HostID, two.HostID, three.HostID = hostA, hostA, hostB
	p.keep(one, two, three)
	p.same("revisions", []int64{p.assign(first, "a"), p.assign(second, "b"), p.assign(third, "c"), p.assign(first, "d")}, []int64{1, 2, 1, 3})
	p.same("stored", p.get(first).Revision, int64(3))
	since := func(host string, rev int64) []domain.ContainerID {
		return p.list(control.ContainerQuery{Scope: anywhere(), HostID: host, SinceRevision: &rev})
	}
	p.same("since 0", since(hostA, 0), []domain.ContainerID{first, second})
	p.same("since 2", since(hostA, 2), []domain.ContainerID{first})
	p.same("since 3", len(since(hostA, 3)), 0)
	p.same("on the host", p.list(control.ContainerQuery{Scope: anywhere(), HostID: hostB}), []domain.ContainerID{third})
	p.read(func(ctx context.Context, tx control.Tx) error {
		h, err := tx.Hosts().Get(ctx, hostA)
		p.same("host's revision", h.Revision, int64(3))
		return err
	})
	p.refuse(domain.NotFound, "container-not-found", "", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Containers().Assign(ctx, domain.Container{ID: "X", HostID: hostA})
		return err
	})
	p.keep(plain("44444444-4444-4444-8444-444444444444", "p1", "unplaced"))
	p.same("unplaced", p.assign("44444444-4444-4444-8444-444444444444", "e"), int64(0))
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Hosts().Delete(ctx, hostB) })
	p.write(func(ctx context.Context, tx control.Tx) error {
		three.Spec.Name = "left"
		host, err := tx.Containers().Assign(ctx, three)
		p.same("a host that left", host, domain.Host{})
		return err
	})
	p.same("written", p.get(third).Spec.Name, "left")
}

func containerDelete(p *probe) {
	c := plain(first, "p1", "one")
	c.Spec.Labels = map[string]string{"a": "b"}
	p.keep(c, plain(second, "p1", "two"))
	gone, stays := p.enqueue(domain.Action{Container: first}), p.enqueue(domain.Action{Container: second})
	p.write(func(ctx context.Context, tx control.Tx) error {
		return tx.Actions().Events().Begin(ctx, domain.Event{ActionID: gone.ID, Name: "step"})
	})
	for range 2 { // the second time it is missing already
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Containers().Delete(ctx, first) })
	}
	p.refuse(domain.NotFound, "resource-not-found", "", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Actions().Get(ctx, gone.ID)
		return err
	})
	p.read(func(ctx context.Context, tx control.Tx) error {
		events, err := tx.Actions().Events().List(ctx, gone.ID)
		p.same("events", len(events), 0)
		if err != nil {
			return err
		}
		_, err = tx.Actions().Get(ctx, stays.ID)
		return err
	})
	p.keep(c) // nothing is left that its id or labels could clash with
}

func containerMisfit(p *probe) {
	c := plain(first, "p1", "one")
	c.Spec.Environment = map[string]string{"zero": "a\x00b"} // inside JSON every character can be kept
	p.keep(c)
	p.same("environment", p.get(first).Spec.Environment, c.Spec.Environment)
}
