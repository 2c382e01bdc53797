package local

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"net/netip"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/domain"
)

// pool cuts subnets of bits out of prefix, counted from first.
type pool struct {
	prefix netip.Prefix
	bits   int
	first  uint64
}

// size is how many subnets the pool holds.
func (p pool) size() uint64 { return 1 << min(p.bits-p.prefix.Bits(), 62) }

// subnet returns the subnet number index; ok is false past the pool's size.
func (p pool) subnet(index int64) (subnet netip.Prefix, ok bool) {
	if index < 0 || uint64(index) >= p.size() {
		return netip.Prefix{}, false
	}
	number := (p.first + uint64(index)) % p.size()
	base := p.prefix.Masked().Addr()
	shift := base.BitLen() - p.bits
	return netip.PrefixFrom(plus(base, number, shift), p.bits), true
}

// plus adds number, moved shift bits to the left, to an address. The caller knows that
// the sum stays within the address's length.
func plus(base netip.Addr, number uint64, shift int) netip.Addr {
	raw := base.AsSlice()
	sum := new(big.Int).SetBytes(raw)
	sum.Add(sum, new(big.Int).Lsh(new(big.Int).SetUint64(number), uint(shift)))
	addr, _ := netip.AddrFromSlice(sum.FillBytes(raw))
	return addr
}

// spread picks where a pool of size begins for a deployment.
func spread(deployment string, size uint64) uint64 {
	sum := sha256.Sum256([]byte("subnets/" + deployment))
	return binary.BigEndian.Uint64(sum[:8]) % size
}

// uniqueLocal is the deployment's own IPv6 pool, formed as RFC 4193 asks: forty bits
// that nobody else is likely to have.
func uniqueLocal(deployment string) netip.Prefix {
	sum := sha256.Sum256([]byte("prefix/" + deployment))
	raw := [16]byte{0: 0xfd}
	copy(raw[1:6], sum[:5])
	return netip.PrefixFrom(netip.AddrFrom16(raw), 48)
}

// gateway is the first address of a subnet, which its bridge carries.
func gateway(subnet netip.Prefix) netip.Addr { return subnet.Addr().Next() }

// leasable says whether a port may hold addr in subnet: not the subnet's own address,
// not the gateway's, and in IPv4 not the broadcast.
func leasable(subnet netip.Prefix, addr netip.Addr) bool {
	if !subnet.Contains(addr) || addr == subnet.Addr() || addr == gateway(subnet) {
		return false
	}
	return addr.Is6() || subnet.Contains(addr.Next())
}

// free returns the lowest leasable address of subnet that is not taken, after skipping
// some; ok is false when there is none.
func free(subnet netip.Prefix, taken map[netip.Addr]string, skip int) (addr netip.Addr, ok bool) {
	var last netip.Addr
	for a := gateway(subnet).Next(); leasable(subnet, a); a = a.Next() {
		if _, leased := taken[a]; leased {
			continue
		}
		if last = a; skip == 0 {
			return a, true
		}
		skip--
	}
	return last, last.IsValid()
}

// derived makes an id that is always the same for the same parts.
func derived(parts string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("zun/"+parts)).String()
}

// subnetsOf returns the subnets of network: those that the store kept, else those of
// its number. A Conflict fault says that the pools hold no more networks.
func (l *Local) subnetsOf(network domain.LocalNetwork) ([]domain.LocalSubnet, error) {
	if len(network.Subnets) > 0 {
		return network.Subnets, nil
	}
	var subnets []domain.LocalSubnet
	for _, p := range l.pools {
		prefix, ok := p.subnet(network.Index)
		if !ok {
			return nil, domain.NewFault(domain.Conflict, "conflict",
				"No more networks are available: the address pool %s is used up.", p.prefix)
		}
		subnets = append(subnets, domain.LocalSubnet{
			ID: derived(network.ID + "/" + prefix.String()), Prefix: prefix, Gateway: gateway(prefix),
		})
	}
	return subnets, nil
}
