// Package rule writes rules of nftables: the conditions and verdicts that the tables of
// this host's networks are made of, and the batches in which they are laid.
package rule

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Matching is a part of a rule: the expressions of one condition or of the verdict.
type Matching = []expr.Any

// Register is the register in which every condition compares; conditions follow each other.
const Register = unix.NFT_REG_1

// Types of ICMP messages, and of ICMPv6 messages.
const (
	EchoRequest = 8

	EchoRequest6    = 128
	ListenerReport  = 131
	RouterAdvert    = 134
	NeighborSolicit = 135
	NeighborAdvert  = 136
	Redirect        = 137
	ListenerReport2 = 143
)

// All joins parts into one rule.
func All(parts ...Matching) Matching {
	var rule Matching
	for _, part := range parts {
		rule = append(rule, part...)
	}
	return rule
}

// Accept lets the packet pass.
func Accept() Matching { return Matching{&expr.Verdict{Kind: expr.VerdictAccept}} }

// Drop ends the packet.
func Drop() Matching { return Matching{&expr.Verdict{Kind: expr.VerdictDrop}} }

// Meta compares what the kernel knows of a packet.
func Meta(key expr.MetaKey, op expr.CmpOp, data []byte) Matching {
	return Matching{
		&expr.Meta{Key: key, Register: Register},
		&expr.Cmp{Op: op, Register: Register, Data: data},
	}
}

// LinkPrefix compares the beginning of a link's name.
func LinkPrefix(key expr.MetaKey, op expr.CmpOp, prefix string) Matching {
	return Meta(key, op, []byte(prefix))
}

// LinkName is a name as the kernel keeps it.
func LinkName(name string) []byte {
	data := make([]byte, unix.IFNAMSIZ)
	copy(data, name)
	return data
}

// EtherType matches the protocol above the link as the frame names it. What the kernel knows
// of the packet would not do: it looks through a tag of a VLAN or a priority, and IP filters
// between the ports of a bridge do not see frames that have one.
func EtherType(proto uint16) Matching {
	return All(Field(expr.PayloadBaseLLHeader, 12, 2), Compare(expr.CmpOpEq, binary.BigEndian.AppendUint16(nil, proto)))
}

// Transport matches the protocol above IP.
func Transport(proto byte) Matching {
	return Meta(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{proto})
}

// Field loads length bytes at offset of a header.
func Field(base expr.PayloadBase, offset, length uint32) Matching {
	return Matching{&expr.Payload{DestRegister: Register, Base: base, Offset: offset, Len: length}}
}

// Compare compares the field just loaded.
func Compare(op expr.CmpOp, data []byte) Matching {
	return Matching{&expr.Cmp{Op: op, Register: Register, Data: data}}
}

// ICMPv4 matches the messages of one type.
func ICMPv4(kind byte) Matching {
	return All(Transport(unix.IPPROTO_ICMP), Field(expr.PayloadBaseTransportHeader, 0, 1), Compare(expr.CmpOpEq, []byte{kind}))
}

// ICMPv6 matches the messages of one type.
func ICMPv6(kind byte) Matching {
	return All(Transport(unix.IPPROTO_ICMPV6), Field(expr.PayloadBaseTransportHeader, 0, 1), Compare(expr.CmpOpEq, []byte{kind}))
}

// Fragment6 matches the pieces of an IPv6 packet.
func Fragment6() Matching {
	return Matching{
		&expr.Exthdr{DestRegister: Register, Type: unix.IPPROTO_FRAGMENT, Len: 1, Flags: unix.NFT_EXTHDR_F_PRESENT, Op: expr.ExthdrOpIpv6},
		&expr.Cmp{Op: expr.CmpOpEq, Register: Register, Data: []byte{1}},
	}
}

// DestinationPort matches a transport port.
func DestinationPort(port uint16) Matching {
	return All(Field(expr.PayloadBaseTransportHeader, 2, 2),
		Compare(expr.CmpOpEq, binary.BigEndian.AppendUint16(nil, port)))
}

// Answers matches packets of connections that were let through before, and errors about them.
func Answers() Matching { return state(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED) }

// Established matches packets of connections that were let through before. Errors about them
// may come from anybody.
func Established() Matching { return state(expr.CtStateBitESTABLISHED) }

func state(bits uint32) Matching {
	mask := binaryutil.NativeEndian.PutUint32(bits)
	return Matching{
		&expr.Ct{Key: expr.CtKeySTATE, Register: Register},
		&expr.Bitwise{SourceRegister: Register, DestRegister: Register, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: Register, Data: make([]byte, 4)},
	}
}

// ToOwnGateway matches a destination that is an address of the very link by which the
// packet came.
func ToOwnGateway() Matching {
	return Matching{
		&expr.Fib{Register: Register, ResultADDRTYPE: true, FlagDADDR: true, FlagIIF: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: Register, Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)},
	}
}

// ToKind matches a destination by what the host's routes say of it, such as unix.RTN_BROADCAST.
func ToKind(kind uint32) Matching {
	return Matching{
		&expr.Fib{Register: Register, ResultADDRTYPE: true, FlagDADDR: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: Register, Data: binaryutil.NativeEndian.PutUint32(kind)},
	}
}

// Script collects one atomic batch of changes to a table. Set numbers are counted here
// because the library's own counter is shared by the whole process without a lock.
type Script struct {
	Conn  *nftables.Conn
	Table *nftables.Table
	sets  uint32
	err   error
}

// Rule adds a rule of parts to chain.
func (s *Script) Rule(chain *nftables.Chain, parts ...Matching) {
	s.Conn.AddRule(&nftables.Rule{Table: s.Table, Chain: chain, Exprs: All(parts...)})
}

// Set adds set with elements and returns it with its number.
func (s *Script) Set(set *nftables.Set, elements []nftables.SetElement) *nftables.Set {
	s.sets++
	set.ID, set.Table = s.sets, s.Table
	if set.Anonymous {
		set.Name = "__set%d"
		set.Constant = true
	}
	if err := s.Conn.AddSet(set, elements); err != nil && s.err == nil {
		s.err = err
	}
	return set
}

// OneOf matches if the field just loaded is one of addrs (or not, inverted).
func (s *Script) OneOf(addrs []netip.Addr, kind nftables.SetDatatype, invert bool) Matching {
	elements := make([]nftables.SetElement, 0, len(addrs))
	for _, a := range addrs {
		elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
	}
	set := s.Set(&nftables.Set{Anonymous: true, KeyType: kind}, elements)
	return Matching{&expr.Lookup{SourceRegister: Register, SetName: set.Name, SetID: set.ID, Invert: invert}}
}

// Commit carries the batch out, all of it or nothing.
func (s *Script) Commit() error {
	if s.err != nil {
		return s.err
	}
	return s.Conn.Flush() //nolint:wrapcheck // wrapped by each caller with what it laid
}

// patience bounds one exchange with the kernel.
const patience = time.Minute

// batchBytes bounds a batch, which is one message to the kernel, and its acknowledgements,
// which wait all at once: that of a thousand ports with groups has some ten MiB. Nothing of
// it is taken before it is needed.
const batchBytes = 256 << 20

// Open reaches the kernel's tables, for a bounded time.
func Open() (*nftables.Conn, error) {
	conn, err := nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error {
		return errors.Join(c.SetDeadline(time.Now().Add(patience)), c.SetWriteBuffer(batchBytes), c.SetReadBuffer(batchBytes))
	}))
	if err != nil {
		return nil, fmt.Errorf("open the kernel's nftables socket: %w", err)
	}
	return conn, nil
}

// Holds says whether chain has any rule: somebody may have emptied it.
func Holds(conn *nftables.Conn, chain *nftables.Chain) (bool, error) {
	rules, err := conn.GetRules(chain.Table, chain)
	if err != nil && !IsMissing(err) {
		return false, fmt.Errorf("list the rules of chain %s: %w", chain.Name, err)
	}
	return len(rules) > 0, nil
}

// IsMissing says that the kernel knows no table, chain or element of that name.
func IsMissing(err error) bool { return errors.Is(err, unix.ENOENT) }
