// Package mark names the things of one deployment on a host, so that several
// deployments can stand on one.
package mark

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// PortLength is how much of a port's id a link's name can hold; Neutron's agents
// find their ports by the same eleven characters.
const PortLength = 11

// Owner derives every name and mark by which things of one deployment are known.
type Owner struct {
	Deployment string
	Short      string // six hex digits
	Group      uint32 // group of our links: set in the very call that makes a link
}

// NewOwner returns the names of deployment.
func NewOwner(deployment string) Owner {
	sum := sha256.Sum256([]byte(deployment))
	return Owner{
		Deployment: deployment,
		Short:      hex.EncodeToString(sum[:3]),
		// Bit 30 keeps clear of the small numbers that administrators use.
		Group: binary.BigEndian.Uint32(sum[4:8])&0x3fffffff | 1<<30,
	}
}

// Table names our nftables tables, and the comment of our rules in foreign ones.
func (o Owner) Table() string { return "zun-" + o.Short }

// BridgePrefix begins the name of every bridge of the deployment.
func (o Owner) BridgePrefix() string { return "zb" + o.Short + "-" }

// Alias is the full mark of a host end.
func (o Owner) Alias(id domain.ContainerID, portID string) string {
	return strings.Join([]string{"zun", o.Deployment, string(id), portID}, "/")
}

// ParseAlias reads a mark back; ok is false if it is not of this deployment.
func (o Owner) ParseAlias(alias string) (id domain.ContainerID, portID string, ok bool) {
	rest, found := strings.CutPrefix(alias, "zun/"+o.Deployment+"/")
	if !found {
		return "", "", false
	}
	container, port, found := strings.Cut(rest, "/")
	return domain.ContainerID(container), port, found
}

// BridgeMAC is the bridge's own address. Without a fixed one a bridge takes the
// lowest of its ports, and the gateway's would change as ports come and go.
func (o Owner) BridgeMAC(bridge string) net.HardwareAddr {
	sum := sha256.Sum256([]byte(o.Deployment + "/" + bridge))
	return net.HardwareAddr{0x02, sum[0], sum[1], sum[2], sum[3], sum[4]}
}

// TapName is the name of a port's end on the host.
func TapName(portID string) string { return "tap" + ShortPort(portID) }

// ShortPort is as much of a port's id as a link's name can hold.
func ShortPort(portID string) string { return portID[:min(len(portID), PortLength)] }

// ParseMAC reads the hardware address of a port.
func ParseMAC(nic domain.Nic) (net.HardwareAddr, error) {
	mac, err := net.ParseMAC(nic.MAC)
	if err != nil {
		return nil, fmt.Errorf("read MAC: %w", err)
	}
	return mac, nil
}

// LinkLocal is the address that the kernel forms from mac.
func LinkLocal(mac net.HardwareAddr) netip.Addr {
	return netip.AddrFrom16([16]byte{
		0xfe, 0x80, 0, 0, 0, 0, 0, 0,
		mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5],
	})
}
