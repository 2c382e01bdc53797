package plumb

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// tapIDLength is how much of a port's id a link's name can hold; Neutron's agents
// find their ports by the same eleven characters.
const tapIDLength = 11

// owner derives every name and mark by which things of one deployment are known.
type owner struct {
	deployment string
	short      string // six hex digits
	group      uint32 // group of our links: set in the very call that makes a link
}

func newOwner(deployment string) owner {
	sum := sha256.Sum256([]byte(deployment))
	return owner{
		deployment: deployment,
		short:      hex.EncodeToString(sum[:3]),
		// Bit 30 keeps clear of the small numbers that administrators use.
		group: binary.BigEndian.Uint32(sum[4:8])&0x3fffffff | 1<<30,
	}
}

// table names our nftables tables, and the comment of our rules in foreign ones.
func (o owner) table() string { return "zun-" + o.short }

// bridgePrefix begins the name of every bridge of the deployment.
func (o owner) bridgePrefix() string { return "zb" + o.short + "-" }

// alias is the full mark of a host end.
func (o owner) alias(id domain.ContainerID, portID string) string {
	return strings.Join([]string{"zun", o.deployment, string(id), portID}, "/")
}

// parseAlias reads a mark back; ok is false if it is not of this deployment.
func (o owner) parseAlias(alias string) (id domain.ContainerID, portID string, ok bool) {
	rest, found := strings.CutPrefix(alias, "zun/"+o.deployment+"/")
	if !found {
		return "", "", false
	}
	container, port, found := strings.Cut(rest, "/")
	return domain.ContainerID(container), port, found
}

// bridgeMAC is the bridge's own address. Without a fixed one a bridge takes the
// lowest of its ports, and the gateway's would change as ports come and go.
func (o owner) bridgeMAC(bridge string) net.HardwareAddr {
	sum := sha256.Sum256([]byte(o.deployment + "/" + bridge))
	return net.HardwareAddr{0x02, sum[0], sum[1], sum[2], sum[3], sum[4]}
}

func tapName(portID string) string { return "tap" + shortPort(portID) }

func shortPort(portID string) string { return portID[:min(len(portID), tapIDLength)] }
