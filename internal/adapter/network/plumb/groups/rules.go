package groups

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
	"github.com/go-zun/zun/internal/domain"
)

// filterHooks is how many base chains the table has.
const filterHooks = 3

// base lays what all ports share. Packets between two ports of a bridge come by forward
// because filterBridge asks for it; the host's own go by input and output.
func (f *Filter) base(s *rule.Script) {
	s.Conn.AddTable(s.Table)
	lists := map[way]*nftables.Set{}
	for _, w := range ways() {
		lists[w] = s.Set(w.portMap(s.Table), nil)
	}
	f.hook(s, "forward", nftables.ChainHookForward, lists, ways())
	f.hook(s, "input", nftables.ChainHookInput, lists, ways()[2:])
	f.hook(s, "output", nftables.ChainHookOutput, lists, ways()[:2])
}

func (f *Filter) hook(s *rule.Script, name string, at *nftables.ChainHook, lists map[way]*nftables.Set, passed []way) {
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: name, Table: s.Table, Type: nftables.ChainTypeFilter, Hooknum: at, Priority: nftables.ChainPriorityFilter,
	})
	s.Conn.FlushChain(chain)
	prefix := f.owner.BridgePrefix()
	s.Rule(chain, rule.Answers(), rule.Accept())
	s.Rule(chain, rule.ICMPv6(rule.NeighborSolicit), rule.Accept())
	s.Rule(chain, rule.ICMPv6(rule.NeighborAdvert), rule.Accept())
	for _, out := range []bool{true, false} { // what a port may not send need not be judged further
		for _, w := range passed {
			if w.out != out {
				continue
			}
			link := expr.MetaKeyOIFNAME
			if w.out {
				link = expr.MetaKeyIIFNAME
			}
			s.Rule(chain, rule.LinkPrefix(link, expr.CmpOpEq, prefix), w.own(), rule.Matching{
				&expr.Lookup{SourceRegister: rule.Register, SetName: lists[w].Name, SetID: lists[w].ID, IsDestRegSet: true},
			})
		}
	}
	if name != "forward" {
		return
	}
	// What goes to all ports goes to no port's address, and so by no port's chain. The packet
	// counts, not the frame: that may be for one port although the packet is for all.
	for _, kind := range []uint32{unix.RTN_BROADCAST, unix.RTN_MULTICAST} {
		s.Rule(chain, rule.LinkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpEq, prefix), rule.ToKind(kind), rule.Drop())
	}
}

// join lays the chains of a port, lists it, and puts it into its groups. stands says
// that its chains may be there already.
func (f *Filter) join(s *rule.Script, nic domain.Nic, stands bool) error {
	port := mark.ShortPort(nic.PortID)
	for _, w := range ways() {
		if err := f.groups(s, w, nic); err != nil {
			return err
		}
		own := w.ownAddresses(nic)
		if len(own) == 0 {
			continue
		}
		chain := s.Conn.AddChain(&nftables.Chain{Name: w.chain(port), Table: s.Table})
		if stands {
			s.Conn.FlushChain(chain)
		}
		for _, r := range nic.Rules {
			if r.Egress != w.out || r.IPv6 != w.six {
				continue
			}
			parts, err := f.matches(s.Table, w, r)
			if err != nil {
				return err
			}
			s.Rule(chain, append(parts, w.pass())...)
		}
		s.Rule(chain, rule.Drop())
		elements := make([]nftables.SetElement, 0, len(own))
		for _, a := range own {
			elements = append(elements, nftables.SetElement{Key: a.AsSlice(), VerdictData: &expr.Verdict{Kind: expr.VerdictJump, Chain: chain.Name}})
		}
		if err := s.Conn.SetAddElements(w.portMap(s.Table), elements); err != nil {
			return fmt.Errorf("list port %s: %w", nic.PortID, err)
		}
	}
	return nil
}

// pass lets a packet go on: one that leaves a port may yet come to another.
func (w way) pass() rule.Matching {
	if w.out {
		return rule.Matching{&expr.Verdict{Kind: expr.VerdictReturn}}
	}
	return rule.Accept()
}

// groups makes the sets that the port is in or that its rules name, and fills in the
// port's addresses. Sets go by IP version, so one direction does for both.
func (f *Filter) groups(s *rule.Script, w way, nic domain.Nic) error {
	if w.out {
		return nil
	}
	for _, group := range named(nic) {
		set := s.Set(w.groupSet(s.Table, group), nil)
		f.sets[group] = true
		own := w.ownAddresses(nic)
		if !slices.Contains(nic.Groups, group) || len(own) == 0 {
			continue
		}
		if err := s.Conn.SetAddElements(set, keys(own)); err != nil {
			return fmt.Errorf("fill group %s: %w", group, err)
		}
	}
	return nil
}

// named are the groups that a port is in or that its rules name, each once.
func named(nic domain.Nic) []string {
	groups := slices.Clone(nic.Groups)
	for _, r := range nic.Rules {
		if r.RemoteGroup != "" {
			groups = append(groups, r.RemoteGroup)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// leave takes the port out of its groups.
func (f *Filter) leave(s *rule.Script, nic domain.Nic) error {
	for _, w := range ways()[:2] {
		own := w.ownAddresses(nic)
		for _, group := range nic.Groups {
			if len(own) == 0 {
				continue
			}
			if err := s.Conn.SetDeleteElements(w.groupSet(s.Table, group), keys(own)); err != nil {
				return fmt.Errorf("take port %s out of group %s: %w", nic.PortID, group, err)
			}
		}
	}
	return nil
}

// unlist takes the port's addresses out of the maps.
func (f *Filter) unlist(s *rule.Script, nic domain.Nic) error {
	for _, w := range ways() {
		own := w.ownAddresses(nic)
		if len(own) == 0 {
			s.Conn.AddChain(&nftables.Chain{Name: w.chain(mark.ShortPort(nic.PortID)), Table: s.Table}) // so that deleting it never fails
			continue
		}
		if err := s.Conn.SetDeleteElements(w.portMap(s.Table), keys(own)); err != nil {
			return fmt.Errorf("unlist port %s: %w", nic.PortID, err)
		}
	}
	return nil
}

// unclaim takes the port's addresses out of the maps, in which an older process may have
// left them for a port that had them before.
func (f *Filter) unclaim(s *rule.Script, nic domain.Nic) error {
	standing, err := f.stands(s.Conn)
	if err != nil || !standing {
		return err
	}
	for _, w := range ways() {
		elements, err := s.Conn.GetSetElements(w.portMap(s.Table))
		if err != nil {
			return fmt.Errorf("list ports: %w", err)
		}
		own := w.ownAddresses(nic)
		for _, e := range elements {
			addr, ok := netip.AddrFromSlice(e.Key)
			if !ok || !slices.Contains(own, addr) {
				continue
			}
			if err := s.Conn.SetDeleteElements(w.portMap(s.Table), keys([]netip.Addr{addr})); err != nil {
				return fmt.Errorf("unlist %s: %w", addr, err)
			}
		}
	}
	return nil
}

func keys(addrs []netip.Addr) []nftables.SetElement {
	elements := make([]nftables.SetElement, 0, len(addrs))
	for _, a := range addrs {
		elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
	}
	return elements
}

// matches are the conditions of one rule.
func (f *Filter) matches(table *nftables.Table, w way, r domain.GroupRule) ([]rule.Matching, error) {
	var parts []rule.Matching
	switch {
	case r.RemoteGroup != "":
		set := w.groupSet(table, r.RemoteGroup)
		parts = append(parts, w.other(), rule.Matching{&expr.Lookup{SourceRegister: rule.Register, SetName: set.Name}})
	case r.RemotePrefix.IsValid() && r.RemotePrefix.Bits() > 0:
		parts = append(parts, w.other(), within(r.RemotePrefix))
	}
	if r.Protocol == "" {
		return parts, nil
	}
	number, err := protocolNumber(r)
	if err != nil {
		return nil, err
	}
	parts = append(parts, rule.Transport(number))
	switch number {
	case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
		for offset, value := range []int{r.PortMin, r.PortMax} {
			if value >= 0 {
				parts = append(parts, rule.Field(expr.PayloadBaseTransportHeader, uint32(offset), 1), rule.Compare(expr.CmpOpEq, []byte{byte(value)}))
			}
		}
	default:
		if r.PortMin >= 0 {
			parts = append(parts, destinationPorts(r.PortMin, r.PortMax))
		}
	}
	return parts, nil
}

func destinationPorts(low, high int) rule.Matching {
	bound := func(port int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(port)) }
	return rule.All(rule.Field(expr.PayloadBaseTransportHeader, 2, 2),
		rule.Compare(expr.CmpOpGte, bound(low)), rule.Compare(expr.CmpOpLte, bound(max(low, high))))
}

// within matches the address just loaded if it is in prefix.
func within(prefix netip.Prefix) rule.Matching {
	addr := prefix.Masked().Addr().AsSlice()
	mask := net.CIDRMask(prefix.Bits(), 8*len(addr))
	return rule.Matching{
		&expr.Bitwise{SourceRegister: rule.Register, DestRegister: rule.Register, Len: uint32(len(addr)), Mask: mask, Xor: make([]byte, len(addr))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: rule.Register, Data: addr},
	}
}

func protocolNumber(r domain.GroupRule) (byte, error) {
	switch r.Protocol {
	case "tcp":
		return unix.IPPROTO_TCP, nil
	case "udp":
		return unix.IPPROTO_UDP, nil
	case "sctp":
		return unix.IPPROTO_SCTP, nil
	case "icmp", "icmpv6", "ipv6-icmp":
		if r.IPv6 {
			return unix.IPPROTO_ICMPV6, nil
		}
		return unix.IPPROTO_ICMP, nil
	}
	n, err := strconv.ParseUint(r.Protocol, 10, 8)
	if err != nil {
		return 0, domain.WrapFault(err, domain.Invalid, "port-binding-failed", "This host does not know the protocol %q of a security group rule.", r.Protocol)
	}
	return byte(n), nil
}
