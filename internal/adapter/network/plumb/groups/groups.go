// Package groups enforces security groups with nftables.
package groups

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/flows"
	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/adapter/network/plumb/rule"
	"github.com/go-zun/zun/internal/domain"
)

// Filter enforces the security groups of the local ports, in an inet table of its own.
// Three base chains send a packet by its address to the chains of the port that it comes
// from and of the port that it goes to; a port's chain drops what no rule of it matches.
// Answers and neighbour discovery pass ahead of them. A group is a set of its ports'
// addresses, so that a port which joins or leaves changes nothing in others' chains.
type Filter struct {
	owner mark.Owner

	// mu lets one batch through at a time. ports are those whose rules stand, by the short
	// form of their ids, sets are the groups that have one, and whole says that nothing
	// else stands.
	mu    sync.Mutex
	ports map[string]domain.Nic
	sets  map[string]bool
	whole bool
}

// New returns the filter of one deployment.
func New(own mark.Owner) *Filter {
	return &Filter{owner: own, ports: map[string]domain.Nic{}, sets: map[string]bool{}}
}

func (f *Filter) table() *nftables.Table {
	return &nftables.Table{Name: f.owner.Table() + "-groups", Family: nftables.TableFamilyINet}
}

// Lay makes the rules of one port those of nic. Ahead of the first sync the table may
// hold what an older process laid, and so other ports' rules are left alone.
func (f *Filter) Lay(nic domain.Nic) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(nic.Groups) == 0 {
		return nil
	}
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	former, known, err := f.former(conn, nic)
	if err != nil || known && samePort(former, nic) {
		return err
	}
	batch := &rule.Script{Conn: conn, Table: f.table()}
	if !f.whole {
		f.base(batch)
		if err := f.unclaim(batch, nic); err != nil {
			return err
		}
	}
	if known {
		if err := f.leave(batch, former); err != nil {
			return err
		}
	}
	if err := f.join(batch, nic, known || !f.whole); err != nil {
		return err
	}
	if err := batch.Commit(); err != nil {
		return fmt.Errorf("lay the group rules of port %s: %w", nic.PortID, err)
	}
	f.ports[mark.ShortPort(nic.PortID)] = nic
	if known {
		f.rejudge(former, nic)
	}
	return nil
}

// rejudge has what the former rules and groups of a port let through judged anew: what
// others opened to it, and what it opened to ports that let in a group which it left. The
// rest of what it opened goes on, with the translation that only the kernel knows.
func (f *Filter) rejudge(former, now domain.Nic) {
	flows.Forget(former, flows.To)
	left := func(r domain.GroupRule) bool {
		return !r.Egress && slices.Contains(former.Groups, r.RemoteGroup) && !slices.Contains(now.Groups, r.RemoteGroup)
	}
	var closed []domain.Nic
	for _, other := range f.ports {
		if slices.ContainsFunc(other.Rules, left) {
			closed = append(closed, other)
		}
	}
	flows.Between(former, closed)
}

// former returns what stands of nic's port. If somebody took the table away nothing
// does, of no port; the next sync lays the others' rules again.
func (f *Filter) former(conn *nftables.Conn, nic domain.Nic) (domain.Nic, bool, error) {
	former, known := f.ports[mark.ShortPort(nic.PortID)]
	if !known {
		return former, false, nil
	}
	standing, err := f.stands(conn)
	if err == nil && !standing {
		clear(f.ports)
		clear(f.sets)
		f.whole, known = false, false
	}
	return former, known, err
}

// Drop takes the rules of one port away. What is not known goes with the next sync.
func (f *Filter) Drop(port string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	nic, known := f.ports[port]
	if !known {
		return nil
	}
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	batch := &rule.Script{Conn: conn, Table: f.table()}
	if err := f.leave(batch, nic); err != nil {
		return err
	}
	if err := f.unlist(batch, nic); err != nil {
		return err
	}
	for _, way := range ways() {
		chain := &nftables.Chain{Name: way.chain(port), Table: batch.Table}
		conn.FlushChain(chain)
		conn.DelChain(chain)
	}
	delete(f.ports, port)
	if err := batch.Commit(); err != nil {
		f.whole = false // somebody else changed the table
		if !rule.IsMissing(err) {
			return fmt.Errorf("drop the group rules of port %s: %w", port, err)
		}
	}
	return nil
}

// Sync makes the table hold the rules of nics in one step, and else only those of leaving,
// ports that are plugged yet (short forms of ids will do): what is on its way out is filtered
// to its end. What stands as it should is not touched.
func (f *Filter) Sync(nics, leaving []domain.Nic) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	conn, err := rule.Open()
	if err != nil {
		return err
	}
	wanted, err := f.kept(conn, leaving, nics)
	if err != nil {
		return err
	}
	for _, nic := range nics {
		if len(nic.Groups) > 0 {
			wanted[mark.ShortPort(nic.PortID)] = nic
		}
	}
	stands, err := f.stands(conn)
	if err != nil {
		return err
	}
	if stands == (len(wanted) > 0) && (f.whole || len(wanted) == 0) && maps.EqualFunc(wanted, f.ports, samePort) && !f.idle(wanted) {
		return nil
	}
	var former standing
	if stands && !f.whole {
		if former, err = f.read(conn, wanted); err != nil {
			return err
		}
	}
	clear(f.sets)
	batch := &rule.Script{Conn: conn, Table: f.table()}
	conn.AddTable(batch.Table) // so that deleting it never fails
	conn.DelTable(batch.Table)
	if len(wanted) > 0 {
		f.base(batch)
	}
	for _, port := range slices.Sorted(maps.Keys(wanted)) {
		if err := f.join(batch, wanted[port], false); err != nil {
			return err
		}
	}
	if err := batch.Commit(); err != nil {
		return fmt.Errorf("lay the group rules: %w", err)
	}
	ours := stands && f.whole
	for port, former := range f.ports {
		if nic, stays := wanted[port]; ours && stays && !samePort(former, nic) {
			f.rejudge(former, nic)
		}
	}
	f.ports, f.whole = wanted, len(wanted) > 0
	if ours {
		return nil
	}
	return f.rejudgeSince(conn, former, wanted)
}

// idle says that a group has a set which no port needs any more.
func (f *Filter) idle(wanted map[string]domain.Nic) bool {
	needed := map[string]bool{}
	for _, nic := range wanted {
		for _, group := range named(nic) {
			needed[group] = true
		}
	}
	return len(needed) < len(f.sets) // every needed one was made
}

// stands says whether the base chains are there, and not emptied.
func (f *Filter) stands(conn *nftables.Conn) (bool, error) {
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return false, fmt.Errorf("list chains: %w", err)
	}
	based := 0
	for _, chain := range chains {
		if chain.Table.Name != f.table().Name || chain.Hooknum == nil {
			continue
		}
		holds, err := rule.Holds(conn, chain)
		if err != nil {
			return false, err
		}
		if holds {
			based++
		}
	}
	return based == filterHooks, nil
}

// samePort says whether two nics of one port have the same rules.
func samePort(a, b domain.Nic) bool {
	same := func(x, y domain.NicAddress) bool { return x.Addr == y.Addr }
	return a.MAC == b.MAC && slices.Equal(a.Groups, b.Groups) && slices.Equal(a.Rules, b.Rules) &&
		slices.EqualFunc(a.Addresses, b.Addresses, same)
}

// way is one direction of a port's packets in one IP version.
type way struct {
	out, six bool
}

func ways() []way { return []way{{}, {six: true}, {out: true}, {out: true, six: true}} }

// list names the map from the port's own address to its chain.
func (w way) list() string { return w.word() + w.version() }

// chain names the chain of a port.
func (w way) chain(port string) string { return w.word() + w.version() + "-" + port }

func (w way) word() string {
	if w.out {
		return "out"
	}
	return "in"
}

func (w way) version() string {
	if w.six {
		return "6"
	}
	return "4"
}

func (w way) kind() nftables.SetDatatype {
	if w.six {
		return nftables.TypeIP6Addr
	}
	return nftables.TypeIPAddr
}

// own loads the port's own address of a packet, and other the one of the other end.
func (w way) own() rule.Matching   { return w.address(w.out) }
func (w way) other() rule.Matching { return w.address(!w.out) }

func (w way) address(source bool) rule.Matching {
	proto, offset, length := byte(unix.NFPROTO_IPV4), uint32(16), uint32(4)
	if w.six {
		proto, offset, length = unix.NFPROTO_IPV6, 24, 16
	}
	if source {
		offset -= length
	}
	return rule.All(rule.Meta(expr.MetaKeyNFPROTO, expr.CmpOpEq, []byte{proto}), rule.Field(expr.PayloadBaseNetworkHeader, offset, length))
}

// ownAddresses are those by which a port is known, with its link-local one.
func (w way) ownAddresses(nic domain.Nic) []netip.Addr {
	var own []netip.Addr
	for _, a := range nic.Addresses {
		if a.Addr.Is6() == w.six {
			own = append(own, a.Addr)
		}
	}
	if mac, err := mark.ParseMAC(nic); err == nil && w.six && len(own) > 0 {
		own = append(own, mark.LinkLocal(mac))
	}
	return own
}

func (w way) portMap(table *nftables.Table) *nftables.Set {
	return &nftables.Set{Table: table, Name: w.list(), IsMap: true, KeyType: w.kind(), DataType: nftables.TypeVerdict}
}

// groupSetPrefix begins the name of a group's set.
const groupSetPrefix = "group"

// groupSet holds the addresses of a group's ports.
func (w way) groupSet(table *nftables.Table, group string) *nftables.Set {
	sum := sha256.Sum256([]byte(group))
	return &nftables.Set{Table: table, Name: groupSetPrefix + w.version() + "-" + hex.EncodeToString(sum[:6]), KeyType: w.kind()}
}
