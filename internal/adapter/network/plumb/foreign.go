package plumb

import (
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
// still decides what passes, and Docker's what reaches its bridges; uplinks with names like
// those are none. With want false our rules there are taken out.
func (f *firewall) openForeign(conn *nftables.Conn, want bool, uplinks []string) error {
	uplinks = slices.DeleteFunc(slices.Clone(uplinks), func(name string) bool { return !strings.HasPrefix(name, dockerPrefix) })
	slices.Sort(uplinks)
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
			if err := f.openChain(conn, chain, want && chain == gate, uplinks); err != nil {
				return err
			}
		}
	}
	return nil
}

// isForeignChain says whether our accepts may ever have been put in chain.
func isForeignChain(chain *nftables.Chain) bool {
	return chain.Table.Name == "filter" && (chain.Name == dockerUsers || chain.Name == "FORWARD")
}

// foreignGate picks the chain that needs our accepts, nil if none does.
func foreignGate(chains []*nftables.Chain) *nftables.Chain {
	var gate *nftables.Chain
	for _, chain := range chains {
		switch {
		case !isForeignChain(chain):
		case chain.Name == dockerUsers:
			return chain
		case chain.Policy != nil && *chain.Policy == nftables.ChainPolicyDrop:
			gate = chain
		}
	}
	return gate
}

// openChain makes our rules in chain present as they are wanted, or absent; they are known
// by their comment, which begins with our table's name and tells what they were made for.
func (f *firewall) openChain(conn *nftables.Conn, chain *nftables.Chain, want bool, uplinks []string) error {
	rules, err := conn.GetRules(chain.Table, chain)
	if err != nil {
		return fmt.Errorf("list rules of %s: %w", chain.Name, err)
	}
	comment := strings.Join(append([]string{f.owner.Table()}, uplinks...), " ")
	wanted, standing := f.passes(uplinks, chain.Name == dockerUsers), 0
	var ours []*nftables.Rule
	for _, r := range rules {
		text, _ := userdata.GetString(r.UserData, userdata.TypeComment)
		if word, _, _ := strings.Cut(text, " "); word != f.owner.Table() {
			continue
		}
		ours = append(ours, r)
		if text == comment {
			standing++
		}
	}
	if want && standing == len(wanted) && standing == len(ours) {
		return nil
	}
	for _, r := range ours {
		if err := conn.DelRule(r); err != nil {
			return fmt.Errorf("remove rule of %s: %w", chain.Name, err)
		}
	}
	for _, exprs := range slices.Backward(wanted) { // each goes ahead of all
		if want {
			conn.InsertRule(&nftables.Rule{Table: chain.Table, Chain: chain,
				UserData: userdata.AppendString(nil, userdata.TypeComment, comment), Exprs: exprs})
		}
	}
	if err := conn.Flush(); err != nil && !rule.IsMissing(err) {
		return fmt.Errorf("change %s: %w", chain.Name, err)
	}
	return nil
}

// dockerLinks are the names of Docker's bridges: what containers may reach behind them is
// for Docker's own rules to say.
func dockerLinks() []rule.Matching {
	return []rule.Matching{
		rule.Meta(expr.MetaKeyOIFNAME, expr.CmpOpEq, rule.LinkName("docker0")),
		rule.LinkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpEq, dockerPrefix),
	}
}

// dockerUsers is the chain that Docker asks before its own, and never flushes.
const dockerUsers = "DOCKER-USER"

// dockerPrefix begins the names of the bridges of Docker's networks, and of other people's.
const dockerPrefix = "br-"

// passes are our rules in another firewall's chain, in order; docker says that it is Docker's.
func (f *firewall) passes(uplinks []string, docker bool) []rule.Matching {
	count, back := rule.Matching{&expr.Counter{}}, rule.Matching{&expr.Verdict{Kind: expr.VerdictReturn}}
	from := rule.LinkPrefix(expr.MetaKeyIIFNAME, expr.CmpOpEq, f.owner.BridgePrefix())
	to := rule.LinkPrefix(expr.MetaKeyOIFNAME, expr.CmpOpEq, f.owner.BridgePrefix())
	rules := []rule.Matching{rule.All(from, count, rule.Accept()), rule.All(to, count, rule.Accept())}
	if !docker {
		return rules
	}
	var ahead []rule.Matching
	for _, name := range uplinks {
		ahead = append(ahead, rule.All(from, rule.Meta(expr.MetaKeyOIFNAME, expr.CmpOpEq, rule.LinkName(name)), count, rule.Accept()))
	}
	for _, link := range dockerLinks() {
		ahead = append(ahead, rule.All(from, link, count, back))
	}
	return append(ahead, rules...)
}

// hasLegacyFilter says whether this host filters with the older iptables, whose chains
// nftables neither shows nor changes.
func hasLegacyFilter() bool {
	names, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	return err == nil && slices.Contains(strings.Fields(string(names)), "filter")
}
