package groups

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/go-zun/zun/internal/adapter/network/plumb/flows"
	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
	"github.com/go-zun/zun/internal/domain"
)

// kept are the ports of leaving whose rules stay. Those that an older process laid cannot be
// read back as groups: such a port is sent nothing more, and sends nothing. Of one whose
// address is another's among nics by now, the rules of that one hold.
func (f *Filter) kept(conn *nftables.Conn, leaving, nics []domain.Nic) (map[string]domain.Nic, error) {
	passed := map[netip.Addr]bool{}
	for _, nic := range nics {
		for _, a := range nic.Addresses {
			passed[a.Addr] = true
		}
	}
	kept := map[string]domain.Nic{}
	for _, nic := range leaving {
		port := mark.ShortPort(nic.PortID)
		former, known := f.ports[port]
		if known {
			nic = former
		}
		if slices.ContainsFunc(nic.Addresses, func(a domain.NicAddress) bool { return passed[a.Addr] }) {
			continue
		}
		if known {
			kept[port] = former
			continue
		}
		for _, w := range ways()[:2] {
			filtered, err := rule.Holds(conn, &nftables.Chain{Name: w.chain(port), Table: f.table()})
			if err != nil {
				return nil, err
			}
			if filtered {
				kept[port] = nic
			}
		}
	}
	return kept, nil
}

// standing is what the table holds of ports before this process makes it its own: an older
// one laid it, and what it let through goes on unless it is judged anew.
type standing struct {
	inward  map[string][][]expr.Any // by chain
	members map[string][]netip.Addr // by set
}

// inwardOf reads the rules of the chains into the ports of nics.
func (f *Filter) inwardOf(conn *nftables.Conn, nics map[string]domain.Nic) (map[string][][]expr.Any, error) {
	inward := map[string][][]expr.Any{}
	for port := range nics {
		for _, w := range ways()[:2] {
			rules, err := conn.GetRules(f.table(), &nftables.Chain{Name: w.chain(port), Table: f.table()})
			if err != nil && !rule.IsMissing(err) {
				return nil, fmt.Errorf("list the rules of %s: %w", w.chain(port), err)
			}
			for _, r := range rules {
				inward[w.chain(port)] = append(inward[w.chain(port)], r.Exprs)
			}
		}
	}
	return inward, nil
}

// read reads what stands for nics, and who is in which group.
func (f *Filter) read(conn *nftables.Conn, nics map[string]domain.Nic) (standing, error) {
	inward, err := f.inwardOf(conn, nics)
	if err != nil {
		return standing{}, err
	}
	found := standing{inward: inward, members: map[string][]netip.Addr{}}
	sets, err := conn.GetSets(f.table())
	if err != nil {
		return found, fmt.Errorf("list groups: %w", err)
	}
	for _, set := range sets {
		if !strings.HasPrefix(set.Name, groupSetPrefix) {
			continue
		}
		elements, err := conn.GetSetElements(set)
		if err != nil {
			return found, fmt.Errorf("list the members of a group: %w", err)
		}
		for _, e := range elements {
			if addr, ok := netip.AddrFromSlice(e.Key); ok {
				found.members[set.Name] = append(found.members[set.Name], addr)
			}
		}
	}
	return found, nil
}

// rejudgeSince has judged anew what former let through and the rules of nics, which stand
// now, may not.
func (f *Filter) rejudgeSince(conn *nftables.Conn, former standing, nics map[string]domain.Nic) error {
	now, err := f.inwardOf(conn, nics)
	if err != nil {
		return err
	}
	var changed, all, left []domain.Nic
	for port, nic := range nics {
		all = append(all, nic)
		if slices.ContainsFunc(ways()[:2], func(w way) bool {
			return !reflect.DeepEqual(former.inward[w.chain(port)], now[w.chain(port)])
		}) {
			changed = append(changed, nic)
		}
		if f.hasLeft(former, nic) {
			left = append(left, nic)
		}
	}
	flows.Into(changed)
	for _, nic := range left {
		flows.Between(nic, all)
	}
	return nil
}

// hasLeft says whether nic's port was in a group that it is in no longer.
func (f *Filter) hasLeft(former standing, nic domain.Nic) bool {
	for _, w := range ways()[:2] {
		var present []string
		for _, group := range nic.Groups {
			present = append(present, w.groupSet(f.table(), group).Name)
		}
		for name, members := range former.members {
			isMember := slices.ContainsFunc(w.ownAddresses(nic), func(a netip.Addr) bool { return slices.Contains(members, a) })
			if isMember && !slices.Contains(present, name) {
				return true
			}
		}
	}
	return false
}
