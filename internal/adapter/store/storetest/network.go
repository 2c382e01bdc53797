package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func networkCases() map[string]func(*probe) {
	return map[string]func(*probe){
		"Network/Ensure":         networkEnsure,
		"Network/ParallelEnsure": networkParallel,
		"Network/Ports":          networkPorts,
	}
}

func (p *probe) ensure(n domain.LocalNetwork) (got domain.LocalNetwork) {
	p.Helper()
	p.write(func(ctx context.Context, tx control.Tx) (err error) {
		got, err = tx.Networks().Ensure(ctx, n)
		return err
	})
	return got
}

func networkEnsure(p *probe) {
	want := domain.LocalNetwork{ID: "n1", ProjectID: "p1", Name: "default", MTU: 1500, Subnets: []domain.LocalSubnet{{
		ID: "s1", Prefix: netip.MustParsePrefix("10.1.0.0/24"), Gateway: netip.MustParseAddr("10.1.0.1"),
	}}}
	p.same("made", p.ensure(want), want)
	p.same("found", p.ensure(domain.LocalNetwork{ID: "other", ProjectID: "p1", Name: "default"}), want)
	p.same("index", p.ensure(domain.LocalNetwork{ID: "n2", ProjectID: "p2", Name: "default"}).Index, int64(1))
	p.same("index", p.ensure(domain.LocalNetwork{ID: "n3", ProjectID: "p1", Name: "second"}).Index, int64(2))
	p.write(func(ctx context.Context, tx control.Tx) error { return tx.Networks().DeleteNetwork(ctx, "n2") })
	p.same("lowest free", p.ensure(domain.LocalNetwork{ID: "n4", ProjectID: "p3", Name: "default"}).Index, int64(1))
	p.read(func(ctx context.Context, tx control.Tx) error {
		got, err := tx.Networks().Get(ctx, "n1")
		p.same("get", got, want)
		if err != nil {
			return err
		}
		of, err := tx.Networks().List(ctx, "p1")
		p.same("of p1", len(of), 2)
		return err
	})
	p.refuse(domain.NotFound, "network-not-found", "Network n2 could not be found.", func(ctx context.Context, tx control.Tx) error {
		_, err := tx.Networks().Get(ctx, "n2")
		return err
	})
}

func networkParallel(p *probe) {
	var mu sync.Mutex
	next := 0
	p.race(8, func(ctx context.Context, tx control.Tx) (bool, error) {
		mu.Lock()
		next++
		n := domain.LocalNetwork{ID: fmt.Sprint("n", next), ProjectID: fmt.Sprint("p", next%4), Name: "default"}
		mu.Unlock()
		_, err := tx.Networks().Ensure(ctx, n)
		return true, err
	})
	p.read(func(ctx context.Context, tx control.Tx) error {
		all, err := tx.Networks().List(ctx, "")
		var indexes []int64
		projects := map[string]bool{}
		for _, n := range all {
			indexes = append(indexes, n.Index)
			projects[n.ProjectID] = true
		}
		slices.Sort(indexes)
		p.same("one for each project", len(projects), len(all))
		for i, index := range indexes {
			p.same("indexes", index, int64(i))
		}
		return err
	})
}

func networkPorts(p *probe) {
	p.ensure(domain.LocalNetwork{ID: "n1", ProjectID: "p1", Name: "one"})
	p.ensure(domain.LocalNetwork{ID: "n2", ProjectID: "p1", Name: "two"})
	port := func(id, network string, c domain.ContainerID, address string) domain.LocalPort {
		return domain.LocalPort{ID: id, NetworkID: network, ProjectID: "p1", Container: c, MAC: "02:00", Addresses: []domain.NicAddress{{
			SubnetID: "s", Addr: netip.MustParseAddr(address), Prefix: netip.MustParsePrefix(address + "/24"),
		}}}
	}
	insert := func(port domain.LocalPort) steps {
		return func(ctx context.Context, tx control.Tx) error { return tx.Networks().InsertPort(ctx, port) }
	}
	count := func(network string, id domain.ContainerID) (n int) {
		p.read(func(ctx context.Context, tx control.Tx) error {
			found, err := tx.Networks().Ports(ctx, network, id)
			n = len(found)
			return err
		})
		return n
	}
	one := port("a", "n1", first, "10.0.0.2")
	p.write(insert(one))
	p.write(insert(port("b", "n2", first, "10.0.0.2"))) // another network's address of the same digits
	p.refuse(domain.Conflict, "address-in-use", "", insert(port("c", "n1", second, "10.0.0.2")))
	p.write(func(ctx context.Context, tx control.Tx) error { // the transaction survives the refusal
		if err := tx.Networks().InsertPort(ctx, port("c", "n1", second, "10.0.0.2")); !domain.IsKind(err, domain.Conflict) {
			return fmt.Errorf("got %w, want a conflict", err)
		}
		return tx.Networks().InsertPort(ctx, port("c", "n1", second, "10.0.0.3"))
	})
	p.refuse(domain.NotFound, "network-not-found", "", insert(port("d", "n9", second, "10.0.0.4")))
	p.same("ports", []int{count("", ""), count("n1", ""), count("", first), count("n2", second)}, []int{3, 2, 2, 0})
	p.read(func(ctx context.Context, tx control.Tx) error {
		found, err := tx.Networks().Ports(ctx, "n1", first)
		p.same("port", found, []domain.LocalPort{one})
		return err
	})
	p.read(func(ctx context.Context, tx control.Tx) error {
		leased, err := tx.Networks().Addresses(ctx, "n1")
		p.same("leased addresses", leased, map[netip.Addr]string{netip.MustParseAddr("10.0.0.2"): "a", netip.MustParseAddr("10.0.0.3"): "c"})
		return err
	})
	p.refuse(domain.Conflict, "network-in-use", "", func(ctx context.Context, tx control.Tx) error { return tx.Networks().DeleteNetwork(ctx, "n1") })
	for range 2 {
		p.write(func(ctx context.Context, tx control.Tx) error { return tx.Networks().DeletePort(ctx, "a") })
	}
	p.write(insert(port("e", "n1", third, "10.0.0.2")))
}
