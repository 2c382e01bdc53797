package plumb

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// matching is a part of a rule: the expressions of one condition or of the verdict.
type matching = []expr.Any

// reg is the register in which every condition compares; conditions follow each other.
const reg = unix.NFT_REG_1

// Types of ICMP messages, and of ICMPv6 messages.
const (
	icmpEchoRequest = 8

	icmp6EchoRequest     = 128
	icmp6ListenerReport  = 131
	icmp6RouterAdvert    = 134
	icmp6NeighborSolicit = 135
	icmp6NeighborAdvert  = 136
	icmp6Redirect        = 137
	icmp6ListenerReport2 = 143
)

func all(parts ...matching) matching {
	var rule matching
	for _, part := range parts {
		rule = append(rule, part...)
	}
	return rule
}

func accept() matching { return matching{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() matching   { return matching{&expr.Verdict{Kind: expr.VerdictDrop}} }

func meta(key expr.MetaKey, op expr.CmpOp, data []byte) matching {
	return matching{
		&expr.Meta{Key: key, Register: reg},
		&expr.Cmp{Op: op, Register: reg, Data: data},
	}
}

// linkPrefix compares the beginning of a link's name.
func linkPrefix(key expr.MetaKey, op expr.CmpOp, prefix string) matching {
	return meta(key, op, []byte(prefix))
}

// linkName is a name as the kernel keeps it.
func linkName(name string) []byte {
	data := make([]byte, unix.IFNAMSIZ)
	copy(data, name)
	return data
}

func etherType(proto uint16) matching {
	return meta(expr.MetaKeyPROTOCOL, expr.CmpOpEq, binary.BigEndian.AppendUint16(nil, proto))
}

func transport(proto byte) matching {
	return meta(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{proto})
}

func field(base expr.PayloadBase, offset, length uint32) matching {
	return matching{&expr.Payload{DestRegister: reg, Base: base, Offset: offset, Len: length}}
}

func compare(op expr.CmpOp, data []byte) matching {
	return matching{&expr.Cmp{Op: op, Register: reg, Data: data}}
}

func icmpv4(kind byte) matching {
	return all(transport(unix.IPPROTO_ICMP), field(expr.PayloadBaseTransportHeader, 0, 1), compare(expr.CmpOpEq, []byte{kind}))
}

func icmpv6(kind byte) matching {
	return all(transport(unix.IPPROTO_ICMPV6), field(expr.PayloadBaseTransportHeader, 0, 1), compare(expr.CmpOpEq, []byte{kind}))
}

func destinationPort(port uint16) matching {
	return all(field(expr.PayloadBaseTransportHeader, 2, 2),
		compare(expr.CmpOpEq, binary.BigEndian.AppendUint16(nil, port)))
}

// answers matches packets of connections that were let through before.
func answers() matching {
	mask := binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED)
	return matching{
		&expr.Ct{Key: expr.CtKeySTATE, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg, Data: make([]byte, 4)},
	}
}

// toOwnGateway matches a destination that is an address of the very link by which the
// packet came.
func toOwnGateway() matching {
	return matching{
		&expr.Fib{Register: reg, ResultADDRTYPE: true, FlagDADDR: true, FlagIIF: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)},
	}
}

// script collects one atomic batch of changes to a table. Set numbers are counted here
// because the library's own counter is shared by the whole process without a lock.
type script struct {
	conn  *nftables.Conn
	table *nftables.Table
	sets  uint32
	err   error
}

func (s *script) rule(chain *nftables.Chain, parts ...matching) {
	s.conn.AddRule(&nftables.Rule{Table: s.table, Chain: chain, Exprs: all(parts...)})
}

func (s *script) set(set *nftables.Set, elements []nftables.SetElement) *nftables.Set {
	s.sets++
	set.ID, set.Table = s.sets, s.table
	if set.Anonymous {
		set.Name = "__set%d"
		set.Constant = true
	}
	if err := s.conn.AddSet(set, elements); err != nil && s.err == nil {
		s.err = err
	}
	return set
}

// oneOf matches if the field just loaded is one of addrs (or not, inverted).
func (s *script) oneOf(addrs []netip.Addr, kind nftables.SetDatatype, invert bool) matching {
	elements := make([]nftables.SetElement, 0, len(addrs))
	for _, a := range addrs {
		elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
	}
	set := s.set(&nftables.Set{Anonymous: true, KeyType: kind}, elements)
	return matching{&expr.Lookup{SourceRegister: reg, SetName: set.Name, SetID: set.ID, Invert: invert}}
}

// commit carries the batch out, all of it or nothing.
func (s *script) commit() error {
	if s.err != nil {
		return s.err
	}
	return s.conn.Flush() //nolint:wrapcheck // wrapped by each caller with what it laid
}
