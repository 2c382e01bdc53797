package plumb

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
	"github.com/go-zun/zun/internal/domain"
)

// boundPrefix begins the name of the chain of what a port is sent.
const boundPrefix = "to-"

// boundBaseChain is where every frame from one port to another comes by.
const boundBaseChain = "forward"

// isBounded says that nic's port is sent nothing but what is for its own addresses. Its groups
// are asked by those; but a container may have others, and its kernel takes what is for them
// from every link.
func isBounded(nic domain.Nic) bool { return len(nic.Groups) > 0 }

// boundMap sends a frame to the chain of the port that it goes to.
func boundMap(table *nftables.Table) *nftables.Set {
	return &nftables.Set{
		Table: table, Name: "bounded", IsMap: true,
		KeyType: nftables.TypeIFName, DataType: nftables.TypeVerdict,
		KeyByteOrder: binaryutil.NativeEndian, // so that nft prints the names
	}
}

// boundBase lays what all such ports share.
func boundBase(s *rule.Script) {
	list := s.Set(boundMap(s.Table), nil)
	chain := s.Conn.AddChain(&nftables.Chain{
		Name: boundBaseChain, Table: s.Table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityRef(beforeBridge),
	})
	s.Conn.FlushChain(chain)
	s.Rule(chain, rule.Matching{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: rule.Register},
		&expr.Lookup{SourceRegister: rule.Register, SetName: list.Name, SetID: list.ID, IsDestRegSet: true},
	})
}

// bound lays the chain of what nic's port is sent, if it is to have one. What is for all ports
// goes on in IPv6, in which neighbours are looked for so; the groups drop the rest of it.
func bound(s *rule.Script, nic domain.Nic, stands bool) error {
	chain := &nftables.Chain{Name: boundPrefix + mark.ShortPort(nic.PortID), Table: s.Table}
	if !isBounded(nic) {
		if stands {
			s.Conn.FlushChain(chain)
		}
		return nil
	}
	mac, err := mark.ParseMAC(nic)
	if err != nil {
		return err
	}
	s.Conn.AddChain(chain)
	if stands {
		s.Conn.FlushChain(chain)
	}
	var own4 []netip.Addr
	own6 := []netip.Addr{mark.LinkLocal(mac)}
	for _, a := range nic.Addresses {
		if a.Addr.Is4() {
			own4 = append(own4, a.Addr)
		} else {
			own6 = append(own6, a.Addr)
		}
	}
	if len(own4) > 0 {
		s.Rule(chain, rule.EtherType(unix.ETH_P_IP), rule.Field(expr.PayloadBaseNetworkHeader, 16, 4),
			s.OneOf(own4, nftables.TypeIPAddr, false), rule.Accept())
	}
	s.Rule(chain, rule.EtherType(unix.ETH_P_IP), rule.Drop())
	s.Rule(chain, rule.EtherType(unix.ETH_P_IPV6), rule.Field(expr.PayloadBaseNetworkHeader, 24, 1), rule.Compare(expr.CmpOpNeq, []byte{0xff}),
		rule.Field(expr.PayloadBaseNetworkHeader, 24, 16), s.OneOf(own6, nftables.TypeIP6Addr, true), rule.Drop())
	entry := []nftables.SetElement{{
		Key:         rule.LinkName(mark.TapName(nic.PortID)),
		VerdictData: &expr.Verdict{Kind: expr.VerdictGoto, Chain: chain.Name},
	}}
	if err := s.Conn.SetAddElements(boundMap(s.Table), entry); err != nil {
		return fmt.Errorf("list port %s: %w", nic.PortID, err)
	}
	return nil
}
