package plumb

import (
	"fmt"
	"sync"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
	"github.com/go-zun/zun/internal/domain"
)

// firewall lays the deployment's rules in nftables: one inet table for isolation and
// address translation, one bridge table that guards each port (guard.go), and the
// accepts that another firewall's drop policy makes necessary (foreign.go).
type firewall struct {
	owner  mark.Owner
	access []Service

	// mu lets one batch through at a time: tables are read before they are written.
	// laid and based say that this process laid the host-wide rules, and the base of
	// the port table: an older process's may have had other options.
	mu          sync.Mutex
	laid, based bool
	// guarded are the ports whose chains this process laid, by the short form of their ids.
	guarded map[string]domain.Nic
}

// lay makes the host-wide rules those for bridges, in one step; without bridges it
// removes them. Rules that this process laid and that still stand are left as they are,
// because taking rules away makes the kernel wait for all its processors.
func (f *firewall) lay(bridges, uplinks []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	table := &nftables.Table{Name: f.owner.Table(), Family: nftables.TableFamilyINet}
	standing := false
	if f.laid {
		if standing, err = f.standsFor(conn, table, bridges); err != nil {
			return err
		}
	}
	if !standing {
		if err := f.replace(conn, table, bridges); err != nil {
			return fmt.Errorf("lay the rules of table %s: %w", table.Name, err)
		}
		f.laid = true
	}
	if err := f.openForeign(conn, len(bridges) > 0, uplinks); err != nil {
		return fmt.Errorf("open the other firewall's chains: %w", err)
	}
	return nil
}

// standsFor says whether table holds its chains, with rules, and just the lanes of bridges, or is
// gone where there are none.
func (f *firewall) standsFor(conn *nftables.Conn, table *nftables.Table, bridges []string) (bool, error) {
	chains, err := conn.ListChainsOfTableFamily(table.Family)
	if err != nil {
		return false, fmt.Errorf("list chains: %w", err)
	}
	count := 0
	for _, chain := range chains {
		if chain.Table.Name != table.Name {
			continue
		}
		holds, err := rule.Holds(conn, chain)
		if err != nil {
			return false, err
		}
		if !holds {
			return false, nil
		}
		count++
	}
	if len(bridges) == 0 || count != hostChains {
		return len(bridges) == 0 && count == 0, nil
	}
	elements, err := conn.GetSetElements(laneSet(table))
	if err != nil {
		return false, fmt.Errorf("list lanes: %w", err)
	}
	lanes := map[string]bool{}
	for _, e := range elements {
		lanes[string(e.Key)] = true
	}
	for _, name := range bridges {
		if !lanes[string(lane(name))] {
			return false, nil
		}
	}
	return len(lanes) == len(bridges), nil
}

func (f *firewall) replace(conn *nftables.Conn, table *nftables.Table, bridges []string) error {
	conn.AddTable(table) // so that deleting it never fails
	conn.DelTable(table)
	batch := &rule.Script{Conn: conn, Table: table}
	if len(bridges) > 0 {
		conn.AddTable(table)
		f.linksChain(batch)
		f.forwardChain(batch, bridges)
		f.inputChain(batch)
		f.translateChain(batch)
	}
	return batch.Commit()
}

// hostChains is how many chains the host-wide table has.
const hostChains = 4

// beforeFragments is a priority ahead of what puts fragments together.
const beforeFragments = nftables.ChainPriority(-450)

// linksChain drops what the host would take from a port's link itself. That comes by no
// bridge: frames to the addresses that bridges keep to themselves, which the guards of ports
// never see, and everything, once somebody took the link out of its bridge.
func (f *firewall) linksChain(s *rule.Script) {
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: "links", Table: s.Table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRef(beforeFragments),
	})
	s.Rule(chain, rule.Meta(expr.MetaKeyIIFGROUP, expr.CmpOpEq, binaryutil.NativeEndian.PutUint32(f.owner.Group)), rule.Drop())
}

// laneSet holds the ways that may be forwarded: from a bridge to the same bridge.
func laneSet(table *nftables.Table) *nftables.Set {
	return &nftables.Set{
		Table: table, Name: "lanes", Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIFName),
	}
}

func lane(bridge string) []byte { return append(rule.LinkName(bridge), rule.LinkName(bridge)...) }

// forwardChain keeps everything out of the local networks but answers. Frames between
// two ports of one bridge come by here only where br_netfilter is switched on.
func (f *firewall) forwardChain(s *rule.Script, bridges []string) {
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: "forward", Table: s.Table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	lanes := make([]nftables.SetElement, 0, len(bridges))
	for _, name := range bridges {
		lanes = append(lanes, nftables.SetElement{Key: lane(name)})
	}
	set := s.Set(laneSet(s.Table), lanes)
	prefix := f.owner.BridgePrefix()
	s.Rule(chain, rule.LinkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpNeq, prefix), rule.Accept())
	s.Rule(chain, rule.Matching{
		// Two names side by side: the second register begins where the first name ends.
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: unix.NFT_REG32_00},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: unix.NFT_REG32_04},
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, SetName: set.Name, SetID: set.ID},
	}, rule.Accept())
	// Between two networks nothing is an answer, but for errors about the connections of others.
	s.Rule(chain, rule.LinkPrefix(expr.MetaKeyIIFNAME, expr.CmpOpEq, prefix), rule.Drop())
	s.Rule(chain, rule.Answers(), rule.Accept())
	s.Rule(chain, rule.Drop())
}

// inputChain keeps containers off the host, but for their gateway's echo, neighbour
// discovery, and the services that were opened.
func (f *firewall) inputChain(s *rule.Script) {
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: "input", Table: s.Table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	s.Rule(chain, rule.LinkPrefix(expr.MetaKeyIIFNAME, expr.CmpOpNeq, f.owner.BridgePrefix()), rule.Accept())
	// An error of ICMP belongs to the connection that it names, which may be any of the host's.
	s.Rule(chain, rule.Established(), rule.Accept())
	s.Rule(chain, rule.ICMPv6(rule.NeighborSolicit), rule.Accept())
	s.Rule(chain, rule.ICMPv6(rule.NeighborAdvert), rule.Accept())
	s.Rule(chain, rule.ICMPv4(rule.EchoRequest), rule.ToOwnGateway(), rule.Accept())
	s.Rule(chain, rule.ICMPv6(rule.EchoRequest6), rule.ToOwnGateway(), rule.Accept())
	for _, service := range f.access {
		proto := byte(unix.IPPROTO_TCP)
		if service.UDP {
			proto = unix.IPPROTO_UDP
		}
		s.Rule(chain, rule.Transport(proto), rule.DestinationPort(service.Port), rule.ToOwnGateway(), rule.Accept())
	}
	s.Rule(chain, rule.Drop())
}

// translateChain lets what leaves the local networks carry the host's address.
func (f *firewall) translateChain(s *rule.Script) {
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: "translate", Table: s.Table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	prefix := f.owner.BridgePrefix()
	s.Rule(chain,
		rule.LinkPrefix(expr.MetaKeyIIFNAME, expr.CmpOpEq, prefix),
		rule.LinkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpNeq, prefix),
		rule.Matching{&expr.Masq{}})
}
