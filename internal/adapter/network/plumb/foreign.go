package plumb

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"

	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
)

// openForeign lets forwarded packets of ours through the drop policy of another
// firewall, where an accept in our own table counts for nothing: in Docker's chain for
// its users where there is one, else in FORWARD if that drops by policy. Our own table
// still decides what passes. With want false our rules there are taken out.
func (f *firewall) openForeign(conn *nftables.Conn, want bool) error {
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6} {
		chains, err := conn.ListChainsOfTableFamily(family)
		if err != nil {
			return fmt.Errorf("list chains: %w", err)
		}
		gate := foreignGate(chains)
		for _, chain := range chains {
			if !isForeignChain(chain) {
				continue
			}
			if err := f.openChain(conn, chain, want && chain == gate); err != nil {
				return err
			}
		}
	}
	return nil
}

// isForeignChain says whether our accepts may ever have been put in chain.
func isForeignChain(chain *nftables.Chain) bool {
	return chain.Table.Name == "filter" && (chain.Name == "DOCKER-USER" || chain.Name == "FORWARD")
}

// foreignGate picks the chain that needs our accepts, nil if none does.
func foreignGate(chains []*nftables.Chain) *nftables.Chain {
	var gate *nftables.Chain
	for _, chain := range chains {
		switch {
		case !isForeignChain(chain):
		case chain.Name == "DOCKER-USER":
			return chain
		case chain.Policy != nil && *chain.Policy == nftables.ChainPolicyDrop:
			gate = chain
		}
	}
	return gate
}

// openChain makes our two accepts in chain present or absent; they are known by their
// comment, which is our table's name.
func (f *firewall) openChain(conn *nftables.Conn, chain *nftables.Chain, want bool) error {
	rules, err := conn.GetRules(chain.Table, chain)
	if err != nil {
		return fmt.Errorf("list rules of %s: %w", chain.Name, err)
	}
	mark := userdata.AppendString(nil, userdata.TypeComment, f.owner.Table())
	standing := 0
	for _, rule := range rules {
		if !bytes.Equal(rule.UserData, mark) {
			continue
		}
		standing++
		if !want {
			if err := conn.DelRule(rule); err != nil {
				return fmt.Errorf("remove rule of %s: %w", chain.Name, err)
			}
		}
	}
	directions := []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME}
	if want && standing == 0 {
		for _, key := range directions {
			conn.InsertRule(&nftables.Rule{Table: chain.Table, Chain: chain, UserData: mark, Exprs: rule.All(
				rule.LinkPrefix(key, expr.CmpOpEq, f.owner.BridgePrefix()),
				rule.Matching{&expr.Counter{}}, rule.Accept())})
		}
	}
	if err := conn.Flush(); err != nil && !rule.IsMissing(err) {
		return fmt.Errorf("change %s: %w", chain.Name, err)
	}
	return nil
}

// hasLegacyFilter says whether this host filters with the older iptables, whose chains
// nftables neither shows nor changes.
func hasLegacyFilter() bool {
	names, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	return err == nil && slices.Contains(strings.Fields(string(names)), "filter")
}
