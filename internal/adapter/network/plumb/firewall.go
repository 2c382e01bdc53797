package plumb

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// firewall lays the deployment's rules in nftables: one inet table for isolation and
// address translation, one bridge table that guards each port (guard.go), and the
// accepts that another firewall's drop policy makes necessary (foreign.go).
type firewall struct {
	owner  owner
	access []Service

	// mu lets one batch through at a time: tables are read before they are written.
	// based says that the base of the port table was laid since the last Sync.
	mu    sync.Mutex
	based bool
}

func (f *firewall) open() (*nftables.Conn, error) {
	conn, err := nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error {
		return c.SetDeadline(time.Now().Add(kernelPatience))
	}))
	if err != nil {
		return nil, fmt.Errorf("open the kernel's nftables socket: %w", err)
	}
	return conn, nil
}

// lay replaces the host-wide rules with those for bridges, in one step; without
// bridges it removes them.
func (f *firewall) lay(bridges []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn, err := f.open()
	if err != nil {
		return err
	}
	table := &nftables.Table{Name: f.owner.table(), Family: nftables.TableFamilyINet}
	conn.AddTable(table) // so that deleting it never fails
	conn.DelTable(table)
	batch := &script{conn: conn, table: table}
	if len(bridges) > 0 {
		conn.AddTable(table)
		f.forwardChain(batch, bridges)
		f.inputChain(batch)
		f.translateChain(batch)
	}
	if err := batch.commit(); err != nil {
		return fmt.Errorf("lay the rules of table %s: %w", table.Name, err)
	}
	if err := f.openForeign(conn, len(bridges) > 0); err != nil {
		return fmt.Errorf("open the other firewall's chains: %w", err)
	}
	return nil
}

// forwardChain keeps everything out of the local networks but answers. Frames between
// two ports of one bridge come by here only where br_netfilter is switched on.
func (f *firewall) forwardChain(s *script, bridges []string) {
	chain := s.conn.AddChain(&nftables.Chain{
		Name: "forward", Table: s.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	lanes := make([]nftables.SetElement, 0, len(bridges))
	for _, name := range bridges {
		lanes = append(lanes, nftables.SetElement{Key: append(linkName(name), linkName(name)...)})
	}
	set := s.set(&nftables.Set{
		Name: "lanes", Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIFName, nftables.TypeIFName),
	}, lanes)
	prefix := f.owner.bridgePrefix()
	s.rule(chain, answers(), accept())
	s.rule(chain, linkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpNeq, prefix), accept())
	s.rule(chain, matching{
		// Two names side by side: the second register begins where the first name ends.
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: unix.NFT_REG32_00},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: unix.NFT_REG32_04},
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, SetName: set.Name, SetID: set.ID},
	}, accept())
	s.rule(chain, drop())
}

// inputChain keeps containers off the host, but for their gateway's echo, neighbour
// discovery, and the services that were opened.
func (f *firewall) inputChain(s *script) {
	chain := s.conn.AddChain(&nftables.Chain{
		Name: "input", Table: s.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	s.rule(chain, linkPrefix(expr.MetaKeyIIFNAME, expr.CmpOpNeq, f.owner.bridgePrefix()), accept())
	s.rule(chain, answers(), accept())
	s.rule(chain, icmpv6(icmp6NeighborSolicit), accept())
	s.rule(chain, icmpv6(icmp6NeighborAdvert), accept())
	s.rule(chain, icmpv4(icmpEchoRequest), toOwnGateway(), accept())
	s.rule(chain, icmpv6(icmp6EchoRequest), toOwnGateway(), accept())
	for _, service := range f.access {
		proto := byte(unix.IPPROTO_TCP)
		if service.UDP {
			proto = unix.IPPROTO_UDP
		}
		s.rule(chain, transport(proto), destinationPort(service.Port), toOwnGateway(), accept())
	}
	s.rule(chain, drop())
}

// translateChain lets what leaves the local networks carry the host's address.
func (f *firewall) translateChain(s *script) {
	chain := s.conn.AddChain(&nftables.Chain{
		Name: "translate", Table: s.table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	prefix := f.owner.bridgePrefix()
	s.rule(chain,
		linkPrefix(expr.MetaKeyIIFNAME, expr.CmpOpEq, prefix),
		linkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpNeq, prefix),
		matching{&expr.Masq{}})
}

func isMissing(err error) bool { return errors.Is(err, unix.ENOENT) }
