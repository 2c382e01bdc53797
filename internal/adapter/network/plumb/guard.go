package plumb

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
	"github.com/go-zun/zun/internal/domain"
)

// guardPrefix begins the name of a port's chain; the short form of its id follows.
const guardPrefix = "port-"

// guardBaseChain is where every frame from a link comes by.
const guardBaseChain = "prerouting"

// beforeBridge is a priority ahead of br_netfilter, so that a forged packet is dropped
// before connection tracking sees it.
const beforeBridge = nftables.ChainPriority(-300)

// guard lays the rules of one port unless this process did and they stand. It only adds
// where nothing stands: the kernel makes whoever takes a rule away wait for all its
// processors, and a plug must not.
func (f *firewall) guard(nic domain.Nic) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	known, err := f.ports(conn)
	if err != nil {
		return err
	}
	port := mark.ShortPort(nic.PortID)
	if former, ours := f.guarded[port]; ours && f.based && known.guarded[port] && sameGuard(former, nic) {
		return nil
	}
	return f.guardAll(conn, []domain.Nic{nic}, known)
}

// sameGuard says whether two nics of one port may send the same, and be sent the same.
func sameGuard(a, b domain.Nic) bool {
	same := func(x, y domain.NicAddress) bool { return x.Addr == y.Addr }
	return a.MAC == b.MAC && slices.EqualFunc(a.Addresses, b.Addresses, same) && isBounded(a) == isBounded(b)
}

// syncGuards lays the rules of those nics (which it takes over) that have none from this process, with the base
// of the table, and drops those of ports that are not plugged (short forms of ids). With
// nothing plugged nor standing there is no table.
func (f *firewall) syncGuards(nics []domain.Nic, plugged map[string]bool, standing bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	if !standing && len(plugged) == 0 {
		return f.dropGuards(conn)
	}
	known, err := f.ports(conn)
	if err != nil {
		return err
	}
	if f.based {
		if f.based, err = f.baseHolds(conn); err != nil {
			return err
		}
	}
	if f.based {
		nics = slices.DeleteFunc(nics, func(n domain.Nic) bool {
			port := mark.ShortPort(n.PortID)
			former, ours := f.guarded[port]
			return known.guarded[port] && (!ours || sameGuard(former, n))
		})
	}
	if err := f.guardAll(conn, nics, known); err != nil {
		return err
	}
	for port := range known.guarded {
		if plugged[port] {
			continue
		}
		if err := f.drop(conn, port, known); err != nil {
			return err
		}
	}
	return nil
}

// baseHolds says whether nobody emptied what all ports share.
func (f *firewall) baseHolds(conn *nftables.Conn) (bool, error) {
	for _, name := range []string{guardBaseChain, boundBaseChain} {
		holds, err := rule.Holds(conn, &nftables.Chain{Name: name, Table: f.guardTable()})
		if err != nil || !holds {
			return false, err
		}
	}
	return true, nil
}

// unguard drops the rules of one port.
func (f *firewall) unguard(port string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	known, err := f.ports(conn)
	if err != nil {
		return err
	}
	return f.drop(conn, port, known)
}

// guardAll lays the rules of nics in one step; known are the ports that have chains.
func (f *firewall) guardAll(conn *nftables.Conn, nics []domain.Nic, known chains) error {
	batch := &rule.Script{Conn: conn, Table: f.guardTable()}
	ports := portMap(batch.Table)
	if !f.based {
		f.guardBase(batch, ports)
	}
	elements := make([]nftables.SetElement, 0, len(nics))
	for _, nic := range nics {
		chain, err := guardChain(batch, nic, known.guarded[mark.ShortPort(nic.PortID)])
		if err != nil {
			return err
		}
		if err := bound(batch, nic, known.bounded[mark.ShortPort(nic.PortID)]); err != nil {
			return err
		}
		elements = append(elements, nftables.SetElement{
			Key:         rule.LinkName(mark.TapName(nic.PortID)),
			VerdictData: &expr.Verdict{Kind: expr.VerdictGoto, Chain: chain.Name},
		})
	}
	if len(elements) > 0 {
		if err := conn.SetAddElements(ports, elements); err != nil {
			return fmt.Errorf("list the ports: %w", err)
		}
	}
	if err := batch.Commit(); err != nil {
		f.based = false
		return fmt.Errorf("lay the port rules of table %s: %w", f.owner.Table(), err)
	}
	f.based = true
	for _, nic := range nics {
		f.guarded[mark.ShortPort(nic.PortID)] = nic
	}
	return nil
}

func (f *firewall) guardTable() *nftables.Table {
	return &nftables.Table{Name: f.owner.Table(), Family: nftables.TableFamilyBridge}
}

// portMap sends a frame to the chain of the port that it came from.
func portMap(table *nftables.Table) *nftables.Set {
	return &nftables.Set{
		Table: table, Name: "ports", IsMap: true,
		KeyType: nftables.TypeIFName, DataType: nftables.TypeVerdict,
		KeyByteOrder: binaryutil.NativeEndian, // so that nft prints the names
	}
}

// guardBase lays what all ports share: a frame from a link of our group goes to the
// chain of its port, and is dropped if there is none.
func (f *firewall) guardBase(s *rule.Script, ports *nftables.Set) {
	s.Conn.AddTable(s.Table)
	s.Set(ports, nil)
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: guardBaseChain, Table: s.Table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRef(beforeBridge),
	})
	s.Conn.FlushChain(chain)
	s.Rule(chain, rule.Meta(expr.MetaKeyIIFGROUP, expr.CmpOpNeq, binaryutil.NativeEndian.PutUint32(f.owner.Group)), rule.Accept())
	s.Rule(chain, rule.Matching{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: rule.Register},
		&expr.Lookup{SourceRegister: rule.Register, SetName: ports.Name, SetID: ports.ID, IsDestRegSet: true},
	})
	s.Rule(chain, rule.Drop())
	boundBase(s)
}

// guardChain lays the chain of one port: its own MAC and addresses pass, in ARP, IPv4,
// IPv6 and neighbour discovery; all else is dropped.
func guardChain(s *rule.Script, nic domain.Nic, stands bool) (*nftables.Chain, error) {
	mac, err := mark.ParseMAC(nic)
	if err != nil {
		return nil, err
	}
	chain := s.Conn.AddChain(&nftables.Chain{Name: guardPrefix + mark.ShortPort(nic.PortID), Table: s.Table})
	if stands {
		s.Conn.FlushChain(chain)
	}
	s.Rule(chain, rule.Field(expr.PayloadBaseLLHeader, 6, 6), rule.Compare(expr.CmpOpNeq, mac), rule.Drop())
	var v4, v6 []netip.Addr
	for _, a := range nic.Addresses {
		if a.Addr.Is4() {
			v4 = append(v4, a.Addr)
		} else {
			v6 = append(v6, a.Addr)
		}
	}
	if len(v4) > 0 {
		guardIPv4(s, chain, mac, v4)
	}
	if len(v6) > 0 {
		guardIPv6(s, chain, append(v6, mark.LinkLocal(mac)))
	}
	s.Rule(chain, rule.Drop())
	return chain, nil
}

func guardIPv4(s *rule.Script, chain *nftables.Chain, mac net.HardwareAddr, own []netip.Addr) {
	arp := rule.EtherType(unix.ETH_P_ARP)
	s.Rule(chain, arp, rule.Field(expr.PayloadBaseNetworkHeader, 8, 6), rule.Compare(expr.CmpOpNeq, mac), rule.Drop())
	// A probe asks before it owns: its sender address is zero.
	senders := append([]netip.Addr{netip.IPv4Unspecified()}, own...)
	s.Rule(chain, arp, rule.Field(expr.PayloadBaseNetworkHeader, 14, 4), s.OneOf(senders, nftables.TypeIPAddr, false), rule.Accept())
	s.Rule(chain, rule.EtherType(unix.ETH_P_IP), rule.Field(expr.PayloadBaseNetworkHeader, 12, 4),
		s.OneOf(own, nftables.TypeIPAddr, false), rule.Accept())
}

func guardIPv6(s *rule.Script, chain *nftables.Chain, own []netip.Addr) {
	ip6 := rule.EtherType(unix.ETH_P_IPV6)
	// A piece does not tell what the whole is, and bridge filters have it put together after this.
	// Neighbour discovery never comes in pieces (RFC 6980), and nobody believes it without this hop limit.
	s.Rule(chain, ip6, rule.Fragment6(), rule.Field(expr.PayloadBaseNetworkHeader, 7, 1), rule.Compare(expr.CmpOpEq, []byte{255}), rule.Drop())
	s.Rule(chain, ip6, rule.ICMPv6(rule.RouterAdvert), rule.Drop())
	s.Rule(chain, ip6, rule.ICMPv6(rule.Redirect), rule.Drop())
	s.Rule(chain, ip6, rule.ICMPv6(rule.NeighborAdvert), rule.Field(expr.PayloadBaseTransportHeader, 8, 16),
		s.OneOf(own, nftables.TypeIP6Addr, true), rule.Drop())
	source := rule.Field(expr.PayloadBaseNetworkHeader, 8, 16)
	s.Rule(chain, ip6, source, s.OneOf(own, nftables.TypeIP6Addr, false), rule.Accept())
	// Before it has an address a link may look for duplicates and join groups.
	nobody := rule.All(source, rule.Compare(expr.CmpOpEq, netip.IPv6Unspecified().AsSlice()))
	for _, kind := range []byte{rule.NeighborSolicit, rule.ListenerReport, rule.ListenerReport2} {
		s.Rule(chain, ip6, nobody, rule.ICMPv6(kind), rule.Accept())
	}
}

// chains are the ports (short forms of ids) that have a chain: for what they send, and for
// what they are sent.
type chains struct {
	guarded, bounded map[string]bool
}

// ports lists the ports that have a chain, and forgets the base if somebody took it away.
func (f *firewall) ports(conn *nftables.Conn) (chains, error) {
	listed, err := conn.ListChainsOfTableFamily(nftables.TableFamilyBridge)
	if err != nil {
		return chains{}, fmt.Errorf("list chains: %w", err)
	}
	known, bases := chains{guarded: map[string]bool{}, bounded: map[string]bool{}}, 0
	for _, chain := range listed {
		if chain.Table.Name != f.owner.Table() {
			continue
		}
		if port, ok := strings.CutPrefix(chain.Name, guardPrefix); ok {
			known.guarded[port] = true
		}
		if port, ok := strings.CutPrefix(chain.Name, boundPrefix); ok {
			known.bounded[port] = true
		}
		if chain.Name == guardBaseChain || chain.Name == boundBaseChain {
			bases++
		}
	}
	f.based = f.based && bases == 2
	return known, nil
}

// senders returns the addresses that a port may send from: those that this process laid its
// rules with, or else those in the rules, which outlive the process that laid them.
func (f *firewall) senders(port string) ([]domain.NicAddress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if nic, ours := f.guarded[port]; ours {
		return nic.Addresses, nil
	}
	conn, err := rule.Open()
	if err != nil {
		return nil, err
	}
	table := f.guardTable()
	rules, err := conn.GetRules(table, &nftables.Chain{Name: guardPrefix + port, Table: table})
	if err != nil {
		if rule.IsMissing(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("list the rules of port %s: %w", port, err)
	}
	var own []domain.NicAddress
	for _, r := range rules {
		for _, e := range r.Exprs {
			lookup, ok := e.(*expr.Lookup)
			if !ok {
				continue
			}
			elements, err := conn.GetSetElements(&nftables.Set{Table: table, Name: lookup.SetName})
			if err != nil {
				return nil, fmt.Errorf("list the addresses of port %s: %w", port, err)
			}
			for _, element := range elements {
				if addr, ok := netip.AddrFromSlice(element.Key); ok && !addr.IsUnspecified() {
					own = append(own, domain.NicAddress{Addr: addr})
				}
			}
		}
	}
	return own, nil
}

// drop removes the chains of a port. Chain and map entry come and go together, so a port
// that is not known has neither.
func (f *firewall) drop(conn *nftables.Conn, port string, known chains) error {
	delete(f.guarded, port)
	lists := map[string]*nftables.Set{}
	if known.guarded[port] {
		lists[guardPrefix] = portMap(f.guardTable())
	}
	if known.bounded[port] {
		lists[boundPrefix] = boundMap(f.guardTable())
	}
	for prefix, list := range lists {
		entry := []nftables.SetElement{{Key: rule.LinkName("tap" + port)}}
		if err := conn.SetDeleteElements(list, entry); err != nil {
			return fmt.Errorf("unlist port %s: %w", port, err)
		}
		chain := &nftables.Chain{Name: prefix + port, Table: list.Table}
		conn.FlushChain(chain)
		conn.DelChain(chain)
	}
	if err := conn.Flush(); err != nil && !rule.IsMissing(err) {
		return fmt.Errorf("drop the rules of port %s: %w", port, err)
	}
	return nil
}

// dropGuards removes the table that guards ports; there are none.
func (f *firewall) dropGuards(conn *nftables.Conn) error {
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyBridge)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	table := f.guardTable()
	if !slices.ContainsFunc(tables, func(t *nftables.Table) bool { return t.Name == table.Name }) {
		return nil
	}
	f.based = false
	clear(f.guarded)
	conn.DelTable(table)
	if err := conn.Flush(); err != nil && !rule.IsMissing(err) {
		return fmt.Errorf("drop table %s: %w", table.Name, err)
	}
	return nil
}
